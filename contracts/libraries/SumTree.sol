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

    /// @notice Root that a leaf at a position leads to. Every sibling must have as many words as the leaf.
    /// @dev `node` at every level, in one place of memory.
    function climb(bytes32 hash, uint256[] calldata sums, uint256 position, Sibling[] calldata path)
        internal
        pure
        returns (bytes32 rootHash, uint256[] memory total)
    {
        bytes32 tag = NODE;
        (rootHash, total) = (hash, sums);
        for (uint256 level = 0; level < path.length; level++) {
            Sibling calldata sibling = path[level];
            bytes32 besideHash = sibling.hash;
            uint256[] calldata beside = sibling.sums;
            assembly ("memory-safe") {
                let tagged := mload(0x40)
                let size := shl(5, mload(total))
                let side := mul(add(size, 0x20), and(shr(level, position), 1))
                let own := add(add(tagged, 0x20), side)
                let other := sub(add(tagged, add(size, 0x40)), side)
                mstore(tagged, tag)
                mstore(own, rootHash)
                mstore(other, besideHash)
                mcopy(add(own, 0x20), add(total, 0x20), size)
                calldatacopy(add(other, 0x20), beside.offset, size)
                rootHash := keccak256(tagged, add(shl(1, size), 0x60))
                for { let word := 0 } lt(word, size) { word := add(word, 0x20) } {
                    let at := add(add(total, 0x20), word)
                    mstore(at, add(mload(at), calldataload(add(beside.offset, word))))
                }
            }
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

    function _isZero(uint256[] calldata sums) private pure returns (bool) {
        for (uint256 word = 0; word < sums.length; word++) {
            if (sums[word] != 0) return false;
        }
        return true;
    }
}
