// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title CharacterOverlap
/// @notice How many n-grams of orders 1 to 6 two sequences of characters have in common, each counted as often as it occurs in both.
/// @dev Sequences as `Characters.characters` leaves them: four bytes each, never zero. The clipped count is symmetric: it does not matter which of
/// the two is the response.
library CharacterOverlap {
    uint256 internal constant ORDERS = 6;

    /// @notice Matches of order n in lane 3n-1 of 28 bits, counted from 0 over two words of nine lanes.
    /// @dev `seed` salts the hash tables, and decides only how long they take.
    function overlap(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 seed)
        internal
        pure
        returns (uint256[6] memory matches)
    {
        uint256 salt;
        assembly ("memory-safe") {
            mstore(0, seed)
            salt := or(keccak256(0, 0x20), 1)
        }
        if (bCount < aCount) (a, aCount, b, bCount) = (b, bCount, a, aCount);
        (uint256 table, uint256 size) = _table(aCount, 0x20);
        for (uint256 order = 1; order <= ORDERS && order <= aCount; ++order) {
            uint256 shift = 256 - 32 * order;
            _enter(a, a + 4 * (aCount + 1 - order), shift, salt, table, size - 0x20);
            matches[order - 1] = _match(b, b + 4 * (bCount + 1 - order), shift, salt, table, size - 0x20);
            assembly ("memory-safe") {
                calldatacopy(table, calldatasize(), size)
            }
        }
    }

    /// @dev Memory for a hash table with at least twice as many entries as can be needed, cleared; a power of two in bytes.
    function _table(uint256 needed, uint256 entryBytes) private pure returns (uint256 table, uint256 size) {
        assembly ("memory-safe") {
            size := shl(2, entryBytes)
            for { let least := shl(1, mul(needed, entryBytes)) } lt(size, least) {} { size := shl(1, size) }
            table := mload(0x40)
            mstore(0x40, add(table, size))
            calldatacopy(table, calldatasize(), size)
        }
    }

    function _enter(uint256 a, uint256 end, uint256 shift, uint256 salt, uint256 table, uint256 mask) private pure {
        assembly ("memory-safe") {
            for {} lt(a, end) { a := add(a, 4) } {
                let key := shr(shift, mload(a))
                let at := add(table, and(shr(232, mul(key, salt)), mask))
                let entry := mload(at)
                for {} shl(64, xor(entry, key)) { entry := mload(at) } {
                    if iszero(entry) {
                        entry := key
                        break
                    }
                    at := add(table, and(add(sub(at, table), 0x20), mask))
                }
                mstore(at, add(entry, shl(192, 1)))
            }
        }
    }

    function _match(uint256 b, uint256 end, uint256 shift, uint256 salt, uint256 table, uint256 mask)
        private
        pure
        returns (uint256 matches)
    {
        assembly ("memory-safe") {
            for {} lt(b, end) { b := add(b, 4) } {
                let key := shr(shift, mload(b))
                let at := add(table, and(shr(232, mul(key, salt)), mask))
                let entry := mload(at)
                for {} shl(64, xor(entry, key)) { entry := mload(at) } {
                    if iszero(entry) { break }
                    at := add(table, and(add(sub(at, table), 0x20), mask))
                }
                if shr(192, entry) {
                    matches := add(matches, 1)
                    mstore(at, sub(entry, shl(192, 1)))
                }
            }
        }
    }
}
