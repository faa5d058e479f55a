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
    /// @dev Tab to carriage return, the four information separators, and space.
    uint256 private constant SEPARATORS = 0x1f0003e00;

    /// @dev `! " # $ % &`, `( ) * +`, `/`, `: ; < = > ? @`, `[ \ ] ^ _` and backtick, `{ | } ~`: always a token of their own.
    uint256 private constant PUNCTUATION = 0x78000001f8000001fc008f7e00000000;

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

        bool joined;
        (count, joined) = _scan(start, end, first, true);
        if (joined) {
            end = _join(start, end);
            (count,) = _scan(start, end, first, false);
        }

        assembly ("memory-safe") {
            mstore(0x40, add(first, mul(count, 0x20)))
        }
    }

    /// @dev Writes the hashes of the tokens of `[start, end)` to `first` and onwards. With `raw`, stops and says so as soon as it
    /// meets `<skipped>` or a dash before a line break, which 13a removes before everything else.
    function _scan(uint256 start, uint256 end, uint256 first, bool raw) private pure returns (uint256 count, bool joined) {
        assembly ("memory-safe") {
            function isDigit(c) -> yes {
                yes := lt(sub(c, 0x30), 10)
            }
            function isStop(c) -> yes {
                yes := or(eq(c, 0x2e), eq(c, 0x2c))
            }
            function emit(out, from, to) -> next {
                next := out
                if lt(from, to) {
                    mstore(out, keccak256(from, sub(to, from)))
                    next := add(out, 0x20)
                }
            }
            // 0: a full stop or comma at p is a token. 1: it belongs to the number around it. 2: it begins the number behind it.
            // sacreBLEU's two expressions consume a run of k of them in pairs, from the left, beginning with the character before
            // the run unless that is a digit; so only the last of a run can stay joined, if it is the odd one out.
            function joins(p) -> how {
                if isDigit(byte(0, mload(add(p, 1)))) {
                    let q := sub(p, 1)
                    for {} isStop(byte(0, mload(q))) {} { q := sub(q, 1) }
                    if eq(isDigit(byte(0, mload(q))), and(sub(p, q), 1)) { how := add(1, gt(sub(p, q), 1)) }
                }
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
            // Length of the entity that ends with the semicolon at p, and the character that it stands for; or 0. The ampersand of
            // `&amp;` is decoded before `&lt;` and `&gt;` and after `&quot;`, so only `&amp;lt;` and `&amp;gt;` are decoded twice.
            function entity(p) -> length, char {
                let left := mload(sub(p, 0x20))
                switch and(left, 0xffff)
                case 0x6c74 { char := 0x3c }
                case 0x6774 { char := 0x3e }
                if char {
                    let before := and(shr(16, left), 0xffffffffff)
                    if eq(before, 0x26616d703b) { length := 8 }
                    if eq(and(before, 0xff), 0x26) { length := 4 }
                }
                if eq(and(left, 0xffffffff), 0x26616d70) {
                    length := 5
                    char := 0x26
                }
                if eq(and(left, 0xffffffffff), 0x2671756f74) {
                    length := 6
                    char := 0x22
                }
            }

            // What follows the text must be nothing marked, no digit and no part of a character: letters.
            mstore(end, mul(0x61, EACH))
            let out := first
            for { let at := add(start, and(add(sub(end, start), 0x1f), not(0x1f))) } gt(at, start) {} {
                at := sub(at, 0x20)
                let text := mload(at)

                // Marks, in the highest bit of each byte, all of ASCII but digits, letters (and ten harmless control characters):
                // each sum carries into that bit from one end of the two ranges on, so an odd number of carries means inside.
                let low := or(and(text, mul(0x7f, EACH)), mul(0x20, EACH))
                let marks :=
                    xor(
                        xor(add(low, mul(0x50, EACH)), add(low, mul(0x46, EACH))),
                        xor(add(low, mul(0x1f, EACH)), add(low, mul(0x05, EACH)))
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
                    let mark := and(marks, sub(0, marks))
                    marks := xor(marks, mark)
                    let p := shr(248, mul(INDEX_OF_MARK, mark))
                    let c := byte(p, text)
                    p := add(at, p)

                    if and(shr(c, SEPARATORS), 1) {
                        if eq(c, 0x0a) {
                            if and(raw, eq(byte(0, mload(sub(p, 1))), 0x2d)) {
                                joined := 1
                                break
                            }
                        }
                        out := emit(out, add(p, 1), end)
                        end := p
                        continue
                    }

                    if iszero(and(shr(c, PUNCTUATION), 1)) {
                        switch isStop(c)
                        case 1 {
                            let how := joins(p)
                            if eq(how, 2) {
                                out := emit(out, p, end)
                                end := p
                            }
                            if how { continue }
                        }
                        default {
                            if gt(c, 0x7f) {
                                p := sub(p, eq(c, 0x9a))
                                let width := wideSpace(p)
                                if width {
                                    out := emit(out, add(p, width), end)
                                    end := p
                                }
                                continue
                            }
                            // A dash is a token behind a digit; any other mark means nothing.
                            if iszero(and(eq(c, 0x2d), isDigit(byte(0, mload(sub(p, 1)))))) { continue }
                        }
                    }

                    // From here on the byte at p is a token of its own, unless an entity behind it has swallowed it.
                    if iszero(lt(p, end)) { continue }
                    if eq(c, 0x3b) {
                        let length, char := entity(p)
                        if length {
                            out := emit(out, add(p, 1), end)
                            mstore8(0, char)
                            out := emit(out, 0, 1)
                            end := sub(add(p, 1), length)
                            continue
                        }
                    }
                    if and(raw, and(eq(c, 0x3e), eq(shr(192, mload(sub(p, 8))), 0x3c736b6970706564))) {
                        joined := 1
                        break
                    }
                    out := emit(out, add(p, 1), end)
                    out := emit(out, p, add(p, 1))
                    end := p
                }
                if joined { break }
            }
            out := emit(out, start, end)
            count := shr(5, sub(out, first))
        }
    }

    /// @dev What 13a does before it tokenizes, in place: strips whitespace at the end, removes each `<skipped>`, then each dash before a
    /// line break. Nothing removed gives rise to a second removal of the same kind. Returns the new end.
    function _join(uint256 start, uint256 end) private pure returns (uint256 out) {
        end = _strip(start, end);
        out = start;
        uint256 previous; // of the text without `<skipped>`, removed dashes included
        for (uint256 at = start; at < end;) {
            uint256 c;
            assembly ("memory-safe") {
                c := mload(at)
            }
            if (c >> 184 == 0x3c736b69707065643e) {
                at += 9;
                continue;
            }
            c >>= 248;
            if (c == 0x0a && previous == 0x2d) {
                --out;
            } else {
                assembly ("memory-safe") {
                    mstore8(out, c)
                }
                ++out;
            }
            previous = c;
            ++at;
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
