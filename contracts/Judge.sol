// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IJudge, Opening, Sibling, Verdict} from "./interfaces/IJudge.sol";
import {IMetric} from "./interfaces/IMetric.sol";
import {IModelRegistry, VersionId} from "./interfaces/IModelRegistry.sol";
import {IRounds, RoundId, Seal} from "./interfaces/IRounds.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {SealedItem, Seals} from "./libraries/Seals.sol";
import {SumTree} from "./libraries/SumTree.sol";

/// @title Judge
/// @notice Judges opened items; see IJudge.
contract Judge is IJudge {
    /// @dev What of a task decides a verdict.
    struct Scoring {
        IMetric metric;
        uint256 words;
        uint256 maxBytes;
    }

    uint8 private constant KIND_DECOY = 1;
    uint8 private constant ANSWERED = 0;
    uint8 private constant SILENT = 1;
    uint8 private constant DECOY = 2;
    uint256 private constant LANE_BITS = 32;

    IRounds private immutable _rounds;
    ITaskRegistry private immutable _tasks;
    IModelRegistry private immutable _models;

    constructor(Addresses memory all) {
        _rounds = all.rounds;
        _tasks = all.tasks;
        _models = all.models;
    }

    /// @inheritdoc IJudge
    function judge(RoundId round, VersionId version, Opening calldata o) external view returns (Verdict) {
        Seal memory sealed_ = _rounds.sealOf(round);
        Scoring memory scoring = _scoringOf(sealed_.task);
        _checkShape(o, sealed_.items, 1 + scoring.words);

        if (!_isSealed(o, sealed_)) return Verdict.NotSealed;
        if (!_isAttested(o, _rounds.commitmentOf(round, version))) return Verdict.NotAttested;
        if (_isWrongKind(o)) return Verdict.WrongKind;
        if (_isMalformed(o)) return Verdict.Malformed;
        if (_isTooLong(o, scoring.maxBytes)) return Verdict.TooLong;
        if (!_hasReceipt(o, round, version)) return Verdict.WrongReceipt;
        if (!_statisticsHold(o, sealed_.items, scoring)) return Verdict.WrongStatistics;
        if (_isDropped(o, round, version)) return Verdict.Dropped;
        return Verdict.Sound;
    }

    function _scoringOf(uint32 task) private view returns (Scoring memory scoring) {
        (scoring.metric, scoring.words, scoring.maxBytes,) = _tasks.scoringAt(task);
    }

    /// @dev What has the wrong shape is no opening of this round: it reverts, and proves nothing against anybody.
    function _checkShape(Opening calldata o, uint256 items, uint256 words) private pure {
        if (o.position >= items) revert IRounds.PositionOutOfRange(o.position, items);
        uint256 depth = Seals.depth(items);
        Sibling[] calldata path = o.sumPath;
        _checkLength(depth, o.setPath.length);
        _checkLength(depth, path.length);
        _checkLength(words, o.sums.length);
        for (uint256 level = 0; level < depth; level++) {
            _checkLength(words, path[level].sums.length);
        }
    }

    function _checkLength(uint256 expected, uint256 got) private pure {
        if (expected != got) revert IRounds.WrongLength(expected, got);
    }

    function _isSealed(Opening calldata o, Seal memory sealed_) private view returns (bool) {
        SealedItem memory item = SealedItem(o.position, o.kind, keccak256(o.prompt), keccak256(o.referenceText), o.salt);
        bytes32 leaf = Seals.leaf(address(_rounds), sealed_.benchmarker, item);
        return Seals.climb(leaf, o.position, o.setPath) == sealed_.setRoot;
    }

    function _isAttested(Opening calldata o, bytes32 commitment) private pure returns (bool) {
        bytes32 leaf =
            SumTree.leaf(o.position, o.outcome, keccak256(o.response), keccak256(o.answerSignature), keccak256(o.evidence));
        return SumTree.climb(leaf, o.sums, o.position, o.sumPath) == commitment;
    }

    function _isWrongKind(Opening calldata o) private pure returns (bool) {
        if (o.kind > KIND_DECOY || o.outcome > DECOY) return true;
        return (o.outcome == DECOY) != (o.kind == KIND_DECOY);
    }

    function _isMalformed(Opening calldata o) private pure returns (bool) {
        if (o.outcome == ANSWERED) return false;
        return o.response.length != 0 || o.answerSignature.length != 0 || o.evidence.length != 0;
    }

    function _isTooLong(Opening calldata o, uint256 maxBytes) private pure returns (bool) {
        return o.prompt.length > maxBytes || o.referenceText.length > maxBytes || o.response.length > maxBytes
            || o.evidence.length > maxBytes;
    }

    function _hasReceipt(Opening calldata o, RoundId round, VersionId version) private view returns (bool) {
        if (o.outcome != ANSWERED) return true;
        bytes32 digest = Receipts.answerDigest(
            Receipts.domainSeparator(address(_rounds)), round, version, o.position, keccak256(o.prompt), keccak256(o.response)
        );
        return Receipts.isSignedBy(_models.operatorOf(version), digest, o.answerSignature);
    }

    /// @dev Padding first: no metric can shield it. A metric that reverts, or returns another number of words, reverts the judgement.
    function _statisticsHold(Opening calldata o, uint256 items, Scoring memory scoring) private view returns (bool) {
        if (!SumTree.paddingIsEmpty(items, o.position, o.sumPath)) return false;
        if (o.sums[0] != uint256(1) << (o.outcome * LANE_BITS)) return false;

        uint256[] memory expected = o.outcome == DECOY
            ? new uint256[](scoring.words)
            : scoring.metric.measure(o.response, o.referenceText, o.evidence, o.seed);
        _checkLength(scoring.words, expected.length);
        for (uint256 word = 0; word < expected.length; word++) {
            if (o.sums[word + 1] != expected[word]) return false;
        }
        return true;
    }

    function _isDropped(Opening calldata o, RoundId round, VersionId version) private view returns (bool) {
        if (o.outcome != SILENT) return false;
        (bool posted,) = _rounds.postedOf(round, version, o.position);
        return posted;
    }
}
