// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title NgramOverlap
/// @notice How many n-grams of orders 1 to 4 two sequences of tokens have in common, each counted as often as it occurs in both.
/// @dev Tokens are Keccak-256 hashes in memory, one word each, and both sequences run in the same direction. The clipped count is
/// symmetric: it does not matter which of the two is the response.
library NgramOverlap {
    /// @dev Longest sequence that one word of position bits can hold.
    uint256 private constant FEW = 256;

    /// @dev Longest sequence whose positions fit each of four lanes of a word, one for each order, below a bit that stops a carry.
    uint256 private constant PACKED = 63;

    /// @dev All positions in the lowest lane, and 1 in each.
    uint256 private constant LOWEST = 0x7fffffffffffffff;
    uint256 private constant EACH = 0x0000000000000001000000000000000100000000000000010000000000000001;

    /// @notice Matches of order n in lane n-1 of `lanes`, 28 bits each.
    /// @dev `seed` salts the hash tables and decides only how long they take. Both sequences are overwritten.
    function overlap(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 seed) internal pure returns (uint256 lanes) {
        uint256 salt;
        assembly ("memory-safe") {
            mstore(0, seed)
            salt := or(keccak256(0, 0x20), 1)
        }
        // The positions of the shorter one fit a word more often.
        if (aCount < bCount) return aCount > FEW ? _many(a, aCount, b, bCount, salt) : _few(a, aCount, b, bCount, salt);
        return bCount > FEW ? _many(b, bCount, a, aCount, salt) : _few(b, bCount, a, aCount, salt);
    }

    /// @dev Memory for a hash table with at least twice as many entries as can be needed, cleared; a power of two in bytes.
    function _table(uint256 needed, uint256 entryBytes) private pure returns (uint256 table, uint256 size) {
        assembly ("memory-safe") {
            // The next power of two: in twice as many, less 1, all bits below the highest are set.
            size := sub(shl(1, needed), gt(needed, 0))
            size := or(size, shr(1, size))
            size := or(size, shr(2, size))
            size := or(size, shr(4, size))
            size := or(size, shr(8, size))
            size := or(size, shr(16, size))
            size := mul(add(size, 1), entryBytes)
            table := mload(0x40)
            mstore(0x40, add(table, size))
            calldatacopy(table, calldatasize(), size)
        }
    }

    /// @dev Bit-parallel. The table leads from a token to the set of its positions in `a`, as bits of a word. For each token of `b`, the
    /// set of positions where a common n-gram ends is the previous set of order n-1, moved by one, within the token's own positions.
    /// An n-gram takes the lowest of its positions that no equal one has taken; equal n-grams have equal sets, so greed is exact.
    ///
    /// Each loop has a function of its own: with all variables in one, the compiler would spend more on moving them than on the work.
    function _few(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(aCount, 0x40);
        _enterPositions(a, a + 0x20 * aCount, salt, table, size - 0x40);
        if (aCount <= PACKED) return _packed(b, b + 0x20 * bCount, salt, table, size - 0x40);
        _findPositions(b, b + 0x20 * bCount, salt, table, size - 0x40);
        return _taken(b, bCount);
    }

    /// @dev Enters the positions of the tokens in `[a, end)`.
    function _enterPositions(uint256 a, uint256 end, uint256 salt, uint256 table, uint256 mask) private pure {
        assembly ("memory-safe") {
            let bit := 1
            for {} 1 { a := add(a, 0x20) } {
                if iszero(lt(a, end)) { break }
                let token := mload(a)
                let at := add(table, and(shr(128, mul(token, salt)), mask))
                let key := mload(at)
                if xor(key, token) {
                    for {} key {} {
                        at := add(table, and(add(sub(at, table), 0x40), mask))
                        key := mload(at)
                        if eq(key, token) { break }
                    }
                    mstore(at, token)
                }
                at := add(at, 0x20)
                mstore(at, or(mload(at), bit))
                bit := shl(1, bit)
            }
        }
    }

    /// @dev Matches the tokens in `[b, end)` with at most `PACKED` of `a`: the sets of all four orders in one word.
    function _packed(uint256 b, uint256 end, uint256 salt, uint256 table, uint256 mask) private pure returns (uint256 lanes) {
        uint256 taken;
        assembly ("memory-safe") {
            let sets := 0
            for {} 1 { b := add(b, 0x20) } {
                if iszero(lt(b, end)) { break }
                let token := mload(b)
                let at := add(table, and(shr(128, mul(token, salt)), mask))
                if xor(mload(at), token) {
                    for {} mload(at) {} {
                        at := add(table, and(add(sub(at, table), 0x40), mask))
                        if eq(mload(at), token) { break }
                    }
                    if iszero(mload(at)) {
                        sets := 0
                        continue
                    }
                }
                // Each lane moves by one position into that of the next order, within the positions of the token.
                sets := and(mul(mload(add(at, 0x20)), EACH), or(shl(65, sets), LOWEST))
                // Adding 1 carries through all that is taken or not in the set, into the lowest position that is free or out of the lane.
                taken := or(taken, and(sets, add(or(taken, xor(sets, mul(LOWEST, EACH))), EACH)))
            }
        }
        unchecked {
            // The highest byte of each lane becomes the sum of its eight.
            taken = _onesOfBytes(taken) * 0x0101010101010101;
            return (taken >> 56 & 0xff) | (taken >> 120 & 0xff) << 28 | (taken >> 184 & 0xff) << 56 | taken >> 248 << 84;
        }
    }

    /// @dev Replaces each token in `[b, end)` by its positions in `a`.
    function _findPositions(uint256 b, uint256 end, uint256 salt, uint256 table, uint256 mask) private pure {
        assembly ("memory-safe") {
            for {} 1 { b := add(b, 0x20) } {
                if iszero(lt(b, end)) { break }
                let token := mload(b)
                let at := add(table, and(shr(128, mul(token, salt)), mask))
                let key := mload(at)
                if xor(key, token) {
                    for {} key {} {
                        at := add(table, and(add(sub(at, table), 0x40), mask))
                        key := mload(at)
                        if eq(key, token) { break }
                    }
                }
                mstore(b, mload(add(at, 0x20)))
            }
        }
    }

    /// @dev Matches `count` tokens that have been replaced by their positions: the sets of each order in a word of its own.
    function _taken(uint256 sets, uint256 count) private pure returns (uint256 lanes) {
        uint256 taken1;
        uint256 taken2;
        uint256 taken3;
        uint256 taken4;
        assembly ("memory-safe") {
            function take(taken, set) -> more {
                // Adding 1 carries through all that is taken or not in the set, into the lowest position that is free.
                more := or(taken, and(set, add(or(taken, not(set)), 1)))
            }
            let set1 := 0
            let set2 := 0
            let set3 := 0
            for { let end := add(sets, shl(5, count)) } lt(sets, end) { sets := add(sets, 0x20) } {
                let set := mload(sets)
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

    /// @dev Linear in the number of tokens, order by order, with the counts of the n-grams of `a` in a table from which those of `b` are
    /// taken. The first order leaves in place of each token the address of its entry; up to four of these addresses are the key of an
    /// n-gram. An entry is the key with a count in the high 24 bits; the key of a token is the low 232 bits of its hash.
    function _many(uint256 a, uint256 aCount, uint256 b, uint256 bCount, uint256 salt) private pure returns (uint256 lanes) {
        (uint256 table, uint256 size) = _table(aCount, 0x20);
        _enterTokens(a, a + 0x20 * aCount, salt, table, size - 0x20);
        lanes = _matchTokens(b, b + 0x20 * bCount, salt, table, size - 0x20);
        for (uint256 order = 2; order <= 4; ++order) {
            assembly ("memory-safe") {
                calldatacopy(table, calldatasize(), size)
            }
            _enter(a, aCount, order, salt, table, size - 0x20);
            lanes |= _match(b, bCount, order, salt, table, size - 0x20) << (28 * (order - 1));
        }
    }

    /// @dev Counts the tokens in `[a, end)` and replaces them by the addresses of their entries.
    function _enterTokens(uint256 a, uint256 end, uint256 salt, uint256 table, uint256 mask) private pure {
        assembly ("memory-safe") {
            function run(token, past, salt_, table_, mask_) {
                for {} 1 { token := add(token, 0x20) } {
                    if iszero(lt(token, past)) { leave }
                    let key := and(mload(token), shr(24, not(0)))
                    let at := add(table_, and(shr(128, mul(key, salt_)), mask_))
                    let entry := mload(at)
                    for {} shl(24, xor(entry, key)) { entry := mload(at) } {
                        if iszero(entry) { break }
                        at := add(table_, and(add(sub(at, table_), 0x20), mask_))
                    }
                    mstore(at, add(or(entry, key), shl(232, 1)))
                    mstore(token, at)
                }
            }
            run(a, end, salt, table, mask)
        }
    }

    /// @dev Takes the tokens in `[b, end)` off the counts, replaces them by the addresses of their entries, and returns how many matched.
    function _matchTokens(uint256 b, uint256 end, uint256 salt, uint256 table, uint256 mask)
        private
        pure
        returns (uint256 matches)
    {
        assembly ("memory-safe") {
            function run(token, past, salt_, table_, mask_) -> count {
                for {} 1 { token := add(token, 0x20) } {
                    if iszero(lt(token, past)) { leave }
                    let key := and(mload(token), shr(24, not(0)))
                    let at := add(table_, and(shr(128, mul(key, salt_)), mask_))
                    let entry := mload(at)
                    for {} shl(24, xor(entry, key)) { entry := mload(at) } {
                        if iszero(entry) { break }
                        at := add(table_, and(add(sub(at, table_), 0x20), mask_))
                    }
                    // A count of zero is no match: the token occurs, only too seldom.
                    let more := gt(entry, shr(24, not(0)))
                    // A token that `a` does not have gets the address of an empty entry, which is no token's of `a`.
                    mstore(token, at)
                    mstore(at, sub(entry, shl(232, more)))
                    count := add(count, more)
                }
            }
            matches := run(b, end, salt, table, mask)
        }
    }

    /// @dev Counts the n-grams of an order from 2 to 4 in `count` addresses at `a`.
    function _enter(uint256 a, uint256 count, uint256 order, uint256 salt, uint256 table, uint256 mask) private pure {
        (uint256 ngram, uint256 from, uint256 end, uint256 bits) = _window(a, count, order);
        assembly ("memory-safe") {
            function run(key, from_, past, bits_, salt_, table_, mask_) {
                for {} 1 { from_ := add(from_, 0x20) } {
                    if iszero(lt(from_, past)) { leave }
                    key := and(or(shl(32, key), mload(from_)), bits_)
                    let at := add(table_, and(shr(128, mul(key, salt_)), mask_))
                    let entry := mload(at)
                    for {} shl(24, xor(entry, key)) { entry := mload(at) } {
                        if iszero(entry) { break }
                        at := add(table_, and(add(sub(at, table_), 0x20), mask_))
                    }
                    mstore(at, add(or(entry, key), shl(232, 1)))
                }
            }
            run(ngram, from, end, bits, salt, table, mask)
        }
    }

    /// @dev Takes the n-grams of an order from 2 to 4 in `count` addresses at `b` off the counts, and returns how many matched. Where `a`
    /// has no such n-gram it has no longer one that ends there either, and the address is marked, in its highest bit, to say so.
    function _match(uint256 b, uint256 count, uint256 order, uint256 salt, uint256 table, uint256 mask)
        private
        pure
        returns (uint256 matches)
    {
        (uint256 ngram, uint256 from, uint256 end, uint256 bits) = _window(b, count, order);
        assembly ("memory-safe") {
            function run(key, from_, past, bits_, salt_, table_, mask_) -> sum {
                for {} 1 { from_ := add(from_, 0x20) } {
                    if iszero(lt(from_, past)) { leave }
                    key := and(or(shl(32, key), mload(from_)), bits_)
                    if slt(mload(from_), 0) { continue }
                    let at := add(table_, and(shr(128, mul(key, salt_)), mask_))
                    let entry := mload(at)
                    for {} shl(24, xor(entry, key)) { entry := mload(at) } {
                        if iszero(entry) {
                            mstore(from_, or(mload(from_), shl(255, 1)))
                            break
                        }
                        at := add(table_, and(add(sub(at, table_), 0x20), mask_))
                    }
                    let more := gt(entry, shr(24, not(0)))
                    mstore(at, sub(entry, shl(232, more)))
                    sum := add(sum, more)
                }
            }
            matches := run(ngram, from, end, bits, salt, table, mask)
        }
    }

    /// @dev The first `order - 1` addresses side by side, where the next one is, where the last one ends, and the bits of an n-gram.
    function _window(uint256 first, uint256 count, uint256 order)
        private
        pure
        returns (uint256 ngram, uint256 from, uint256 end, uint256 bits)
    {
        assembly ("memory-safe") {
            from := first
            for { let last := add(first, shl(5, sub(order, 1))) } lt(from, last) { from := add(from, 0x20) } {
                ngram := or(shl(32, ngram), and(mload(from), 0xffffffff))
            }
            end := add(first, shl(5, count))
            bits := sub(shl(shl(5, order), 1), 1)
        }
    }

    /// @dev Number of one bits.
    function _ones(uint256 x) private pure returns (uint256) {
        unchecked {
            x = _onesOfBytes(x);
            // Fields of 16 bits: all 256 would not fit one of 8.
            x = (x + (x >> 8)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
            return (x * 0x0001000100010001000100010001000100010001000100010001000100010001) >> 240;
        }
    }

    /// @dev In each byte the number of its one bits.
    function _onesOfBytes(uint256 x) private pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & 0x5555555555555555555555555555555555555555555555555555555555555555;
            x = (x & 0x3333333333333333333333333333333333333333333333333333333333333333)
                + ((x >> 2) & 0x3333333333333333333333333333333333333333333333333333333333333333);
            return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
        }
    }
}
