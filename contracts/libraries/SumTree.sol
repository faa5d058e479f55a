// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Sibling} from "../interfaces/IJudge.sol";

/// @title SumTree
/// @notice The Merkle-sum tree over a version's scored items. A node is a hash and its words of sums.
/// @dev Sums add modulo 2^256. Mirrored in Python; the two are tied by shared vectors.
library SumTree {
    bytes32 internal constant SCORE_LEAF = keccak256("assay.SCORE_LEAF");
    bytes32 internal constant NODE = keccak256("assay.NODE");

    /// @notice Hash of a leaf; its texts come as hashes.
    function leaf(uint32 position, uint8 outcome, bytes32 responseHash, bytes32 signatureHash, bytes32 evidenceHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SCORE_LEAF, position, outcome, responseHash, signatureHash, evidenceHash));
    }

    /// @notice Hash of a parent, which binds the sums of both children.
    function node(bytes32 leftHash, uint256[] memory leftSums, bytes32 rightHash, uint256[] memory rightSums)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(NODE, leftHash, leftSums, rightHash, rightSums));
    }

    /// @notice Commitment to the root that a leaf at a position leads to. Every sibling must have as many words as the leaf.
    /// @dev Between `_begin` and `_end` nothing may be put into memory.
    function climb(bytes32 hash, uint256[] calldata sums, uint256 position, Sibling[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        (uint256 left, uint256 size) = _begin(hash, sums, position);
        for (uint256 level = 0; level < path.length; level++) {
            Sibling calldata sibling = path[level];
            bytes32 besideHash = sibling.hash;
            uint256[] calldata beside = sibling.sums;
            uint256 besideSums;
            assembly ("memory-safe") {
                besideSums := beside.offset
            }
            position = _rise(left, size, position, besideHash, besideSums);
        }
        return _end(left, size, position);
    }

    /// @notice The same where `path` holds, level by level, a sibling's hash and then its words of sums: as many as the leaf's.
    /// @dev Free memory becomes the preimage of a parent: the tag, and at `left` two nodes of `size` bytes, hash and sums, side by side. The
    /// node stands on the side that the lowest bit of its position says, its sibling is put beside it, and their parent in place of one of
    /// them: a word of sums is read from both before it is written over one.
    function climbPacked(bytes32 hash, uint256[] calldata sums, uint256 position, uint256[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        bytes32 tag = NODE;
        assembly ("memory-safe") {
            let tagged := mload(0x40)
            let left := add(tagged, 0x20)
            let size := add(shl(5, sums.length), 0x20)
            let both := add(shl(1, size), 0x20)
            let own := add(left, mul(size, and(position, 1)))
            mstore(tagged, tag)
            mstore(own, hash)
            calldatacopy(add(own, 0x20), sums.offset, sub(size, 0x20))

            let at := path.offset
            for { let past := add(at, shl(5, path.length)) } lt(at, past) { at := add(at, size) } {
                calldatacopy(sub(add(left, size), mul(size, and(position, 1))), at, size)
                position := shr(1, position)
                own := add(left, mul(size, and(position, 1)))
                mstore(own, keccak256(tagged, both))
                // Every metric has a word at least, and most have one: its sum and that of the counts stand before the loop.
                mstore(add(own, 0x20), add(mload(add(left, 0x20)), mload(add(add(left, 0x20), size))))
                mstore(add(own, 0x40), add(mload(add(left, 0x40)), mload(add(add(left, 0x40), size))))
                for { let word := 0x60 } lt(word, size) { word := add(word, 0x20) } {
                    mstore(add(own, word), add(mload(add(left, word)), mload(add(add(left, word), size))))
                }
            }
            root := keccak256(add(left, mul(size, and(position, 1))), size)
        }
    }

    /// @notice Whether every sibling that covers only positions from n on has zero sums. Its hash is not looked at.
    function paddingIsEmpty(uint256 n, uint256 position, Sibling[] calldata path) internal pure returns (bool) {
        for (uint256 level = 0; level < path.length; level++) {
            uint256 first = ((position >> level) ^ 1) << level;
            if (first >= n && !_isZero(path[level].sums)) return false;
        }
        return true;
    }

    /// @notice What the chain keeps of an attested root.
    function commitment(bytes32 rootHash, uint256[] memory sums) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(rootHash, sums));
    }

    /// @dev Free memory becomes the preimage of a parent: the tag, and at `left` two nodes of `size` bytes, hash and sums, side by side. The
    /// node to begin with stands on the side that the lowest bit of its position says, its sibling not yet.
    function _begin(bytes32 hash, uint256[] calldata sums, uint256 position) private pure returns (uint256 left, uint256 size) {
        bytes32 tag = NODE;
        assembly ("memory-safe") {
            left := mload(0x40)
            mstore(left, tag)
            left := add(left, 0x20)
            size := add(shl(5, sums.length), 0x20)
            let own := add(left, mul(size, and(position, 1)))
            mstore(own, hash)
            calldatacopy(add(own, 0x20), sums.offset, sub(size, 0x20))
        }
    }

    /// @dev Puts the sibling, a hash and sums in the calldata, beside the node, and in place of one of them their parent: its position is
    /// returned and says which. A word of sums is read from both before it is written over one.
    function _rise(uint256 left, uint256 size, uint256 position, bytes32 besideHash, uint256 besideSums)
        private
        pure
        returns (uint256 above)
    {
        assembly ("memory-safe") {
            let right := add(left, size)
            let beside := sub(right, mul(size, and(position, 1)))
            mstore(beside, besideHash)
            calldatacopy(add(beside, 0x20), besideSums, sub(size, 0x20))
            let hash := keccak256(sub(left, 0x20), add(shl(1, size), 0x20))
            above := shr(1, position)
            let parent := add(left, mul(size, and(above, 1)))
            mstore(parent, hash)
            for { let word := 0x20 } lt(word, size) { word := add(word, 0x20) } {
                mstore(add(parent, word), add(mload(add(left, word)), mload(add(right, word))))
            }
        }
    }

    function _end(uint256 left, uint256 size, uint256 position) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(left, mul(size, and(position, 1))), size)
        }
    }

    function _isZero(uint256[] calldata sums) private pure returns (bool) {
        for (uint256 word = 0; word < sums.length; word++) {
            if (sums[word] != 0) return false;
        }
        return true;
    }
}
