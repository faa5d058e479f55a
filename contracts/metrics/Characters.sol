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
    /// @dev The same small number in each of the 8 highest bytes of a word.
    uint256 private constant EACH = 0x0101010101010101 << 192;

    /// @dev Tab to carriage return, the four information separators, and space, as bits.
    uint256 private constant SEPARATORS = 0x1f0003e00;

    /// @dev U+2000 to U+200A, U+2028, U+2029 and U+202F, by their last byte less 0x80, as bits.
    uint256 private constant GENERAL_SPACES = 0x8300000007ff;

    /// @notice The characters of `text`, first one first.
    /// @return first Address in memory of the first of them.
    /// @return count How many there are.
    function characters(bytes calldata text) internal pure returns (uint256 first, uint256 count) {
        assembly ("memory-safe") {
            // Width of the valid sequence that the word begins with, its lead byte being c, above ASCII; or 1.
            function widthOf(word, c) -> width {
                width := 1
                if lt(c, 0xe0) {
                    // C2..DF 80..BF
                    if gt(c, 0xc1) { width := add(1, eq(and(word, shl(240, 0xc0)), shl(240, 0x80))) }
                    leave
                }
                let next := byte(1, word)
                if lt(c, 0xf0) {
                    // E0 A0..BF, ED 80..9F, otherwise 80..BF; then 80..BF
                    if eq(and(word, shl(232, 0xc0c0)), shl(232, 0x8080)) {
                        if eq(c, 0xe0) { if lt(next, 0xa0) { leave } }
                        if eq(c, 0xed) { if gt(next, 0x9f) { leave } }
                        width := 3
                    }
                    leave
                }
                // F0 90..BF, F4 80..8F, F1..F3 80..BF; then 80..BF twice
                if gt(c, 0xf4) { leave }
                if eq(and(word, shl(224, 0xc0c0c0)), shl(224, 0x808080)) {
                    if eq(c, 0xf0) { if lt(next, 0x90) { leave } }
                    if eq(c, 0xf4) { if gt(next, 0x8f) { leave } }
                    width := 4
                }
            }
            // Whether a character above ASCII is whitespace, by its four bytes.
            function isWide(char) -> yes {
                switch shr(16, char)
                case 0xc285 { yes := 1 }
                case 0xc2a0 { yes := 1 }
                case 0xe19a { yes := eq(char, 0xe19a8000) }
                case 0xe280 { yes := and(shr(sub(and(shr(8, char), 0xff), 0x80), GENERAL_SPACES), 1) }
                case 0xe281 { yes := eq(char, 0xe2819f00) }
                case 0xe380 { yes := eq(char, 0xe3808000) }
            }

            first := mload(0x40)
            let at := add(add(first, 0x20), shl(2, text.length))
            let end := add(at, text.length)
            calldatacopy(first, calldatasize(), sub(at, first))
            calldatacopy(at, text.offset, text.length)
            mstore(end, 0)

            let out := first
            for {} lt(at, end) {} {
                let word := mload(at)
                let c := byte(0, word)
                if gt(c, 0x7f) {
                    let width := widthOf(word, c)
                    at := add(at, width)
                    let char := shl(sub(32, shl(3, width)), shr(sub(256, shl(3, width)), word))
                    if isWide(char) { continue }
                    mstore(out, shl(224, char))
                    out := add(out, 4)
                    continue
                }
                at := add(at, 1)
                if lt(c, 0x21) {
                    if and(shr(c, SEPARATORS), 1) { continue }
                    if iszero(c) {
                        mstore(out, shl(240, 0xc080))
                        out := add(out, 4)
                        continue
                    }
                }
                mstore(out, shl(248, c))
                out := add(out, 4)
            }

            count := shr(2, sub(out, first))
            mstore(0x40, and(add(out, 0x3f), not(0x1f)))
        }
    }
}
