// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title NgramOverlap
/// @notice How many n-grams of orders 1 to 4 two sequences of tokens have in common, each counted as often as it occurs in both.
/// @dev Tokens are Keccak-256 hashes in memory, one word each, and both sequences run in the same direction. The clipped count is
/// symmetric: it does not matter which of the two is the response.
library NgramOverlap {
    /// @dev Longest sequence that one word of position bits can hold.
    uint256 private constant FEW = 256;

    /// @dev Width of the count in an entry of the table of `_many`, and of each half of a pair.
    uint256 private constant COUNT_BITS = 24;

    /// @notice Matches of order n in lane n-1 of `lanes`, 28 bits each.
    /// @dev `seed` salts the hash tables. It decides only how long they take; the memory of both sequences may be overwritten.
    function overlap(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 seed) internal pure returns (uint256 lanes) {
        if (aCount > bCount) (a, aCount, b, bCount) = (b, bCount, a, aCount);
        uint256 salt;
        assembly ("memory-safe") {
            mstore(0, seed)
            salt := or(keccak256(0, 0x20), 1)
        }
        return aCount > FEW ? _many(a, aCount, b, bCount, salt) : _few(a, aCount, b, bCount, salt);
    }

    /// @dev Memory for a hash table with at least twice as many entries as can be needed, cleared.
    function _table(uint256 needed, uint256 entryBytes) private pure returns (uint256 table, uint256 bytesOfTable) {
        bytesOfTable = 4 * entryBytes;
        while (bytesOfTable < 2 * needed * entryBytes) bytesOfTable *= 2;
        assembly ("memory-safe") {
            table := mload(0x40)
            mstore(0x40, add(table, bytesOfTable))
            calldatacopy(table, calldatasize(), bytesOfTable)
        }
    }

    /// @dev Bit-parallel. The table leads from a token to the set of its positions in `a`, as bits of a word. For each token of `b`, the
    /// set of positions where a common n-gram ends is the previous set of order n-1, moved by one, within the token's own positions.
    /// An n-gram takes the lowest of its positions that no equal one has taken; equal n-grams have equal sets, so greed is exact.
    function _few(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(aCount, 0x40);
        assembly ("memory-safe") {
            let mask := sub(size, 0x40)
            let bit := 1
            for { let end := add(a, shl(5, aCount)) } lt(a, end) { a := add(a, 0x20) } {
                let token := mload(a)
                let at := add(table, and(shr(128, mul(token, salt)), mask))
                for {} 1 { at := add(table, and(add(sub(at, table), 0x40), mask)) } {
                    let key := mload(at)
                    if eq(key, token) { break }
                    if iszero(key) {
                        mstore(at, token)
                        break
                    }
                }
                at := add(at, 0x20)
                mstore(at, or(mload(at), bit))
                bit := shl(1, bit)
            }
        }
        uint256 taken1;
        uint256 taken2;
        uint256 taken3;
        uint256 taken4;
        assembly ("memory-safe") {
            function take(taken, set) -> more {
                let free := and(set, not(taken))
                more := or(taken, and(free, sub(0, free)))
            }
            let mask := sub(size, 0x40)
            let set1 := 0
            let set2 := 0
            let set3 := 0
            for { let end := add(b, shl(5, bCount)) } lt(b, end) { b := add(b, 0x20) } {
                let token := mload(b)
                let at := add(table, and(shr(128, mul(token, salt)), mask))
                let set := 0
                for {} 1 { at := add(table, and(add(sub(at, table), 0x40), mask)) } {
                    let key := mload(at)
                    if eq(key, token) {
                        set := mload(add(at, 0x20))
                        break
                    }
                    if iszero(key) { break }
                }
                let set4 := and(shl(1, set3), set)
                set3 := and(shl(1, set2), set)
                set2 := and(shl(1, set1), set)
                set1 := set
                taken1 := take(taken1, set1)
                taken2 := take(taken2, set2)
                taken3 := take(taken3, set3)
                taken4 := take(taken4, set4)
            }
        }
        return _ones(taken1) | _ones(taken2) << 28 | _ones(taken3) << 56 | _ones(taken4) << 84;
    }

    /// @dev Linear in the number of tokens. Order by order, each position of both sequences gets the class of the n-gram that starts
    /// there: the address of its entry in a table, 0 if `a` has no such n-gram. A class of order n is looked up by the pair of classes
    /// of order n-1 that it covers. Entries of tokens are the hash with the count in its low bits, so equality means 232 equal bits.
    function _many(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(aCount, 0x20);
        for (uint256 order = 0; order < 4; ++order) {
            if (order > 0) {
                _pair(a, --aCount);
                _pair(b, --bCount);
                assembly ("memory-safe") {
                    calldatacopy(table, calldatasize(), size)
                }
            }
            lanes |= _classify(a, aCount, b, bCount, salt, table, size) << (28 * order);
        }
    }

    /// @dev Replaces each of `count` classes by the key of its pair with the next one; 0 if one of them is 0.
    function _pair(uint256 a, uint256 count) private pure {
        assembly ("memory-safe") {
            let left := mload(a)
            for { let end := add(a, shl(5, count)) } lt(a, end) {} {
                let right := mload(add(a, 0x20))
                mstore(a, mul(shl(COUNT_BITS, or(shl(32, left), right)), and(iszero(iszero(left)), iszero(iszero(right)))))
                left := right
                a := add(a, 0x20)
            }
        }
    }

    /// @dev Replaces keys by classes in both sequences, and counts the matches.
    function _classify(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt, uint256 table, uint256 size)
        private
        pure
        returns (uint256 matches)
    {
        assembly ("memory-safe") {
            let mask := sub(size, 0x20)
            for { let end := add(a, shl(5, aCount)) } lt(a, end) { a := add(a, 0x20) } {
                let key := shr(COUNT_BITS, mload(a))
                let at := add(table, and(shr(128, mul(key, salt)), mask))
                let entry
                for {} 1 { at := add(table, and(add(sub(at, table), 0x20), mask)) } {
                    entry := mload(at)
                    if eq(shr(COUNT_BITS, entry), key) { break }
                    if iszero(entry) {
                        entry := shl(COUNT_BITS, key)
                        break
                    }
                }
                mstore(at, add(entry, 1))
                mstore(a, at)
            }
            for { let end := add(b, shl(5, bCount)) } lt(b, end) { b := add(b, 0x20) } {
                let key := shr(COUNT_BITS, mload(b))
                let class := 0
                if key {
                    let at := add(table, and(shr(128, mul(key, salt)), mask))
                    for {} 1 { at := add(table, and(add(sub(at, table), 0x20), mask)) } {
                        let entry := mload(at)
                        if eq(shr(COUNT_BITS, entry), key) {
                            class := at
                            // A count of zero left over still names the class: the n-gram occurs, only too seldom.
                            if and(entry, 0xffffff) {
                                mstore(at, sub(entry, 1))
                                matches := add(matches, 1)
                            }
                            break
                        }
                        if iszero(entry) { break }
                    }
                }
                mstore(b, class)
            }
        }
    }

    /// @dev Number of one bits.
    function _ones(uint256 x) private pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & 0x5555555555555555555555555555555555555555555555555555555555555555;
            x = (x & 0x3333333333333333333333333333333333333333333333333333333333333333)
                + ((x >> 2) & 0x3333333333333333333333333333333333333333333333333333333333333333);
            x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
            return x == 0x0808080808080808080808080808080808080808080808080808080808080808
                ? 256
                : (x * 0x0101010101010101010101010101010101010101010101010101010101010101) >> 248;
        }
    }
}
