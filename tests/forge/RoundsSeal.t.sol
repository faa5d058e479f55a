// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exam, Fault, IRounds, IStakeVault, ITaskRegistry, Phase, Round, RoundId, TaskId, TaskParams} from "./support/Exam.sol";

// Rounds: seal and reveal
// ├── seal
// │   ├── given an unknown task
// │   │   └── it reverts
// │   ├── given no items or more than the task allows
// │   │   └── it reverts; the edges are taken
// │   ├── given a caller whom the benchmarker did not allow, also for a round without bond
// │   │   └── it reverts
// │   ├── given less money than the bond
// │   │   └── it reverts
// │   ├── given the same seal once more, also after the first round is over
// │   │   └── it reverts
// │   ├── given a copied root by another benchmarker
// │   │   └── it is another round
// │   └── it stores the facts, locks the bond and says so
// └── reveal
//     ├── given an unknown round, a stranger, or another phase than Revealing
//     │   └── it reverts
//     ├── given the operator or the benchmarker
//     │   └── it stores time and digest and says so
//     └── when revealed a second time
//         └── it reverts
contract RoundsSealTest is Exam {
    bytes32 internal constant ROOT = keccak256("root");
    bytes32 internal constant CARD = keccak256("card");
    bytes32 internal constant BUNDLE = keccak256("bundle");

    function test_seal__unknownTask__reverts() external {
        TaskId none = TaskId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, none));
        vm.prank(examiner.addr);
        rounds.seal(benchmarker, none, ROOT, 8, CARD);
    }

    function test_seal__wrongSize__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSize.selector, 0, 1000));
        _seal(ROOT, 0);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSize.selector, 1001, 1000));
        _seal(ROOT, 1001);

        _seal(ROOT, 1);
        _seal(ROOT, 1000);
    }

    function test_seal__notAllowed__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, benchmarker, stranger, 0, ROUND_BOND));
        vm.prank(stranger);
        rounds.seal(benchmarker, task, ROOT, 8, CARD);
    }

    function test_seal__noBondButNotAllowed__reverts() external {
        TaskParams memory p = _params();
        p.roundBond = 0;
        task = tasks.register(p);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, benchmarker, stranger, 0, 0));
        vm.prank(stranger);
        rounds.seal(benchmarker, task, ROOT, 8, CARD);

        RoundId round = _seal(ROOT, 8);
        assertEq(rounds.phaseOf(round), Phase.Answering);
        assertEq(_locked(benchmarker), 0);
    }

    function test_seal__tooLittleMoney__reverts() external {
        vm.prank(benchmarker);
        vault.withdraw(91 ether, benchmarker);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFree.selector, benchmarker, 9 ether, ROUND_BOND));
        _seal(ROOT, 8);
    }

    function test_seal__sameAgain__reverts() external {
        RoundId round = _seal(ROOT, 8);
        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadySealed.selector, round));
        _seal(ROOT, 8);

        vm.warp(START + 365 days);
        assertEq(rounds.phaseOf(round), Phase.Void);
        rounds.release(round);
        vm.expectRevert(abi.encodeWithSelector(IRounds.AlreadySealed.selector, round));
        vm.prank(examiner.addr);
        rounds.seal(benchmarker, task, ROOT, 8, keccak256("another card"));
    }

    function test_seal__copiedRoot__isAnotherRound() external {
        RoundId mine = _seal(ROOT, 8);
        _fund(stranger, challenger, 20 ether);
        vm.prank(challenger);
        RoundId copy = rounds.seal(stranger, task, ROOT, 8, CARD);
        assertNotEq(RoundId.unwrap(mine), RoundId.unwrap(copy));
    }

    function testFuzz_seal__goodCall__storesLocksAndEmits(bytes32 root, uint32 n, bytes32 card) external {
        n = uint32(bound(n, 1, 1000));
        RoundId expected =
            RoundId.wrap(keccak256(abi.encode(block.chainid, rounds, benchmarker, task, root, uint256(n), examiner.addr)));

        vm.expectEmit(address(rounds));
        emit IRounds.Sealed(expected, benchmarker, task, examiner.addr, root, n, card);
        vm.prank(examiner.addr);
        RoundId round = rounds.seal(benchmarker, task, root, n, card);

        assertEq(round, expected);
        Round memory facts = Round({
            setRoot: root,
            task: task,
            benchmarker: benchmarker,
            operator: examiner.addr,
            items: n,
            sealedAt: uint40(vm.getBlockTimestamp()),
            revealedAt: 0,
            enrolled: 0,
            attested: 0,
            fault: Fault.None,
            bundleDigest: 0
        });
        assertEq(abi.encode(rounds.roundOf(round)), abi.encode(facts));
        assertEq(_locked(benchmarker), ROUND_BOND);
    }

    function test_seal__otherOperator__isAnotherRound() external {
        RoundId first = _seal(ROOT, 8);
        vm.prank(benchmarker);
        vault.allow(stranger, 50 ether);
        vm.prank(stranger);
        RoundId second = rounds.seal(benchmarker, task, ROOT, 8, CARD);
        assertNotEq(RoundId.unwrap(first), RoundId.unwrap(second));
        assertEq(rounds.roundOf(second).operator, stranger);
    }

    function test_reveal__unknownRound__reverts() external {
        RoundId none = RoundId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        rounds.reveal(none, BUNDLE);
    }

    function test_reveal__stranger__reverts() external {
        (RoundId round,) = _toRevealing(8);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotBenchmarker.selector, round, stranger));
        vm.prank(stranger);
        rounds.reveal(round, BUNDLE);
    }

    function test_reveal__otherPhases__reverts() external {
        RoundId round = _seal(ROOT, 8);
        _expectPhase(round, Phase.Answering);
        _enrol(round);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _expectPhase(round, Phase.Attesting);
        vm.warp(rounds.deadlinesOf(round).attestBy);
        _expectPhase(round, Phase.Forfeited);
    }

    function test_reveal__secondTime__reverts() external {
        (RoundId round,) = _toChallenging(8);
        _expectPhase(round, Phase.Challenging);
        vm.warp(START + 365 days);
        _expectPhase(round, Phase.Final);
    }

    function test_reveal__operatorOrBenchmarker__storesAndEmits() external {
        for (uint256 i = 0; i < 2; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round,) = _toRevealing(8);
            vm.warp(rounds.deadlinesOf(round).revealBy - 1);
            vm.expectEmit(address(rounds));
            emit IRounds.Revealed(round, BUNDLE);
            vm.prank(i == 0 ? examiner.addr : benchmarker);
            rounds.reveal(round, BUNDLE);
            assertEq(rounds.roundOf(round).revealedAt, vm.getBlockTimestamp());
            assertEq(rounds.roundOf(round).bundleDigest, BUNDLE);
            vm.revertToState(snapshot);
        }
    }

    function test_reveal__atItsDeadline__reverts() external {
        (RoundId round,) = _toRevealing(8);
        vm.warp(rounds.deadlinesOf(round).revealBy);
        _expectPhase(round, Phase.Forfeited);
    }

    function _expectPhase(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
        vm.prank(examiner.addr);
        rounds.reveal(round, BUNDLE);
    }
}
