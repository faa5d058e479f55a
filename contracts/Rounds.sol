// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IModelRegistry, VersionId} from "./interfaces/IModelRegistry.sol";
import {Fault, IRounds, Phase, PostedAnswer, RoundId, Skip, Standing} from "./interfaces/IRounds.sol";
import {TaskId} from "./interfaces/ITaskRegistry.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {Seals} from "./libraries/Seals.sol";
import {ScoreBook} from "./ScoreBook.sol";

/// @title Rounds
/// @notice What happens in a round; see IRounds. What is kept of it, and its phase, are in RoundBook, its scores in ScoreBook.
contract Rounds is ScoreBook {
    /// @dev What is the same for all versions of one enrolment.
    struct EnrolTerms {
        RoundId round;
        uint40 sealedAt;
        uint96 bond;
        bytes32 domain;
    }

    uint256 private constant DEMAND_SPACING = 60 seconds;

    IModelRegistry private immutable _models;
    address private immutable _disputes;

    constructor(Addresses memory all) ScoreBook(all) {
        _models = all.models;
        _disputes = address(all.disputes);
    }

    // Benchmarker

    /// @inheritdoc IRounds
    function seal(address benchmarker, TaskId task, bytes32 setRoot, uint32 items, bytes32 cardDigest)
        external
        returns (RoundId round)
    {
        (uint32 number, uint32 maxItems, uint96 bond) = _tasks.sealTermsOf(task);
        round = Seals.roundId(address(this), benchmarker, task, setRoot, items, msg.sender);
        Record storage r = _records[round];

        if (r.sealedAt != 0) revert AlreadySealed(round);
        if (items == 0 || items > maxItems) revert WrongSize(items, maxItems);

        r.setRoot = setRoot;
        r.digest = cardDigest;
        _writeSeal(r, benchmarker, items, number);

        emit Sealed(round, benchmarker, task, msg.sender, setRoot, items, cardDigest);

        _vault.lock(benchmarker, msg.sender, bond);
    }

    /// @inheritdoc IRounds
    function enrol(RoundId round, VersionId[] calldata versions, bytes[] calldata signatures) external {
        Record storage r = _recordOf(round);

        if (msg.sender != r.operator) revert NotOperator(round, msg.sender);
        _checkPhase(round, r, Phase.Answering);
        if (versions.length != signatures.length) revert LengthMismatch(versions.length, signatures.length);

        (, uint96 bond,) = _tasks.otherTermsAt(r.task);
        EnrolTerms memory terms = EnrolTerms(round, r.sealedAt, bond, domainSeparator());
        uint16 enrolled = r.enrolled;
        for (uint256 i = 0; i < versions.length; i++) {
            if (_tryEnrol(terms, versions[i], signatures[i])) enrolled++;
        }
        r.enrolled = enrolled;
    }

    /// @inheritdoc IRounds
    function reveal(RoundId round, bytes32 bundleDigest) external {
        Record storage r = _recordOf(round);

        _checkBenchmarker(round, r);
        _checkPhase(round, r, Phase.Revealing);

        r.revealedAt = uint40(block.timestamp);
        r.digest = bundleDigest;

        emit Revealed(round, bundleDigest);
    }

    // Anyone

    /// @inheritdoc IRounds
    function postAnswer(RoundId round, PostedAnswer calldata a) external {
        Record storage r = _recordOf(round);
        bytes32 responseHash = keccak256(a.response);

        _checkPhase(round, r, Phase.Answering);
        uint256 deadline = uint256(a.answerUntil) + _tasks.roundTermsAt(r.task).postWindow();
        if (block.timestamp >= deadline) revert PostTooLate(block.timestamp, deadline);
        if (_entries[round][a.version].standing == Standing.None) revert NotEnrolled(round, a.version);
        if (a.position >= r.items) revert PositionOutOfRange(a.position, r.items);
        (,, uint32 maxBytes,) = _tasks.scoringAt(r.task);
        if (a.response.length > maxBytes) revert TextTooLong(a.response.length, maxBytes);
        if (_posted[round][a.version][a.position] != 0) revert AlreadyPosted(round, a.version, a.position);
        _checkExchange(round, a, r.operator, responseHash);

        _posted[round][a.version][a.position] = responseHash;

        emit AnswerPosted(round, a.version, a.position, a.promptHash, a.response, a.answerSignature);
    }

    /// @inheritdoc IRounds
    function forfeit(RoundId round) external {
        Record storage r = _recordOf(round);

        _checkPhase(round, r, Phase.Forfeited);
        if (r.settled) revert NothingToRelease(round);

        r.settled = true;

        uint256 bond = _tasks.roundTermsAt(r.task).bond();
        uint256 reward = bond / 2;
        emit RoundForfeited(round, msg.sender, reward, bond - reward);

        _vault.slash(r.benchmarker, msg.sender, reward, bond - reward);
    }

    /// @inheritdoc IRounds
    function release(RoundId round) external {
        Record storage r = _recordOf(round);
        Phase phase = _phaseOf(r);

        if (phase != Phase.Final && phase != Phase.Void) revert WrongPhase(round, phase);
        if (r.settled) revert NothingToRelease(round);

        r.settled = true;

        emit RoundReleased(round);

        _vault.unlock(r.benchmarker, r.operator, _tasks.roundTermsAt(r.task).bond());
    }

    /// @inheritdoc IRounds
    function releaseVersions(RoundId round, VersionId[] calldata versions) external {
        Record storage r = _recordOf(round);

        if (block.timestamp < _deadlinesOf(r).versionsReleasedAt) revert NothingToRelease(round);

        (, uint96 bond,) = _tasks.otherTermsAt(r.task);
        for (uint256 i = 0; i < versions.length; i++) {
            _releaseVersion(round, versions[i], bond);
        }
    }

    // Disputes

    /// @inheritdoc IRounds
    function slash(RoundId round, Fault fault, address challenger) external {
        Record storage r = _recordOf(round);

        if (msg.sender != _disputes) revert NotDisputes(msg.sender);
        _slash(round, r, _tasks.roundTermsAt(r.task), fault, challenger);
    }

    /// @inheritdoc IRounds
    function slashVersion(RoundId round, VersionId version, address challenger) external {
        Record storage r = _recordOf(round);
        Entry storage entry = _entries[round][version];

        if (msg.sender != _disputes) revert NotDisputes(msg.sender);
        if (entry.standing == Standing.None) revert NotEnrolled(round, version);
        bool isFree = block.timestamp >= _deadlinesOf(r).versionsReleasedAt;
        if (entry.settled || isFree) revert NothingToSlash(round, version);

        entry.settled = true;

        (, uint256 bond,) = _tasks.otherTermsAt(r.task);
        (address owner,,) = _models.partiesOf(version);
        uint256 reward = bond / 10;
        emit VersionSlashed(round, version, challenger, reward, bond - reward);

        _vault.slash(owner, challenger, reward, bond - reward);
    }

    /// @inheritdoc IRounds
    function queueDemand(RoundId round, VersionId version, uint32 position) external returns (uint40 deadline, uint64 fee) {
        Record storage r = _recordOf(round);
        uint32 window;
        (window,, fee) = _tasks.otherTermsAt(r.task);
        uint256 soonest = block.timestamp + window;
        uint256 next = r.queueEnd + DEMAND_SPACING;
        uint256 demandBy = uint256(r.revealedAt) + _tasks.roundTermsAt(r.task).challengeWindow() / 2;

        if (msg.sender != _disputes) revert NotDisputes(msg.sender);
        _checkPhase(round, r, Phase.Challenging);
        if (block.timestamp >= demandBy) revert DemandTooLate(block.timestamp, demandBy);
        if (_entries[round][version].standing == Standing.None) revert NotEnrolled(round, version);
        if (position >= r.items) revert PositionOutOfRange(position, r.items);

        deadline = uint40(soonest > next ? soonest : next);
        r.queueEnd = deadline;
    }

    // Seal

    /// @dev benchmarker, sealedAt and items; operator and task. The compiler would write each of these two slots twice. All else in them is zero.
    function _writeSeal(Record storage r, address benchmarker, uint32 items, uint32 task) private {
        uint256 first = uint256(uint160(benchmarker)) | uint256(uint40(block.timestamp)) << 160 | uint256(items) << 200;
        uint256 second = uint256(uint160(msg.sender)) | uint256(task) << 160;
        assembly ("memory-safe") {
            sstore(add(r.slot, 2), first)
            sstore(add(r.slot, 3), second)
        }
    }

    // Enrolment

    function _tryEnrol(EnrolTerms memory terms, VersionId version, bytes calldata signature) private returns (bool) {
        Entry storage entry = _entries[terms.round][version];
        (address owner, address operator, uint40 committedAt) = _models.partiesOf(version);
        bytes32 digest = Receipts.enrolDigest(terms.domain, terms.round, version);

        if (committedAt == 0) return _skip(terms.round, version, Skip.Unknown);
        if (committedAt >= terms.sealedAt) return _skip(terms.round, version, Skip.CommittedTooLate);
        if (entry.standing != Standing.None) return _skip(terms.round, version, Skip.AlreadyEnrolled);
        if (!Receipts.isSignedBy(operator, digest, signature)) return _skip(terms.round, version, Skip.WrongSignature);
        if (!_vault.tryLock(owner, operator, terms.bond)) return _skip(terms.round, version, Skip.NoStake);

        entry.standing = Standing.Enrolled;

        emit Enrolled(terms.round, version);
        return true;
    }

    function _skip(RoundId round, VersionId version, Skip reason) private returns (bool) {
        emit EnrolSkipped(round, version, reason);
        return false;
    }

    function _releaseVersion(RoundId round, VersionId version, uint96 bond) private {
        Entry storage entry = _entries[round][version];
        (address owner, address operator,) = _models.partiesOf(version);

        if (entry.standing == Standing.None) revert NotEnrolled(round, version);
        if (entry.settled) return;

        entry.settled = true;

        emit VersionReleased(round, version);

        _vault.unlock(owner, operator, bond);
    }

    // Posted answers

    function _checkExchange(RoundId round, PostedAnswer calldata a, address asker, bytes32 responseHash) private view {
        bytes32 domain = domainSeparator();
        bytes32 ask = Receipts.askDigest(domain, round, a.version, a.position, a.promptHash, a.answerUntil);
        if (!Receipts.isSignedBy(asker, ask, a.askSignature)) revert WrongSigner(asker);

        address answerer = _models.operatorOf(a.version);
        bytes32 answer = Receipts.answerDigest(domain, round, a.version, a.position, a.promptHash, responseHash);
        if (!Receipts.isSignedBy(answerer, answer, a.answerSignature)) revert WrongSigner(answerer);
    }
}
