// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title CharacterOverlap
/// @notice How many n-grams of orders 1 to 6 two sequences of characters have in common, each counted as often as it occurs in both.
/// @dev Sequences as `Characters.characters` leaves them: four bytes each, never zero. The clipped count is symmetric: it does not matter
/// which of the two is the response.
///
/// A table is searched from high bits of the square of key times salt onwards. Without the square, the keys of a regular text (letters in
/// turn, all pairs of letters) would now and then stand in one heap.
///
/// Functions inside the assembly that hold a `leave` are not inlined: with all variables of several loops in one function, the compiler
/// would spend more on moving them than on the work.
library CharacterOverlap {
    /// @dev Longest sequence that one word of position bits can hold.
    uint256 private constant FEW = 256;

    /// @notice Matches of order n in lane n-1 of `lanes`, 28 bits each.
    /// @dev `seed` salts the hash tables, and decides only how long they take.
    function overlap(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 seed) internal pure returns (uint256 lanes) {
        uint256 salt;
        assembly ("memory-safe") {
            mstore(0, seed)
            salt := or(keccak256(0, 0x20), 1)
        }
        // The positions of the shorter one fit a word more often, and its n-grams a smaller table.
        if (bCount < aCount) (a, aCount, b, bCount) = (b, bCount, a, aCount);
        if (aCount == 0) return 0;
        return aCount > FEW ? _many(a, aCount, b, bCount, salt) : _few(a, aCount, b, bCount, salt);
    }

    /// @dev Memory for a hash table of at least so many entries, cleared; a power of two in bytes.
    function _table(uint256 entries, uint256 entryBytes) private pure returns (uint256 table, uint256 size) {
        assembly ("memory-safe") {
            size := entryBytes
            for { let least := mul(entries, entryBytes) } lt(size, least) {} { size := shl(1, size) }
            table := mload(0x40)
            mstore(0x40, add(table, size))
            calldatacopy(table, calldatasize(), size)
        }
    }

    /// @dev Bit-parallel. The table leads from a character to the set of its positions in `a`, as bits of a word. For each character of
    /// `b`, the set of positions where a common n-gram ends is the previous set of order n-1, moved by one, within the set of order n-1.
    /// An n-gram takes the lowest of its positions that no equal one has taken; equal n-grams have equal sets, so greed is exact.
    function _few(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(2 * aCount, 0x40);
        uint256 sets;
        assembly ("memory-safe") {
            function enter(at, end, hash, entries, mask) {
                let bit := 1
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) { at := add(at, 4) } {
                    let char := shr(224, mload(at))
                    let entry := mul(char, hash)
                    entry := add(entries, and(shr(232, mul(entry, entry)), mask))
                    for { let key := mload(entry) } xor(key, char) { key := mload(entry) } {
                        if iszero(key) {
                            mstore(entry, char)
                            break
                        }
                        entry := add(entries, and(add(sub(entry, entries), 0x40), mask))
                    }
                    entry := add(entry, 0x20)
                    mstore(entry, or(mload(entry), bit))
                    bit := shl(1, bit)
                }
            }
            function find(at, end, hash, entries, mask, out) {
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) { at := add(at, 4) } {
                    let char := shr(224, mload(at))
                    let entry := mul(char, hash)
                    entry := add(entries, and(shr(232, mul(entry, entry)), mask))
                    for { let key := mload(entry) } xor(key, char) { key := mload(entry) } {
                        if iszero(key) { break }
                        entry := add(entries, and(add(sub(entry, entries), 0x40), mask))
                    }
                    mstore(out, mload(add(entry, 0x20)))
                    out := add(out, 0x20)
                }
            }
            enter(a, add(a, shl(2, aCount)), salt, table, sub(size, 0x40))
            sets := mload(0x40)
            mstore(0x40, add(sets, shl(5, bCount)))
            find(b, add(b, shl(2, bCount)), salt, table, sub(size, 0x40), sets)
        }
        return _take(sets, bCount) | _take(sets, bCount) << 84;
    }

    /// @dev Matches of three orders: that of the sets, and the next two. Replaces the sets by those of the third next order.
    function _take(uint256 sets, uint256 count) private pure returns (uint256 lanes) {
        uint256 free1;
        uint256 free2;
        uint256 free3;
        assembly ("memory-safe") {
            function take(at, end) -> left1, left2, left3 {
                left1 := not(0)
                left2 := left1
                left3 := left1
                let last1 := 0
                let last2 := 0
                let last3 := 0
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) { at := add(at, 0x20) } {
                    let set := mload(at)
                    let free := and(set, left1)
                    left1 := xor(left1, and(free, sub(0, free)))

                    let next := and(shl(1, last1), set)
                    last1 := set
                    free := and(next, left2)
                    left2 := xor(left2, and(free, sub(0, free)))

                    set := and(shl(1, last2), next)
                    last2 := next
                    free := and(set, left3)
                    left3 := xor(left3, and(free, sub(0, free)))

                    mstore(at, and(shl(1, last3), set))
                    last3 := set
                }
            }
            free1, free2, free3 := take(sets, add(sets, shl(5, count)))
        }
        return _ones(~free1) | _ones(~free2) << 28 | _ones(~free3) << 56;
    }

    /// @dev Linear in the number of characters. Order by order, a table counts the n-grams of `a`, and those of `b` are taken off the
    /// counts. An entry is the n-gram, 192 bits at the most, with its count above it. Three quarters of the table stay empty: the memory
    /// costs less than longer searches would.
    function _many(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(4 * aCount, 0x20);
        assembly ("memory-safe") {
            function enter(at, end, shift, hash, entries, mask) {
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) { at := add(at, 4) } {
                    let key := shr(shift, mload(at))
                    let slot := mul(key, hash)
                    slot := add(entries, and(shr(232, mul(slot, slot)), mask))
                    let entry := mload(slot)
                    for {} shl(64, xor(entry, key)) { entry := mload(slot) } {
                        if iszero(entry) {
                            entry := key
                            break
                        }
                        slot := add(entries, and(add(sub(slot, entries), 0x20), mask))
                    }
                    mstore(slot, add(entry, shl(192, 1)))
                }
            }
            function match(at, end, shift, hash, entries, mask) -> matches {
                if iszero(lt(at, end)) { leave }
                for {} lt(at, end) { at := add(at, 4) } {
                    let key := shr(shift, mload(at))
                    let slot := mul(key, hash)
                    slot := add(entries, and(shr(232, mul(slot, slot)), mask))
                    let entry := mload(slot)
                    for {} shl(64, xor(entry, key)) { entry := mload(slot) } {
                        if iszero(entry) { break }
                        slot := add(entries, and(add(sub(slot, entries), 0x20), mask))
                    }
                    if shr(192, entry) {
                        matches := add(matches, 1)
                        mstore(slot, sub(entry, shl(192, 1)))
                    }
                }
            }
            for { let order := 0 } lt(order, 6) { order := add(order, 1) } {
                let shift := sub(224, shl(5, order))
                let unended := shl(2, order) // bytes at the end where no n-gram of the order begins
                enter(a, sub(add(a, shl(2, aCount)), unended), shift, salt, table, sub(size, 0x20))
                let matches := match(b, sub(add(b, shl(2, bCount)), unended), shift, salt, table, sub(size, 0x20))
                lanes := or(lanes, shl(mul(28, order), matches))
                calldatacopy(table, calldatasize(), size)
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
