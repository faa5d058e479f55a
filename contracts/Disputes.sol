// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Demands} from "./Demands.sol";
import {Addresses} from "./interfaces/IDeployer.sol";
import {IDisputes, SetOpening, SignedAnswer, SignedAsk} from "./interfaces/IDisputes.sol";
import {IJudge, Opening, Verdict} from "./interfaces/IJudge.sol";
import {IModelRegistry, VersionId} from "./interfaces/IModelRegistry.sol";
import {Fault, IRounds, Phase, RoundId, Seal} from "./interfaces/IRounds.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {SealedItem, Seals} from "./libraries/Seals.sol";

/// @title Disputes
/// @notice Turns proofs into faults; see IDisputes. Demands are in Demands.
contract Disputes is Demands {
    uint8 private constant SCORED = 0;
    uint8 private constant SILENT = 1;

    IModelRegistry private immutable _models;

    constructor(Addresses memory all) Demands(all) {
        _models = all.models;
    }

    /// @inheritdoc IDisputes
    function challenge(RoundId round, VersionId version, Opening calldata opening) external returns (Verdict verdict) {
        verdict = _verdict();

        Fault fault = _faultOf(verdict);

        emit Challenged(round, version, opening.position, verdict, msg.sender);

        _rounds.slash(round, fault, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeAck(
        RoundId round,
        VersionId version,
        Opening calldata opening,
        bytes32 responseHash,
        bytes calldata ackSignature
    ) external {
        Seal memory facts = _rounds.sealOf(round);
        Verdict verdict = _verdict();
        bytes32 ack = Receipts.ackDigest(_domain(), round, version, opening.position, responseHash);

        if (verdict == Verdict.NotSealed || verdict == Verdict.NotAttested) revert NoFault(verdict);
        if (opening.kind != SCORED || opening.outcome != SILENT) revert NotSilent(round, version, opening.position);
        _checkSigner(facts.operator, ack, ackSignature);

        _rounds.slash(round, Fault.AckDropped, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeAsk(RoundId round, SignedAsk calldata ask, SetOpening calldata sealedItem) external {
        Seal memory facts = _rounds.sealOf(round);
        SealedItem calldata item = sealedItem.item;

        _checkAsk(round, facts, ask);
        if (ask.position < facts.items) {
            if (item.position != ask.position) revert OtherPosition(ask.position, item.position);
            _checkSealed(round, facts, sealedItem);
            if (item.promptHash == ask.promptHash) revert AskedAsSealed(round, ask.position);
        }

        _rounds.slash(round, Fault.WrongAsk, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeReuse(RoundId one, SetOpening calldata inOne, RoundId other, SetOpening calldata inOther) external {
        Seal memory first = _rounds.sealOf(one);
        Seal memory second = _rounds.sealOf(other);

        _checkSameExaminer(one, first, other, second);
        _checkNotVoid(one);
        _checkNotVoid(other);
        _checkScored(one, first, inOne);
        _checkScored(other, second, inOther);
        _checkSamePrompt(inOne.item.promptHash, inOther.item.promptHash);

        (RoundId later, RoundId earlier) = _isLater(one, first, other, second) ? (one, other) : (other, one);
        RoundId guilty = _rounds.phaseOf(later) == Phase.Final ? earlier : later;
        _rounds.slash(guilty, Fault.Reused, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeReuseByAsk(RoundId round, SetOpening calldata sealedItem, RoundId earlier, SignedAsk calldata ask)
        external
    {
        Seal memory facts = _rounds.sealOf(round);
        Seal memory before = _rounds.sealOf(earlier);
        Phase phase = _rounds.phaseOf(earlier);

        _checkSameExaminer(round, facts, earlier, before);
        if (phase != Phase.Slashed && phase != Phase.Forfeited) revert IRounds.WrongPhase(earlier, phase);
        if (!_isLater(round, facts, earlier, before)) revert NotLater(round, earlier);
        _checkScored(round, facts, sealedItem);
        _checkAsk(earlier, before, ask);
        _checkSamePrompt(sealedItem.item.promptHash, ask.promptHash);

        _rounds.slash(round, Fault.Reused, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeLeak(RoundId round, SetOpening calldata sealedItem) external {
        Seal memory facts = _rounds.sealOf(round);
        Phase phase = _rounds.phaseOf(round);

        if (phase != Phase.Answering) revert IRounds.WrongPhase(round, phase);
        _checkSealed(round, facts, sealedItem);

        _rounds.slash(round, Fault.Leaked, msg.sender);
    }

    /// @inheritdoc IDisputes
    function challengeAnswers(
        RoundId round,
        VersionId version,
        uint32 position,
        SignedAnswer calldata one,
        SignedAnswer calldata other
    ) external {
        address operator = _models.operatorOf(version);
        bytes32 first = Receipts.answerDigest(_domain(), round, version, position, one.promptHash, one.responseHash);
        bytes32 second = Receipts.answerDigest(_domain(), round, version, position, other.promptHash, other.responseHash);

        if (first == second) revert SameAnswer(one.promptHash, one.responseHash);
        _checkSigner(operator, first, one.signature);
        _checkSigner(operator, second, other.signature);

        _rounds.slashVersion(round, version, msg.sender);
    }

    /// @dev The verdicts after NotAttested are the faults after None, in the same order, up to Dropped.
    function _faultOf(Verdict verdict) private pure returns (Fault) {
        if (verdict <= Verdict.NotAttested) revert NoFault(verdict);
        return Fault(uint8(verdict) - uint8(Verdict.NotAttested));
    }

    function _isLater(RoundId round, Seal memory facts, RoundId other, Seal memory otherFacts) private pure returns (bool) {
        if (facts.sealedAt != otherFacts.sealedAt) return facts.sealedAt > otherFacts.sealedAt;
        return RoundId.unwrap(round) > RoundId.unwrap(other);
    }

    function _domain() private view returns (bytes32) {
        return Receipts.domainSeparator(address(_rounds));
    }

    // Guards

    function _checkSigner(address signer, bytes32 digest, bytes calldata signature) private pure {
        if (!Receipts.isSignedBy(signer, digest, signature)) revert IRounds.WrongSigner(signer);
    }

    function _checkAsk(RoundId round, Seal memory facts, SignedAsk calldata ask) private view {
        if (!_rounds.isEnrolled(round, ask.version)) revert IRounds.NotEnrolled(round, ask.version);
        bytes32 digest = Receipts.askDigest(_domain(), round, ask.version, ask.position, ask.promptHash, ask.answerUntil);
        _checkSigner(facts.operator, digest, ask.signature);
    }

    /// @dev What has the wrong shape reverts as in the judge: it proves nothing against anybody.
    function _checkSealed(RoundId round, Seal memory facts, SetOpening calldata s) private view {
        if (s.item.position >= facts.items) revert IRounds.PositionOutOfRange(s.item.position, facts.items);
        uint256 depth = Seals.depth(facts.items);
        if (s.path.length != depth) revert IRounds.WrongLength(depth, s.path.length);
        bytes32 leaf = Seals.leaf(address(_rounds), facts.benchmarker, s.item);
        if (Seals.climb(leaf, s.item.position, s.path) != facts.setRoot) revert IRounds.NotSealedHere(round, s.item.position);
    }

    function _checkScored(RoundId round, Seal memory facts, SetOpening calldata s) private view {
        _checkSealed(round, facts, s);
        if (s.item.kind != SCORED) revert NotScored(round, s.item.position);
    }

    function _checkSameExaminer(RoundId one, Seal memory first, RoundId other, Seal memory second) private pure {
        if (RoundId.unwrap(one) == RoundId.unwrap(other)) revert SameRound(one);
        if (first.benchmarker != second.benchmarker) revert OtherBenchmarker(first.benchmarker, second.benchmarker);
    }

    function _checkSamePrompt(bytes32 one, bytes32 other) private pure {
        if (one != other) revert OtherPrompt(one, other);
    }

    function _checkNotVoid(RoundId round) private view {
        Phase phase = _rounds.phaseOf(round);
        if (phase == Phase.Void) revert IRounds.WrongPhase(round, phase);
    }
}
