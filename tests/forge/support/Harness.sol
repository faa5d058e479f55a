// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Sibling} from "../../../contracts/interfaces/IJudge.sol";
import {Receipts} from "../../../contracts/libraries/Receipts.sol";
import {Seals} from "../../../contracts/libraries/Seals.sol";
import {SumTree} from "../../../contracts/libraries/SumTree.sol";

/// @notice Calldata for those library functions that read it.
contract Harness {
    function climbSet(bytes32 leaf, uint256 position, bytes32[] calldata path) external pure returns (bytes32) {
        return Seals.climb(leaf, position, path);
    }

    function climbScores(bytes32 leaf, uint256[] calldata sums, uint256 position, Sibling[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return SumTree.climb(leaf, sums, position, path);
    }

    function climbPacked(bytes32 leaf, uint256[] calldata sums, uint256 position, uint256[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return SumTree.climbPacked(leaf, sums, position, path);
    }

    function paddingIsEmpty(uint256 n, uint256 position, Sibling[] calldata path) external pure returns (bool) {
        return SumTree.paddingIsEmpty(n, position, path);
    }

    function recover(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return Receipts.recover(digest, signature);
    }

    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) external pure returns (bool) {
        return Receipts.isSignedBy(signer, digest, signature);
    }
}
