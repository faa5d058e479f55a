// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Exam, Opening, RoundId, SealedItem, Seals, SetOpening, Sibling, SumTree, VersionId} from "./Exam.sol";

/// @notice Rounds of many items of which only the first one exists: its neighbours are hashes, and sums that such neighbours would have.
/// @dev So a path can be as deep as a task allows without a tree below it.
abstract contract LoneItem is Exam {
    /// @dev An opening of position 0 of n: hashes beside it on the set's path, on the score's path hashes and `each` times the positions.
    function _lone(uint256 n, uint256[] memory each) internal pure returns (Opening memory o) {
        uint256 depth = Seals.depth(n);
        o.setPath = new bytes32[](depth);
        o.sumPath = new Sibling[](depth);
        for (uint256 k = 0; k < depth; k++) {
            uint256 first = 1 << k;
            uint256 covered = n - first < first ? n - first : first;
            o.setPath[k] = keccak256(abi.encode("set", k));
            o.sumPath[k] = Sibling(keccak256(abi.encode("score", k)), new uint256[](1 + each.length));
            o.sumPath[k].sums[0] = covered;
            for (uint256 w = 0; w < each.length; w++) {
                o.sumPath[k].sums[1 + w] = covered * each[w];
            }
        }
        o.salt = keccak256("salt");
        o.seed = uint256(keccak256("a challenger's seed"));
        o.sums = new uint256[](1 + each.length);
        o.sums[0] = 1;
    }

    function _loneItem(Opening memory o) internal pure returns (SealedItem memory) {
        return SealedItem(o.position, o.kind, keccak256(o.prompt), keccak256(o.referenceText), o.salt);
    }

    function _loneSet(Opening memory o) internal pure returns (SetOpening memory) {
        return SetOpening(_loneItem(o), o.setPath);
    }

    function _loneSetRoot(Opening memory o) internal view returns (bytes32 root) {
        root = Seals.leaf(address(rounds), benchmarker, _loneItem(o));
        for (uint256 k = 0; k < o.setPath.length; k++) {
            root = Seals.node(root, o.setPath[k]);
        }
    }

    function _loneAttestation(VersionId v, Opening memory o) internal pure returns (Attestation memory a) {
        a = Attestation(v, bytes32(0), new uint256[](o.sums.length));
        a.rootHash =
            SumTree.leaf(o.position, o.outcome, keccak256(o.response), keccak256(o.answerSignature), keccak256(o.evidence));
        _add(a.sums, o.sums);
        for (uint256 k = 0; k < o.sumPath.length; k++) {
            a.rootHash = SumTree.node(a.rootHash, a.sums, o.sumPath[k].hash, o.sumPath[k].sums);
            _add(a.sums, o.sumPath[k].sums);
        }
    }

    /// @dev Seals, enrols, signs the answer where there is one, and attests; the sums of the opening are as the caller wants them.
    function _loneRound(Opening memory o, uint32 n) internal returns (RoundId round) {
        round = _seal(_loneSetRoot(o), n);
        _enrol(round);
        if (o.outcome == ANSWERED) o.answerSignature = _signAnswer(round, version, o.position, o.prompt, o.response);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attest(round, _loneAttestation(version, o));
    }

    function _add(uint256[] memory total, uint256[] memory sums) private pure {
        for (uint256 w = 0; w < sums.length; w++) {
            total[w] += sums[w];
        }
    }
}
