// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Demand,
    DemandState,
    Exam,
    Fault,
    IDisputes,
    IRounds,
    IStakeVault,
    Item,
    Opening,
    Phase,
    RoundId,
    Verdict,
    VersionId
} from "./support/Exam.sol";
import {Trees} from "./support/Trees.sol";

// Disputes: demand
// ├── given another phase, the second half of the window, a version not enrolled, a position from n on, a second time, no money or leave
// │   └── it reverts
// └── given the first half
//     ├── it locks the fee of the caller
//     └── the deadline is now + demandWindow, or a minute behind the queue, and Final moves with it
//
// Disputes: answerDemand
// ├── given no demand, the deadline, an opening that is not Sound, a slashed round
// │   └── it reverts
// └── given a Sound opening before the deadline
//     └── half of the fee to the caller, half burned, once
//
// Disputes: expire
// ├── given no demand, an answered one, a time before the deadline, Final
// │   └── it reverts
// └── given an unanswered one from its deadline to the last second before Final
//     └── it slashes and pays the demander
//
// Disputes: reclaim
// ├── given an open round, an answered demand, a second time
// │   └── it reverts
// └── given a slashed round, or a Final one where nobody expired the demand
//     └── the demander has its fee again
contract DemandsTest is Exam {
    using Trees for Trees.ScoreTree;

    address internal reader = makeAddr("reader");

    function setUp() public override {
        super.setUp();
        _fund(reader, reader, 1 ether);
    }

    // demand

    function test_demand__otherPhases__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        _expectPhase(round, Phase.Attesting);
        disputes.demand(round, version, 2);
        _attest(round, items);
        _expectPhase(round, Phase.Revealing);
        disputes.demand(round, version, 2);
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, bytes32("none")));
        disputes.demand(RoundId.wrap("none"), version, 2);
    }

    function test_demand__edgeOfTheFirstHalf__isExact() external {
        (RoundId round,) = _toChallenging(8);
        uint256 half = vm.getBlockTimestamp() + CHALLENGE / 2;
        vm.warp(half);
        vm.expectRevert(abi.encodeWithSelector(IRounds.DemandTooLate.selector, half, half));
        disputes.demand(round, version, 2);
        vm.warp(half - 1);
        _demand(round, 2);
    }

    function test_demand__notInTheRound__reverts() external {
        (RoundId round,) = _toChallenging(8);
        VersionId other = VersionId.wrap("other");
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, other));
        disputes.demand(round, other, 2);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, 8, 8));
        disputes.demand(round, version, 8);
    }

    function test_demand__secondTime__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        _demand(round, 2);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyDemanded.selector, round, version, 2));
        disputes.demand(round, version, 2);
        disputes.answerDemand(round, version, _opening(items, 2));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.AlreadyDemanded.selector, round, version, 2));
        disputes.demand(round, version, 2);
    }

    function test_demand__withoutLeaveOrMoney__reverts() external {
        (RoundId round,) = _toChallenging(8);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, stranger, stranger, 0, DEMAND_FEE));
        disputes.demand(round, version, 2);
        vault.allow(stranger, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFree.selector, stranger, 0, DEMAND_FEE));
        disputes.demand(round, version, 2);
        vm.stopPrank();
        assertEq(uint8(disputes.demandOf(round, version, 2).state), uint8(DemandState.None));
    }

    function test_demand__firstHalf__locksTheFeeAndKeepsTheDeadline() external {
        (RoundId round,) = _toChallenging(8);
        uint40 deadline = uint40(vm.getBlockTimestamp() + DEMAND);
        vm.expectEmit(address(disputes));
        emit IDisputes.Demanded(round, version, 2, reader, deadline);
        assertEq(_demand(round, 2), deadline);
        assertEq(_locked(reader), DEMAND_FEE);
        assertEq(abi.encode(disputes.demandOf(round, version, 2)), abi.encode(Demand(reader, deadline, DemandState.Open)));
    }

    function test_demand__flood__spacesDeadlinesByAMinuteAndMovesFinal() external {
        (RoundId round,) = _toChallenging(8);
        uint256 revealedAt = vm.getBlockTimestamp();
        _expectClosing(round, revealedAt + CHALLENGE, 0);
        vm.warp(revealedAt + CHALLENGE / 2 - 1);
        uint256 first = vm.getBlockTimestamp() + DEMAND;
        for (uint256 p = 0; p < 8; p++) {
            assertEq(_demand(round, p), first + 60 * p);
        }
        uint256 finalAt = first + 7 * 60 + CHALLENGE / 2;
        _expectClosing(round, finalAt, first + 7 * 60);
        vm.warp(finalAt - 1);
        assertEq(rounds.phaseOf(round), Phase.Challenging);
        vm.expectPartialRevert(IRounds.WrongPhase.selector);
        rounds.release(round);
        vm.warp(finalAt);
        assertEq(rounds.phaseOf(round), Phase.Final);
        assertEq(rounds.scoreOf(round, version).phase, Phase.Final);
        rounds.release(round);
    }

    function test_demand__early__leavesFinalWhereItWas() external {
        (RoundId round,) = _toChallenging(8);
        uint256 revealedAt = vm.getBlockTimestamp();
        _demand(round, 2);
        _expectClosing(round, revealedAt + CHALLENGE, revealedAt + DEMAND);
    }

    function test_closingOf__beforeTheReveal__isZero() external {
        (RoundId round,) = _toRevealing(8);
        _expectClosing(round, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, bytes32("none")));
        rounds.closingOf(RoundId.wrap("none"));
    }

    function test_queueDemand__notDisputes__reverts() external {
        (RoundId round,) = _toChallenging(8);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotDisputes.selector, address(this)));
        rounds.queueDemand(round, version, 2);
    }

    // answerDemand

    function test_answerDemand__notDemanded__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        _demand(round, 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, 2));
        disputes.answerDemand(round, version, _opening(items, 2));
    }

    function test_answerDemand__notSound__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        _demand(round, 2);
        Opening memory o = _opening(items, 2);
        o.sums[1]++;
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotSound.selector, Verdict.NotAttested));
        disputes.answerDemand(round, version, o);
        o.prompt = "Another";
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotSound.selector, Verdict.NotSealed));
        disputes.answerDemand(round, version, o);
    }

    function test_answerDemand__edgeOfTheDeadline__isExact() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        uint256 deadline = _demand(round, 2);
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.AnswerTooLate.selector, deadline, deadline));
        disputes.answerDemand(round, version, _opening(items, 2));
        vm.warp(deadline - 1);
        disputes.answerDemand(round, version, _opening(items, 2));
    }

    function test_answerDemand__everyPositionOfAnHonestRound__paysHalfAndBurnsHalf() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        for (uint256 p = 0; p < 8; p++) {
            _demand(round, p);
        }
        vm.startPrank(challenger);
        for (uint256 p = 0; p < 8; p++) {
            vm.expectEmit(address(disputes));
            emit IDisputes.DemandAnswered(round, version, uint32(p), challenger, DEMAND_FEE / 2, DEMAND_FEE / 2);
            disputes.answerDemand(round, version, _opening(items, p));
            vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, p));
            disputes.answerDemand(round, version, _opening(items, p));
        }
        vm.stopPrank();
        assertEq(_free(challenger), 8 * DEMAND_FEE / 2);
        assertEq(vault.burnedOf(reader), 8 * DEMAND_FEE / 2);
        assertEq(_free(reader), 1 ether - 8 * DEMAND_FEE);
        assertEq(_locked(reader), 0);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE - 1);
        for (uint256 p = 0; p < 8; p++) {
            vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, p));
            disputes.expire(round, version, uint32(p));
        }
    }

    function test_answerDemand__slashedRound__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        _demand(round, 2);
        _slash(round);
        _expectPhase(round, Phase.Slashed);
        disputes.answerDemand(round, version, _opening(items, 2));
    }

    // expire

    function test_expire__beforeTheDeadline__reverts() external {
        (RoundId round,) = _toChallenging(8);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, 2));
        disputes.expire(round, version, 2);
        uint256 deadline = _demand(round, 2);
        vm.warp(deadline - 1);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.ExpiredTooEarly.selector, deadline - 1, deadline));
        disputes.expire(round, version, 2);
    }

    function test_expire__atTheDeadline__slashesAndPaysTheDemander() external {
        (RoundId round,) = _toChallenging(8);
        vm.warp(_demand(round, 2));
        vm.expectEmit(address(disputes));
        emit IDisputes.DemandExpired(round, version, 2, reader);
        vm.prank(stranger);
        disputes.expire(round, version, 2);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
        assertEq(rounds.roundOf(round).fault, Fault.Unanswered);
        assertEq(_free(reader), 1 ether - DEMAND_FEE + ROUND_BOND / 2);
        assertEq(_free(stranger), 0);
        assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
        _expectPhase(round, Phase.Slashed);
        disputes.expire(round, version, 2);
    }

    function test_expire__edgeOfFinal__isExact() external {
        (RoundId round,) = _toChallenging(8);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE / 2 - 1);
        uint256 finalAt = _demand(round, 2) + CHALLENGE / 2;
        vm.warp(finalAt);
        _expectPhase(round, Phase.Final);
        disputes.expire(round, version, 2);
        vm.warp(finalAt - 1);
        disputes.expire(round, version, 2);
    }

    function test_expire__wrongInnerSum__isFoundByDepthPlusOneDemands() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _answerAll(round, items);
        Trees.ScoreTree memory tree = _scoreTree(items);
        tree.sums[1][1][1]++; // The parent of positions 2 and 3 claims more than its children.
        tree._raise(2);
        tree._raise(3);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attest(round, Attestation(version, tree.rootHash(), tree.rootSums()));
        _reveal(round);
        // The siblings of an answered demand show the false sum; a demand below it stays unanswered.
        _demand(round, 0);
        Opening memory shown = _opening(items, tree, 0);
        disputes.answerDemand(round, version, shown);
        assertNotEq(shown.sumPath[1].sums[1], items[2].sums[1] + items[3].sums[1]);
        uint256 deadline = _demand(round, 2);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotSound.selector, Verdict.NotAttested));
        disputes.answerDemand(round, version, _opening(items, tree, 2));
        vm.warp(deadline);
        disputes.expire(round, version, 2);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
    }

    // reclaim

    function test_reclaim__openRound__reverts() external {
        (RoundId round,) = _toChallenging(8);
        uint256 deadline = _demand(round, 2);
        _expectPhase(round, Phase.Challenging);
        disputes.reclaim(round, version, 2);
        vm.warp(deadline);
        _expectPhase(round, Phase.Challenging);
        disputes.reclaim(round, version, 2);
    }

    function test_reclaim__slashedRound__freesEachUnansweredFeeOnce() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        _demand(round, 1);
        _demand(round, 2);
        disputes.answerDemand(round, version, _opening(items, 1));
        _slash(round);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, 1));
        disputes.reclaim(round, version, 1);
        vm.expectEmit(address(disputes));
        emit IDisputes.FeeReclaimed(round, version, 2, reader);
        disputes.reclaim(round, version, 2);
        assertEq(_free(reader), 1 ether - DEMAND_FEE);
        assertEq(_locked(reader), 0);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoOpenDemand.selector, round, version, 2));
        disputes.reclaim(round, version, 2);
    }

    function test_reclaim__expiredDemand__freesItsFee() external {
        (RoundId round,) = _toChallenging(8);
        vm.warp(_demand(round, 2));
        disputes.expire(round, version, 2);
        disputes.reclaim(round, version, 2);
        assertEq(_free(reader), 1 ether + ROUND_BOND / 2);
    }

    function test_reclaim__finalAndNeverExpired__freesTheFee() external {
        (RoundId round,) = _toChallenging(8);
        _demand(round, 2);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE);
        assertEq(rounds.phaseOf(round), Phase.Final);
        disputes.reclaim(round, version, 2);
        assertEq(_free(reader), 1 ether);
    }

    function _demand(RoundId round, uint256 p) private returns (uint256) {
        vm.prank(reader);
        return disputes.demand(round, version, uint32(p));
    }

    /// @dev Another fault ends the round: an acknowledged answer is missing.
    function _slash(RoundId round) private {
        vm.prank(address(disputes));
        rounds.slash(round, Fault.AckDropped, challenger);
    }

    function _expectPhase(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
    }

    function _expectClosing(RoundId round, uint256 finalAt, uint256 queueEnd) private view {
        (uint40 gotFinal, uint40 gotQueue) = rounds.closingOf(round);
        assertEq(gotFinal, finalAt);
        assertEq(gotQueue, queueEnd);
    }
}
