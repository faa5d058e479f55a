// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VersionId} from "./interfaces/IModelRegistry.sol";
import {Deadlines, Fault, IRounds, Phase, Round, RoundId, ScoreView, Seal, Standing} from "./interfaces/IRounds.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {RoundTerms} from "./libraries/Terms.sol";

/// @title RoundBook
/// @notice The stored facts of every round, the phase that follows from them, and the views; see IRounds.
/// @dev Changes nothing by itself: every write is in ScoreBook and Rounds.
abstract contract RoundBook is IRounds {
    /// @dev Four slots, and a fifth that only a demand writes. `digest` is the card's until the reveal and the bundle's from then on.
    struct Record {
        bytes32 setRoot;
        bytes32 digest;
        address benchmarker;
        uint40 sealedAt;
        uint32 items;
        uint16 enrolled;
        Fault fault;
        address operator;
        uint32 task;
        uint40 revealedAt;
        uint16 attested;
        bool settled;
        uint40 queueEnd;
    }

    /// @dev What a version has in a round: one slot that the enrolment writes and the attestation overwrites, and one for the commitment.
    struct Entry {
        uint64 score;
        uint32 answered;
        uint32 silent;
        uint32 decoys;
        Standing standing;
        bool settled;
        bytes32 commitment;
    }

    ITaskRegistry internal immutable _tasks;

    mapping(RoundId => Record) internal _records;
    mapping(RoundId => mapping(VersionId => Entry)) internal _entries;
    mapping(RoundId => mapping(VersionId => mapping(uint32 position => bytes32 responseHash))) internal _posted;

    constructor(ITaskRegistry tasks) {
        _tasks = tasks;
    }

    // Views

    /// @inheritdoc IRounds
    function phaseOf(RoundId round) external view returns (Phase) {
        return _phaseOf(_records[round]);
    }

    /// @inheritdoc IRounds
    function scoreOf(RoundId round, VersionId version) external view returns (ScoreView memory v) {
        Entry storage entry = _entries[round][version];
        v = ScoreView({
            phase: _phaseOf(_records[round]),
            standing: entry.standing,
            score: entry.score,
            answered: entry.answered,
            silent: entry.silent,
            decoys: entry.decoys
        });
        if (v.standing != Standing.None && (v.phase == Phase.Slashed || v.phase == Phase.Forfeited)) {
            v.standing = Standing.Struck;
            v.score = 0;
        }
    }

    /// @inheritdoc IRounds
    function roundOf(RoundId round) external view returns (Round memory facts) {
        Record storage r = _records[round];
        if (r.sealedAt == 0) return facts;
        facts = Round({
            setRoot: r.setRoot,
            task: _tasks.idAt(r.task),
            benchmarker: r.benchmarker,
            operator: r.operator,
            items: r.items,
            sealedAt: r.sealedAt,
            revealedAt: r.revealedAt,
            enrolled: r.enrolled,
            attested: r.attested,
            fault: r.fault,
            bundleDigest: r.revealedAt == 0 ? bytes32(0) : r.digest
        });
    }

    /// @inheritdoc IRounds
    function sealOf(RoundId round) external view returns (Seal memory) {
        Record storage r = _recordOf(round);
        return Seal(r.setRoot, r.benchmarker, r.operator, r.items, r.task, r.sealedAt);
    }

    /// @inheritdoc IRounds
    function isEnrolled(RoundId round, VersionId version) external view returns (bool) {
        return _entries[round][version].standing != Standing.None;
    }

    /// @inheritdoc IRounds
    function deadlinesOf(RoundId round) external view returns (Deadlines memory) {
        return _deadlinesOf(_recordOf(round));
    }

    /// @inheritdoc IRounds
    function closingOf(RoundId round) external view returns (uint40 finalAt, uint40 queueEnd) {
        Record storage r = _recordOf(round);
        if (r.revealedAt == 0) return (0, 0);
        return (uint40(_finalAt(r, _tasks.roundTermsAt(r.task).challengeWindow())), r.queueEnd);
    }

    /// @inheritdoc IRounds
    function commitmentOf(RoundId round, VersionId version) external view returns (bytes32) {
        return _entries[round][version].commitment;
    }

    /// @inheritdoc IRounds
    function postedOf(RoundId round, VersionId version, uint32 position)
        external
        view
        returns (bool posted, bytes32 responseHash)
    {
        responseHash = _posted[round][version][position];
        posted = responseHash != 0;
    }

    /// @inheritdoc IRounds
    function domainSeparator() public view returns (bytes32) {
        return Receipts.domainSeparator(address(this));
    }

    // Guards and phases

    function _recordOf(RoundId round) internal view returns (Record storage r) {
        r = _records[round];
        if (r.sealedAt == 0) revert UnknownRound(round);
    }

    function _checkBenchmarker(RoundId round, Record storage r) internal view {
        if (msg.sender != r.operator && msg.sender != r.benchmarker) revert NotBenchmarker(round, msg.sender);
    }

    function _checkPhase(RoundId round, Record storage r, Phase needed) internal view {
        Phase phase = _phaseOf(r);
        if (phase != needed) revert WrongPhase(round, phase);
    }

    function _phaseOf(Record storage r) internal view returns (Phase) {
        if (r.sealedAt == 0) return Phase.Unknown;
        return _phaseUnder(_tasks.roundTermsAt(r.task), r);
    }

    /// @dev The only place where time and facts become a phase, of a round that is known. Every edge belongs to what comes after it.
    function _phaseUnder(RoundTerms terms, Record storage r) internal view returns (Phase) {
        if (r.fault != Fault.None) return Phase.Slashed;
        (uint256 answerBy, uint256 attestBy, uint256 revealBy) = _ends(terms, r);
        if (block.timestamp < answerBy) return Phase.Answering;
        if (r.enrolled == 0) return Phase.Void;
        if (r.attested < r.enrolled) return block.timestamp < attestBy ? Phase.Attesting : Phase.Forfeited;
        if (r.revealedAt == 0) return block.timestamp < revealBy ? Phase.Revealing : Phase.Forfeited;
        // A queue only puts the end off: its slot is read when that matters.
        if (block.timestamp < uint256(r.revealedAt) + terms.challengeWindow()) return Phase.Challenging;
        return block.timestamp < _finalAt(r, terms.challengeWindow()) ? Phase.Challenging : Phase.Final;
    }

    /// @dev After the last demand's deadline half a challenge window remains to expire it.
    function _finalAt(Record storage r, uint256 challengeWindow) internal view returns (uint256) {
        uint256 unqueued = uint256(r.revealedAt) + challengeWindow;
        uint256 queued = uint256(r.queueEnd) + challengeWindow / 2;
        return unqueued > queued ? unqueued : queued;
    }

    function _deadlinesOf(Record storage r) internal view returns (Deadlines memory) {
        RoundTerms terms = _tasks.roundTermsAt(r.task);
        (uint256 answerBy, uint256 attestBy, uint256 revealBy) = _ends(terms, r);
        uint256 versionsReleasedAt = revealBy + terms.challengeWindow();
        return Deadlines(uint40(answerBy), uint40(attestBy), uint40(revealBy), uint40(versionsReleasedAt));
    }

    function _ends(RoundTerms terms, Record storage r)
        private
        view
        returns (uint256 answerBy, uint256 attestBy, uint256 revealBy)
    {
        answerBy = uint256(r.sealedAt) + terms.answerWindow();
        attestBy = answerBy + terms.attestWindow();
        revealBy = attestBy + terms.revealWindow();
    }
}
