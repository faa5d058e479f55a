// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Tokenizer13a
/// @notice mteval-v13a tokenization, equal to sacreBLEU's `tok:13a` on every byte string, valid UTF-8 or not.
/// @dev Every rule of 13a is about ASCII, and whitespace beyond ASCII is recognised by its UTF-8 bytes, whose lead bytes occur nowhere
/// else in a text; so the tokenizer works on bytes and decodes nothing.
///
/// The text is read from its end to its start, a word of 32 bytes at a time. Additions on all 32 bytes at once mark those that may end a
/// token, and the last mark of a word is its lowest bit, which one multiplication turns into a position. Tokens therefore come out in
/// reverse; no n-gram statistic depends on the direction as long as both sides have the same.
library Tokenizer13a {
    /// @dev Tab to carriage return, the four information separators, and space, as bits.
    uint256 private constant SEPARATORS = 0x1f0003e00;

    /// @dev All punctuation but `& ; >`, which may be part of an entity or of `<skipped>`: a mark that needs no second look.
    uint256 private constant PLAIN = 0x78000001f8000001fc008f3e00000000;

    /// @dev Texts of more bytes are searched for what has to be removed before they are scanned.
    uint256 private constant LONG = 2048;

    /// @dev The same small number in each of the 32 bytes of a word.
    uint256 private constant EACH = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// @dev 31, 30, ... 0, seven bits to the right: its product with 2^(8k+7) carries, in the highest byte, the index of byte 31-k.
    uint256 private constant INDEX_OF_MARK = 0x003e3c3a38363432302e2c2a28262422201e1c1a18161412100e0c0a08060402;

    /// @notice Keccak-256 of every token of `text`, last token first.
    /// @return first Address in memory of the first of them.
    /// @return count How many there are.
    function tokens(bytes calldata text) internal pure returns (uint256 first, uint256 count) {
        uint256 start;
        uint256 end;
        assembly ("memory-safe") {
            // What precedes the text must be no digit, no dash and no part of a pattern: zeros.
            start := mload(0x40)
            mstore(start, 0)
            start := add(start, 0x20)
            end := add(start, text.length)
            calldatacopy(start, text.offset, text.length)
            first := and(add(end, 0x3f), not(0x1f))
            mstore(0x40, add(first, mul(text.length, 0x20)))
        }

        // Few texts hold anything that has to be removed first. The scan of a short one says so when it meets it; a long one is
        // searched first, since its tokens are too dear to be found twice.
        uint256 past = end - start > LONG ? 0 : _scan(start, end, first, end);
        if (past == 0) {
            (start, end) = _join(start, end);
            past = _scan(start, end, first, past);
        }

        assembly ("memory-safe") {
            mstore(0x40, past)
            count := shr(5, sub(past, first))
        }
    }

    /// @dev Writes the hashes of the tokens of `[start, end)` to `out` and onwards, and returns where they end. Unless `raw` is 0, stops
    /// with 0 as soon as it meets `<skipped>` or a dash before a line break, which 13a removes before everything else.
    ///
    /// The loop has few variables and leaves what is rare to a function, because the compiler pays for each with a shuffle of the stack at
    /// every turn. It does not inline a function with a `leave`.
    function _scan(uint256 start, uint256 end, uint256 out, uint256 raw) private pure returns (uint256 past) {
        assembly ("memory-safe") {
            function isDigit(c) -> yes {
                yes := lt(sub(c, 0x30), 10)
            }
            function isStop(c) -> yes {
                yes := or(eq(c, 0x2e), eq(c, 0x2c))
            }
            // Whether the full stop or comma at p belongs to the digit behind it. sacreBLEU's two expressions consume a run of k of them
            // in pairs, from the left, beginning with the character before the run unless that is a digit; so only the last of a run
            // can stay joined, if it is the odd one out. The one before it, a token, ends the number on the left.
            function joins(p) -> yes {
                let q := sub(p, 1)
                for {} isStop(byte(0, mload(q))) {} { q := sub(q, 1) }
                yes := eq(isDigit(byte(0, mload(q))), and(sub(p, q), 1))
            }
            // Width of the whitespace character beyond ASCII whose lead byte is at p, or 0.
            function wideSpace(p) -> width {
                let c := shr(232, mload(p))
                switch shr(8, c)
                case 0xc285 { width := 2 }
                case 0xc2a0 { width := 2 }
                case 0xe19a { width := mul(3, eq(c, 0xe19a80)) }
                case 0xe280 { width := mul(3, and(shr(and(c, 0xff), shl(0x80, 0x8300000007ff)), 1)) }
                case 0xe281 { width := mul(3, eq(c, 0xe2819f)) }
                case 0xe380 { width := mul(3, eq(c, 0xe38080)) }
            }
            // The character that ends with the semicolon at p, and its length: that of an entity, or the semicolon itself. The ampersand
            // of `&amp;` is decoded before `&lt;` and `&gt;` and after `&quot;`: only `&amp;lt;` and `&amp;gt;` are decoded twice.
            function entity(p) -> length, char {
                length := 1
                char := 0x3b
                let left := mload(sub(p, 0x20))
                // All four end with p or t, which differ in one bit.
                if eq(and(left, 0xfb), 0x70) {
                    if eq(and(left, 0xffffffff), 0x26616d70) {
                        length := 5
                        char := 0x26
                    }
                    if eq(and(left, 0xffffffffff), 0x2671756f74) {
                        length := 6
                        char := 0x22
                    }
                    let angle := and(left, 0xffff)
                    angle := add(mul(0x3c, eq(angle, 0x6c74)), mul(0x3e, eq(angle, 0x6774)))
                    if angle {
                        left := shr(16, left)
                        if eq(and(left, 0xff), 0x26) {
                            length := 4
                            char := angle
                        }
                        if eq(and(left, 0xffffffffff), 0x26616d703b) {
                            length := 8
                            char := angle
                        }
                    }
                }
            }
            // What a marked byte c at p means that is not plain: where the token to the right of it begins, where the one to the left
            // ends, and the token between them or 0. A beginning of 0 says that it means nothing, and of 1 that it has to be removed.
            function boundary(p, c, end_) -> from, to, token {
                to := p
                if gt(c, 0x2f) {
                    switch c
                    case 0x3b {
                        // Unless it is part of an entity that has been read.
                        if lt(p, end_) {
                            from := add(p, 1)
                            to, token := entity(p)
                            to := sub(from, to)
                        }
                    }
                    case 0x3e {
                        from := add(p, 1)
                        token := c
                        if eq(shr(192, mload(sub(p, 8))), 0x3c736b6970706564) {
                            if mload(0x20) { from := 1 }
                        }
                    }
                    default {
                        from := add(p, 1)
                        token := c
                        if gt(c, 0x7e) {
                            token := 0
                            to := sub(p, eq(c, 0x9a))
                            from := wideSpace(to)
                            if from { from := add(to, from) }
                        }
                    }
                    leave
                }
                if isStop(c) {
                    if iszero(joins(p)) {
                        token := c
                        from := add(p, 1)
                    }
                    leave
                }
                switch c
                case 0x2d {
                    // A dash behind a digit is a token. Others can be tokens, too, so all are hashed.
                    if isDigit(byte(0, mload(sub(p, 1)))) {
                        token := keccak256(p, 1)
                        from := add(p, 1)
                    }
                }
                case 0x0a {
                    if mload(0x20) {
                        from := add(p, 1)
                        if eq(byte(0, mload(sub(p, 1))), 0x2d) { from := 1 }
                    }
                }
                default { from := mul(add(p, 1), and(shr(c, SEPARATORS), 1)) }
            }

            function scan(start_, end_, out_) -> past_ {
                for { let at := add(start_, and(sub(sub(end_, start_), 1), not(0x1f))) } iszero(lt(at, start_)) {
                    at := sub(at, 0x20)
                } {
                    let text := mload(at)

                    // Marks, in the highest bit of each byte, all of ASCII but digits, letters (and ten harmless control characters):
                    // each sum carries into that bit from one end of the two ranges on, so an odd number of carries means inside.
                    let marks := or(and(text, mul(0x7f, EACH)), mul(0x20, EACH))
                    marks := xor(
                        xor(add(marks, mul(0x50, EACH)), add(marks, mul(0x46, EACH))),
                        xor(add(marks, mul(0x1f, EACH)), add(marks, mul(0x05, EACH)))
                    )
                    marks := and(not(or(marks, text)), mul(0x80, EACH))

                    // Beyond ASCII: C2, E2 and E3, which can lead a whitespace character, and 9A, the middle of U+1680, whose lead byte
                    // is that of every Ethiopic letter. A byte above a found one may be marked in vain; it is looked at again below.
                    if and(text, mul(0x80, EACH)) {
                        let a := xor(text, mul(0xc2, EACH))
                        let b := xor(or(text, EACH), mul(0xe3, EACH))
                        let c := xor(text, mul(0x9a, EACH))
                        a := or(or(and(sub(a, EACH), not(a)), and(sub(b, EACH), not(b))), and(sub(c, EACH), not(c)))
                        marks := or(marks, and(a, mul(0x80, EACH)))
                    }

                    for {} marks {} {
                        let p := marks
                        marks := and(marks, sub(marks, 1))
                        p := shr(248, mul(INDEX_OF_MARK, xor(p, marks)))
                        let c := byte(p, text)
                        p := add(at, p)
                        let from := add(p, 1)
                        if eq(c, 0x20) {
                            // Without a branch: an empty token is hashed, too, and written over by the next.
                            mstore(out_, keccak256(from, sub(end_, from)))
                            out_ := add(out_, shl(5, lt(from, end_)))
                            end_ := p
                            continue
                        }
                        let plain := and(shr(c, PLAIN), 1)
                        // Most marks that may mean something else do not: cheap looks at a neighbour, which err to the safe side.
                        switch plain
                        case 0 {
                            switch or(c, 2)
                            case 0x2e { plain := iszero(isDigit(byte(0, mload(from)))) }
                            case 0x26 { plain := lt(p, end_) }
                        }
                        default {
                            if eq(or(c, 5), 0x3f) { plain := xor(and(byte(0, mload(sub(p, 1))), 0xeb), 0x60) }
                        }
                        if iszero(plain) {
                            from, p, c := boundary(p, c, end_)
                            if lt(from, 2) {
                                if from { leave }
                                continue
                            }
                        }
                        if lt(from, end_) {
                            mstore(out_, keccak256(from, sub(end_, from)))
                            out_ := add(out_, 0x20)
                        }
                        end_ := p
                        // Punctuation stands for itself: no hash is so small.
                        mstore(out_, c)
                        out_ := add(out_, shl(5, iszero(iszero(c))))
                    }
                }
                // The token that the text begins with.
                past_ := out_
                if lt(start_, end_) {
                    mstore(out_, keccak256(start_, sub(end_, start_)))
                    past_ := add(out_, 0x20)
                }
            }

            // What follows the text must be nothing marked, no digit and no part of a character: letters.
            mstore(end, mul(0x61, EACH))
            mstore(0x20, raw)
            past := scan(start, end, out)
        }
    }

    /// @dev What 13a does before it tokenizes: strips whitespace at the end, removes each `<skipped>`, then each dash before a line break,
    /// and makes spaces of the other line breaks. Works from the end and leaves the text, contiguous, at the end of the memory it had.
    ///
    /// Where this joins bytes of invalid UTF-8 to a character, sacreBLEU still has the bytes, as it has decoded before. A line break
    /// behind the lead byte keeps such a token apart from that of the character; `_scan` takes it for a part of the token.
    function _join(uint256 start, uint256 end) private pure returns (uint256 newStart, uint256 newEnd) {
        newEnd = _strip(start, end);
        assembly ("memory-safe") {
            // What is removed with the byte c at p: [from, p + size); size 0 for nothing.
            function removal(p, c) -> from, size {
                from := p
                if eq(c, 0x6b) {
                    from := sub(p, 2)
                    size := mul(7, eq(shr(184, mload(from)), 0x3c736b69707065643e))
                    leave
                }
                if iszero(eq(c, 0x0a)) { leave }
                for {} eq(shr(184, mload(sub(from, 9))), 0x3c736b69707065643e) {} { from := sub(from, 9) }
                from := sub(from, 1)
                size := eq(byte(0, mload(from)), 0x2d)
                if iszero(size) { mstore8(p, 0x20) }
            }
            // Length of the character beyond ASCII that ends with the lowest byte of `tail`, or 0: no overlong form, no surrogate.
            function character(tail) -> length {
                if eq(and(tail, 0xe0c0), 0xc080) { length := shl(1, iszero(iszero(and(tail, 0x1e00)))) }
                if eq(and(tail, 0xf0c0c0), 0xe08080) {
                    let high := and(shr(12, tail), 0xf2)
                    length := mul(3, iszero(or(iszero(high), eq(high, 0xd2))))
                }
                if eq(and(tail, 0xf8c0c0c0), 0xf0808080) {
                    let plane := or(and(shr(22, tail), 0x1c), and(shr(20, tail), 0x03))
                    length := shl(2, lt(sub(plane, 1), 16))
                }
            }
            // How many of the bytes before `left` follow the lead byte of a character that the bytes at `right` would complete, plus 1.
            function torn(left, right) -> count {
                let bytes6 := or(shl(24, and(mload(sub(left, 0x20)), 0xffffff)), shr(232, mload(right)))
                for { let behind := 3 } mul(behind, iszero(count)) {} {
                    behind := sub(behind, 1)
                    let length := character(shr(shl(3, behind), bytes6))
                    if gt(length, sub(3, behind)) { count := sub(length, sub(3, behind)) }
                }
            }

            mstore(newEnd, mul(0x61, EACH))
            let source := newEnd // what is before it has not been moved
            newStart := newEnd // what is behind it has
            for { let at := add(start, and(sub(sub(newEnd, start), 1), not(0x1f))) } iszero(lt(at, start)) { at := sub(at, 0x20) }
            {
                let text := mload(at)
                // Line breaks, and the letter k of `<skipped>`: whoever writes for dear checks writes punctuation.
                let marks := and(sub(xor(text, mul(0x6b, EACH)), EACH), not(xor(text, mul(0x6b, EACH))))
                marks := or(marks, and(sub(xor(text, mul(0x0a, EACH)), EACH), not(xor(text, mul(0x0a, EACH)))))
                marks := and(marks, mul(0x80, EACH))
                for {} marks {} {
                    let mark := and(marks, sub(0, marks))
                    marks := xor(marks, mark)
                    mark := shr(248, mul(INDEX_OF_MARK, mark))
                    let p := add(at, mark)
                    mark := byte(mark, text)
                    if and(eq(mark, 0x6b), iszero(eq(byte(0, mload(sub(p, 1))), 0x73))) { continue }
                    if iszero(lt(p, source)) { continue }
                    let from, size := removal(p, mark)
                    if iszero(size) { continue }

                    size := sub(source, add(p, size))
                    newStart := sub(newStart, size)
                    mcopy(newStart, sub(source, size), size)
                    source := from
                    size := torn(source, newStart)
                    if size {
                        size := sub(size, 1)
                        source := sub(source, size)
                        newStart := sub(newStart, add(size, 1))
                        mcopy(add(newStart, 1), source, size)
                        mstore8(newStart, 0x0a)
                    }
                }
            }
            source := sub(source, start)
            newStart := sub(newStart, source)
            mcopy(newStart, start, source)
            mstore(sub(newStart, 0x20), 0)
        }
    }

    /// @dev The end of `[start, end)` without trailing whitespace.
    function _strip(uint256 start, uint256 end) private pure returns (uint256) {
        while (end > start) {
            uint256 tail; // the bytes before `end`, the last one lowest; zeros precede the text
            assembly ("memory-safe") {
                tail := mload(sub(end, 0x20))
            }
            uint256 c = tail & 0xffffff;
            if ((SEPARATORS >> (c & 0xff)) & 1 == 1) end -= 1;
            else if (c & 0xffff == 0xc285 || c & 0xffff == 0xc2a0) end -= 2;
            else if (c == 0xe19a80 || c == 0xe2819f || c == 0xe38080 || c == 0xe280af) end -= 3;
            else if ((c >= 0xe28080 && c <= 0xe2808a) || c == 0xe280a8 || c == 0xe280a9) end -= 3;
            else break;
        }
        return end;
    }
}
