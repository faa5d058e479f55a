// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Characters
/// @notice The characters of a UTF-8 text without its whitespace, as Python's `"".join(text.split())` leaves them.
/// @dev A byte that belongs to no valid sequence is a character of its own, as with Python's error handler `surrogateescape`; so every
/// byte string has characters, and every valid text has its own. Overlong forms, surrogates and anything beyond U+10FFFF are not valid.
///
/// A character takes four bytes in memory: those of its UTF-8 form, zeros behind them. U+0000 would be four zeros and stands as C0 80,
/// which no valid text holds. So an n-gram of order n is the n times four bytes where it begins, and no n-gram of another order has the
/// same number.
library Characters {
    /// @dev Tab to carriage return, the four information separators, and space, as bits.
    uint256 private constant SEPARATORS = 0x1f0003e00;

    /// @dev U+2000 to U+200A, U+2028, U+2029 and U+202F, by their last byte less 0x80, as bits.
    uint256 private constant GENERAL_SPACES = 0x8300000007ff;

    /// @dev The same small number in each of the 8 highest bytes of a word.
    uint256 private constant EACH = 0x0101010101010101 << 192;

    /// @notice The characters of `text`, first one first.
    /// @return first Address in memory of the first of them.
    /// @return count How many there are.
    function characters(bytes calldata text) internal pure returns (uint256 first, uint256 count) {
        assembly ("memory-safe") {
            // Three bytes of a valid character that is whitespace.
            function isSpace(three) -> yes {
                switch shr(8, three)
                case 0xe19a { yes := eq(three, 0xe19a80) }
                case 0xe280 { yes := and(shr(and(three, 0x3f), GENERAL_SPACES), 1) }
                case 0xe281 { yes := eq(three, 0xe2819f) }
                case 0xe380 { yes := eq(three, 0xe38080) }
            }
            // The character above ASCII that a word begins with, 0 if it is whitespace, and the number of its bytes.
            function above(word) -> char, width {
                let three := shr(232, word)
                // E0 80..9F is overlong, ED A0..BF a surrogate.
                if eq(and(three, 0xf0c0c0), 0xe08080) {
                    if mul(xor(shr(13, three), 0x704), xor(shr(13, three), 0x76d)) {
                        width := 3
                        char := shl(232, three)
                        if lt(sub(three, 0xe19a80), 0x1e601) { if isSpace(three) { char := 0 } }
                        leave
                    }
                }
                width := 1
                char := shl(248, byte(0, word))
                // 80..BF begins nothing, C0 and C1 are overlong.
                if or(lt(three, 0xc20000), xor(and(three, 0xc000), 0x8000)) { leave }
                if lt(three, 0xe00000) {
                    width := 2
                    char := shl(240, shr(8, three))
                    // U+0085, U+00A0
                    if or(eq(shr(8, three), 0xc285), eq(shr(8, three), 0xc2a0)) { char := 0 }
                    leave
                }
                // F0 80..8F is overlong, F4 90 beyond U+10FFFF.
                if mul(eq(and(shr(224, word), 0xc0c0), 0x8080), lt(sub(three, 0xf09000), 0x40000)) {
                    width := 4
                    char := shl(224, shr(224, word))
                }
            }
            // Writes the characters of [at, end) to `to`, which is clear, and returns where they end.
            function write(at, end, to) -> out {
                out := to
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) {} {
                    let word := mload(at)
                    if slt(word, 0) {
                        let char, width := above(word)
                        mstore(out, char)
                        out := add(out, shl(2, iszero(iszero(char))))
                        at := add(at, width)
                        continue
                    }
                    // Eight bytes at once from 20 to 7F: each sum carries into the highest bit of a byte.
                    let low := and(word, mul(0x7f, EACH))
                    if eq(and(and(add(low, mul(0x60, EACH)), not(word)), mul(0x80, EACH)), mul(0x80, EACH)) {
                        // 4 in each byte that is no space
                        let steps := and(shr(5, add(low, mul(0x5f, EACH))), mul(4, EACH))
                        mstore8(out, shr(248, word))
                        out := add(out, byte(0, steps))
                        mstore8(out, shr(240, word))
                        out := add(out, byte(1, steps))
                        mstore8(out, shr(232, word))
                        out := add(out, byte(2, steps))
                        mstore8(out, shr(224, word))
                        out := add(out, byte(3, steps))
                        mstore8(out, shr(216, word))
                        out := add(out, byte(4, steps))
                        mstore8(out, shr(208, word))
                        out := add(out, byte(5, steps))
                        mstore8(out, shr(200, word))
                        out := add(out, byte(6, steps))
                        mstore8(out, shr(192, word))
                        out := add(out, byte(7, steps))
                        at := add(at, 8)
                        continue
                    }
                    let c := byte(0, word)
                    at := add(at, 1)
                    if and(shr(c, SEPARATORS), 1) { continue }
                    if iszero(c) { c := 0xc0 }
                    mstore(out, or(shl(248, c), shl(240, shl(7, iszero(byte(0, word))))))
                    out := add(out, 4)
                }
            }

            first := mload(0x40)
            let copy := add(add(first, 0x20), shl(2, text.length))
            let end := add(copy, text.length)
            calldatacopy(first, calldatasize(), sub(copy, first))
            calldatacopy(copy, text.offset, text.length)
            mstore(end, 0) // nothing behind the text completes a sequence or fills eight bytes
            end := write(copy, end, first)
            count := shr(2, sub(end, first))
            mstore(0x40, and(add(end, 0x3f), not(0x1f)))
        }
    }
}
