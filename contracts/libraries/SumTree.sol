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
    function climb(bytes32 hash, uint256[] memory sums, uint256 position, Sibling[] calldata path)
        internal
        pure
        returns (bytes32, uint256[] memory total)
    {
        total = new uint256[](sums.length);
        _add(total, sums);
        for (uint256 level = 0; level < path.length; level++) {
            uint256[] memory beside = path[level].sums;
            hash = (position >> level) & 1 == 0
                ? node(hash, total, path[level].hash, beside)
                : node(path[level].hash, beside, hash, total);
            _add(total, beside);
        }
        return (hash, total);
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

    function _add(uint256[] memory total, uint256[] memory sums) private pure {
        for (uint256 word = 0; word < total.length; word++) {
            unchecked {
                total[word] += sums[word];
            }
        }
    }

    function _isZero(uint256[] calldata sums) private pure returns (bool) {
        for (uint256 word = 0; word < sums.length; word++) {
            if (sums[word] != 0) return false;
        }
        return true;
    }
}
