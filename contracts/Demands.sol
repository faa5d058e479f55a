// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {Demand, DemandState, IDisputes} from "./interfaces/IDisputes.sol";
import {IJudge, Opening, Verdict} from "./interfaces/IJudge.sol";
import {VersionId} from "./interfaces/IModelRegistry.sol";
import {Fault, IRounds, Phase, RoundId} from "./interfaces/IRounds.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";

/// @title Demands
/// @notice Positions that somebody wants to see, and what becomes of a round that does not show them; see IDisputes.
/// @dev The queue's end, and Final with it, are kept in Rounds.
abstract contract Demands is IDisputes {
    IRounds internal immutable _rounds;
    IJudge internal immutable _judge;
    ITaskRegistry private immutable _tasks;
    IStakeVault private immutable _vault;

    mapping(RoundId => mapping(VersionId => mapping(uint32 position => Demand))) private _demands;

    constructor(Addresses memory all) {
        _rounds = all.rounds;
        _judge = all.judge;
        _tasks = all.tasks;
        _vault = all.vault;
    }

    /// @inheritdoc IDisputes
    function demand(RoundId round, VersionId version, uint32 position) external returns (uint40 deadline) {
        Demand storage d = _demands[round][version][position];

        if (d.state != DemandState.None) revert AlreadyDemanded(round, version, position);

        uint256 fee;
        (deadline, fee) = _rounds.queueDemand(round, version, position);
        d.demander = msg.sender;
        d.deadline = deadline;
        d.state = DemandState.Open;

        emit Demanded(round, version, position, msg.sender, deadline);

        _vault.lock(msg.sender, msg.sender, fee);
    }

    /// @inheritdoc IDisputes
    function answerDemand(RoundId round, VersionId version, Opening calldata opening) external {
        Demand storage d = _openDemand(round, version, opening.position);
        Phase phase = _rounds.phaseOf(round);

        if (phase != Phase.Challenging) revert IRounds.WrongPhase(round, phase);
        if (block.timestamp >= d.deadline) revert AnswerTooLate(block.timestamp, d.deadline);
        Verdict verdict = _verdict();
        if (verdict != Verdict.Sound) revert NotSound(verdict);

        d.state = DemandState.Answered;

        uint256 fee = _feeOf(round);
        uint256 reward = fee / 2;
        emit DemandAnswered(round, version, opening.position, msg.sender, reward, fee - reward);

        _vault.slash(d.demander, msg.sender, reward, fee - reward);
    }

    /// @inheritdoc IDisputes
    function expire(RoundId round, VersionId version, uint32 position) external {
        Demand storage d = _openDemand(round, version, position);

        if (block.timestamp < d.deadline) revert ExpiredTooEarly(block.timestamp, d.deadline);

        emit DemandExpired(round, version, position, d.demander);

        _rounds.slash(round, Fault.Unanswered, d.demander);
    }

    /// @inheritdoc IDisputes
    function reclaim(RoundId round, VersionId version, uint32 position) external {
        Demand storage d = _openDemand(round, version, position);
        Phase phase = _rounds.phaseOf(round);

        if (phase != Phase.Slashed && phase != Phase.Final) revert IRounds.WrongPhase(round, phase);

        d.state = DemandState.Reclaimed;

        emit FeeReclaimed(round, version, position, d.demander);

        _vault.unlock(d.demander, d.demander, _feeOf(round));
    }

    /// @inheritdoc IDisputes
    function demandOf(RoundId round, VersionId version, uint32 position) external view returns (Demand memory) {
        return _demands[round][version][position];
    }

    function _openDemand(RoundId round, VersionId version, uint32 position) private view returns (Demand storage d) {
        d = _demands[round][version][position];
        if (d.state != DemandState.Open) revert NoOpenDemand(round, version, position);
    }

    function _feeOf(RoundId round) private view returns (uint256) {
        (,, uint64 fee) = _tasks.otherTermsAt(_rounds.sealOf(round).task);
        return fee;
    }

    /// @dev The verdict on the round, version and opening that this very call begins with. `judge` takes the same three, so it gets the
    /// words as they came: to decode and encode an opening anew would cost more than to judge its paths.
    function _verdict() internal view returns (Verdict) {
        (bool judged, bytes memory result) = address(_judge).staticcall(bytes.concat(IJudge.judge.selector, msg.data[4:]));
        if (judged) return abi.decode(result, (Verdict));
        // Solidity has no expression that reverts with bytes as they are.
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }
}
