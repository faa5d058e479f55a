// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ModelId, VersionId} from "../interfaces/IModelRegistry.sol";
import {RoundId} from "../interfaces/IRounds.sol";
import {TaskId, TaskParams} from "../interfaces/ITaskRegistry.sol";

/// @notice What a set leaf commits to, its texts as hashes.
struct SealedItem {
    uint32 position;
    uint8 kind;
    bytes32 promptHash;
    bytes32 referenceHash;
    bytes32 salt;
}

/// @title Seals
/// @notice Ids of tasks, models, versions and rounds, and the Merkle tree over a sealed set.
/// @dev Chain id is always the live one. Mirrored in Python; the two are tied by shared vectors.
library Seals {
    bytes32 internal constant SET_LEAF = keccak256("assay.SET_LEAF");
    bytes32 internal constant SET_NODE = keccak256("assay.SET_NODE");

    /// @notice Id of a task.
    function taskId(TaskParams memory params) internal pure returns (TaskId) {
        return TaskId.wrap(keccak256(abi.encode(params)));
    }

    /// @notice Id of a model.
    function modelId(address owner, bytes32 nameHash) internal pure returns (ModelId) {
        return ModelId.wrap(keccak256(abi.encode(owner, nameHash)));
    }

    /// @notice Id of a version.
    function versionId(ModelId model, uint32 number, bytes32 commitment, address operator) internal pure returns (VersionId) {
        return VersionId.wrap(keccak256(abi.encode(model, number, commitment, operator)));
    }

    /// @notice Id of a round that `operator` seals in the contract `rounds`.
    /// @dev keccak256(abi.encode(block.chainid, rounds, benchmarker, task, setRoot, items, operator)).
    function roundId(address rounds, address benchmarker, TaskId task, bytes32 setRoot, uint32 items, address operator)
        internal
        view
        returns (RoundId)
    {
        bytes32 hash;
        assembly ("memory-safe") {
            let encoded := mload(0x40)
            mstore(encoded, chainid())
            mstore(add(encoded, 0x20), shr(96, shl(96, rounds)))
            mstore(add(encoded, 0x40), shr(96, shl(96, benchmarker)))
            mstore(add(encoded, 0x60), task)
            mstore(add(encoded, 0x80), setRoot)
            mstore(add(encoded, 0xa0), and(items, 0xffffffff))
            mstore(add(encoded, 0xc0), shr(96, shl(96, operator)))
            hash := keccak256(encoded, 0xe0)
        }
        return RoundId.wrap(hash);
    }

    /// @notice Leaf of a sealed item, bound to chain, contract, benchmarker and position.
    function leaf(address rounds, address benchmarker, SealedItem memory item) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                SET_LEAF,
                block.chainid,
                rounds,
                benchmarker,
                item.position,
                item.kind,
                item.promptHash,
                item.referenceHash,
                item.salt
            )
        );
    }

    /// @notice Parent of two nodes.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(SET_NODE, left, right));
    }

    /// @notice Root that a leaf at a position leads to; bit k of the position says on which side the node stands at level k.
    /// @dev `node` at every level, in one place of memory.
    function climb(bytes32 hash, uint256 position, bytes32[] calldata path) internal pure returns (bytes32 root) {
        bytes32 tag = SET_NODE;
        root = hash;
        assembly ("memory-safe") {
            let tagged := mload(0x40)
            let left := add(tagged, 0x20)
            mstore(tagged, tag)
            let at := path.offset
            for { let past := add(at, shl(5, path.length)) } lt(at, past) { at := add(at, 0x20) } {
                let side := shl(5, and(position, 1))
                mstore(add(left, side), root)
                mstore(add(left, xor(side, 0x20)), calldataload(at))
                root := keccak256(tagged, 0x60)
                position := shr(1, position)
            }
        }
    }

    /// @notice Whether d is the depth of the tree over n positions: the least d with 2^d >= n.
    function isDepth(uint256 d, uint256 n) internal pure returns (bool) {
        unchecked {
            // 2^(d-1) < n <= 2^d, without a power below 1. No n has more than 32 bits.
            return d <= 32 && n <= uint256(1) << d && uint256(1) << d < 2 * n;
        }
    }

    /// @notice Depth of the tree over n positions: the least d with 2^d >= n.
    function depth(uint256 n) internal pure returns (uint256 levels) {
        unchecked {
            while ((uint256(1) << levels) < n) levels++;
        }
    }
}
