// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Sibling} from "../../../contracts/interfaces/IJudge.sol";
import {Seals} from "../../../contracts/libraries/Seals.sol";
import {SumTree} from "../../../contracts/libraries/SumTree.sol";

/// @notice Whole trees, level by level, as an agent builds them: the oracle beside the contracts' climbing.
library Trees {
    struct SetTree {
        bytes32[][] levels;
    }

    struct ScoreTree {
        bytes32[][] hashes;
        uint256[][][] sums;
    }

    function buildSet(bytes32[] memory leaves) internal pure returns (SetTree memory tree) {
        uint256 depth = Seals.depth(leaves.length);
        tree.levels = new bytes32[][](depth + 1);
        tree.levels[0] = new bytes32[](1 << depth);
        for (uint256 p = 0; p < leaves.length; p++) {
            tree.levels[0][p] = leaves[p];
        }
        for (uint256 k = 1; k <= depth; k++) {
            tree.levels[k] = new bytes32[](1 << (depth - k));
            for (uint256 i = 0; i < tree.levels[k].length; i++) {
                tree.levels[k][i] = Seals.node(tree.levels[k - 1][2 * i], tree.levels[k - 1][2 * i + 1]);
            }
        }
    }

    function root(SetTree memory tree) internal pure returns (bytes32) {
        return tree.levels[tree.levels.length - 1][0];
    }

    function path(SetTree memory tree, uint256 position) internal pure returns (bytes32[] memory siblings) {
        siblings = new bytes32[](tree.levels.length - 1);
        for (uint256 k = 0; k < siblings.length; k++) {
            siblings[k] = tree.levels[k][(position >> k) ^ 1];
        }
    }

    function buildScores(bytes32[] memory leaves, uint256[][] memory leafSums) internal pure returns (ScoreTree memory tree) {
        uint256 depth = Seals.depth(leaves.length);
        uint256 words = leafSums[0].length;
        tree.hashes = new bytes32[][](depth + 1);
        tree.sums = new uint256[][][](depth + 1);
        tree.hashes[0] = new bytes32[](1 << depth);
        tree.sums[0] = new uint256[][](1 << depth);
        for (uint256 p = 0; p < tree.sums[0].length; p++) {
            if (p < leaves.length) tree.hashes[0][p] = leaves[p];
            tree.sums[0][p] = p < leaves.length ? leafSums[p] : new uint256[](words);
        }
        for (uint256 k = 1; k <= depth; k++) {
            _raise(tree, k);
        }
    }

    /// @dev Fills level k from the one below it; also repairs a tree above a node that a test has falsified.
    function _raise(ScoreTree memory tree, uint256 k) internal pure {
        uint256 width = tree.hashes[k - 1].length / 2;
        tree.hashes[k] = new bytes32[](width);
        tree.sums[k] = new uint256[][](width);
        for (uint256 i = 0; i < width; i++) {
            uint256[] memory left = tree.sums[k - 1][2 * i];
            uint256[] memory right = tree.sums[k - 1][2 * i + 1];
            tree.hashes[k][i] = SumTree.node(tree.hashes[k - 1][2 * i], left, tree.hashes[k - 1][2 * i + 1], right);
            tree.sums[k][i] = new uint256[](left.length);
            for (uint256 w = 0; w < left.length; w++) {
                unchecked {
                    tree.sums[k][i][w] = left[w] + right[w];
                }
            }
        }
    }

    function rootHash(ScoreTree memory tree) internal pure returns (bytes32) {
        return tree.hashes[tree.hashes.length - 1][0];
    }

    function rootSums(ScoreTree memory tree) internal pure returns (uint256[] memory) {
        return tree.sums[tree.sums.length - 1][0];
    }

    function commitment(ScoreTree memory tree) internal pure returns (bytes32) {
        return SumTree.commitment(rootHash(tree), rootSums(tree));
    }

    /// @dev Level by level the hash of a sibling and then its sums.
    function packed(Sibling[] memory siblings) internal pure returns (uint256[] memory words) {
        uint256 each = siblings.length == 0 ? 0 : 1 + siblings[0].sums.length;
        words = new uint256[](each * siblings.length);
        for (uint256 k = 0; k < siblings.length; k++) {
            words[each * k] = uint256(siblings[k].hash);
            for (uint256 w = 1; w < each; w++) {
                words[each * k + w] = siblings[k].sums[w - 1];
            }
        }
    }

    function path(ScoreTree memory tree, uint256 position) internal pure returns (Sibling[] memory siblings) {
        siblings = new Sibling[](tree.hashes.length - 1);
        for (uint256 k = 0; k < siblings.length; k++) {
            uint256 beside = (position >> k) ^ 1;
            siblings[k] = Sibling(tree.hashes[k][beside], tree.sums[k][beside]);
        }
    }
}
