// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Deadlines,
    Exam,
    Fault,
    IRounds,
    IStakeVault,
    Item,
    Phase,
    Round,
    RoundId,
    ScoreView,
    Standing,
    TaskParams,
    VersionId
} from "./support/Exam.sol";

// Rounds: phases, forfeit, release, releaseVersions, slash, views
// ├── phaseOf: one second before, at and after each deadline
// ├── forfeit
// │   ├── given any phase but Forfeited
// │   │   └── it reverts
// │   ├── given a missed attestation or a missed reveal
// │   │   └── it pays half to the caller and burns half, once
// │   └── it strikes the scores without being called
// ├── release
// │   ├── given any phase but Final and Void
// │   │   └── it reverts
// │   └── it frees the bond, once
// ├── releaseVersions
// │   ├── given a time before the release, or a version that is not enrolled
// │   │   └── it reverts
// │   └── it frees each bond once, whatever the phase
// ├── slash
// │   ├── given a caller that is not Disputes, or a round that is Void, Forfeited, Slashed or Final
// │   │   └── it reverts
// │   └── it pays half, burns half, strikes the scores, and leaves the provider's bond alone
// └── views of an unknown round
contract RoundsPhasesTest is Exam {
    RoundId internal constant NONE = RoundId.wrap(keccak256("none"));

    // phaseOf

    function test_phaseOf__unknown__isUnknown() external view {
        assertEq(rounds.phaseOf(NONE), Phase.Unknown);
    }

    function test_phaseOf__nobodyEnrolled__isVoidFromAnswerBy() external {
        RoundId round = _seal(keccak256("root"), 8);
        Deadlines memory d = rounds.deadlinesOf(round);
        _expectAround(round, d.answerBy, Phase.Answering, Phase.Void);
        vm.warp(START + 10_000 days);
        assertEq(rounds.phaseOf(round), Phase.Void);
    }

    function test_phaseOf__notAttested__isForfeitedFromAttestBy() external {
        RoundId round = _sit(_items(8));
        Deadlines memory d = rounds.deadlinesOf(round);
        _expectAround(round, d.answerBy, Phase.Answering, Phase.Attesting);
        _expectAround(round, d.attestBy, Phase.Attesting, Phase.Forfeited);
        _expectAround(round, d.revealBy, Phase.Forfeited, Phase.Forfeited);
    }

    function test_phaseOf__notRevealed__isForfeitedFromRevealBy() external {
        (RoundId round,) = _toRevealing(8);
        Deadlines memory d = rounds.deadlinesOf(round);
        _expectAround(round, d.attestBy, Phase.Revealing, Phase.Revealing);
        _expectAround(round, d.revealBy, Phase.Revealing, Phase.Forfeited);
        _expectAround(round, d.versionsReleasedAt, Phase.Forfeited, Phase.Forfeited);
    }

    function test_phaseOf__revealed__isFinalAfterTheChallengeWindow() external {
        (RoundId round,) = _toChallenging(8);
        uint256 revealedAt = rounds.roundOf(round).revealedAt;
        Deadlines memory d = rounds.deadlinesOf(round);
        _expectAround(round, d.attestBy, Phase.Challenging, Phase.Challenging);
        _expectAround(round, revealedAt + CHALLENGE, Phase.Challenging, Phase.Final);
        _expectAround(round, d.versionsReleasedAt, Phase.Final, Phase.Final);
    }

    function test_phaseOf__slashed__staysSlashed() external {
        (RoundId round,) = _toChallenging(8);
        _slash(round);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
        vm.warp(START + 10_000 days);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
    }

    function test_phaseOf__slashedBeforeAnybodyEnrolled__isNotVoid() external {
        RoundId round = _seal(keccak256("root"), 8);
        _slash(round);
        vm.warp(START + 10_000 days);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
    }

    function test_deadlinesOf__anyRound__addsUp() external {
        RoundId round = _seal(keccak256("root"), 8);
        uint256 t = rounds.roundOf(round).sealedAt;
        Deadlines memory d = rounds.deadlinesOf(round);
        assertEq(d.answerBy, t + ANSWER);
        assertEq(d.attestBy, t + ANSWER + ATTEST);
        assertEq(d.revealBy, t + ANSWER + ATTEST + REVEAL);
        assertEq(d.versionsReleasedAt, t + ANSWER + ATTEST + REVEAL + CHALLENGE);
    }

    function test_deadlinesOf__unknown__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, NONE));
        rounds.deadlinesOf(NONE);
    }

    function test_views__unknown__areEmpty() external view {
        Round memory empty;
        assertEq(abi.encode(rounds.roundOf(NONE)), abi.encode(empty));
        ScoreView memory v = rounds.scoreOf(NONE, version);
        assertEq(v.phase, Phase.Unknown);
        assertEq(v.standing, Standing.None);
        assertEq(rounds.commitmentOf(NONE, version), 0);
        (bool posted, bytes32 hash) = rounds.postedOf(NONE, version, 0);
        assertFalse(posted);
        assertEq(hash, 0);
    }

    function test_domainSeparator__otherChain__isAnother() external {
        bytes32 here = rounds.domainSeparator();
        bytes32 typeHash = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        assertEq(here, keccak256(abi.encode(typeHash, keccak256("Assay"), keccak256("1"), block.chainid, rounds)));
        vm.chainId(block.chainid + 1);
        assertNotEq(rounds.domainSeparator(), here);
    }

    // forfeit

    function test_forfeit__otherPhases__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, NONE));
        rounds.forfeit(NONE);

        RoundId round = _seal(keccak256("root"), 8);
        _expectForfeit(round, Phase.Answering);
        vm.warp(START + 365 days);
        _expectForfeit(round, Phase.Void);

        vm.warp(START + 1);
        Item[] memory items;
        (round, items) = _toAttesting(7);
        _expectForfeit(round, Phase.Attesting);
        _attest(round, items);
        _expectForfeit(round, Phase.Revealing);
        _reveal(round);
        _expectForfeit(round, Phase.Challenging);
        vm.warp(START + 365 days);
        _expectForfeit(round, Phase.Final);
    }

    function test_forfeit__slashed__reverts() external {
        RoundId round = _sit(_items(8));
        _slash(round);
        vm.warp(START + 365 days);
        _expectForfeit(round, Phase.Slashed);
    }

    function test_forfeit__missedAttestation__paysAndBurnsOnce() external {
        RoundId round = _sit(_items(8));
        vm.warp(rounds.deadlinesOf(round).attestBy);
        _forfeitAndCheck(round);
    }

    function test_forfeit__missedReveal__paysAndBurnsOnce() external {
        (RoundId round,) = _toRevealing(8);
        vm.warp(rounds.deadlinesOf(round).revealBy);
        ScoreView memory v = rounds.scoreOf(round, version);
        assertEq(v.standing, Standing.Struck);
        assertEq(v.score, 0);
        _forfeitAndCheck(round);
    }

    // release

    function test_release__otherPhases__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, NONE));
        rounds.release(NONE);

        RoundId round = _sit(_items(8));
        _expectRelease(round, Phase.Answering);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _expectRelease(round, Phase.Attesting);
        vm.warp(rounds.deadlinesOf(round).attestBy);
        _expectRelease(round, Phase.Forfeited);
        vm.prank(stranger);
        rounds.forfeit(round);
        _expectRelease(round, Phase.Forfeited);

        vm.warp(START + 1);
        (round,) = _toRevealing(7);
        _expectRelease(round, Phase.Revealing);
        _reveal(round);
        _expectRelease(round, Phase.Challenging);
        _slash(round);
        vm.warp(START + 365 days);
        _expectRelease(round, Phase.Slashed);
    }

    function test_release__final__freesOnce() external {
        (RoundId round,) = _toChallenging(8);
        vm.warp(rounds.roundOf(round).revealedAt + CHALLENGE - 1);
        _expectRelease(round, Phase.Challenging);
        vm.warp(rounds.roundOf(round).revealedAt + CHALLENGE);
        _releaseAndCheck(round);
    }

    function test_release__void__freesOnce() external {
        RoundId round = _seal(keccak256("root"), 8);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _releaseAndCheck(round);
    }

    // releaseVersions

    function test_releaseVersions__tooEarly__reverts() external {
        (RoundId round,) = _toChallenging(8);
        vm.warp(rounds.deadlinesOf(round).versionsReleasedAt - 1);
        assertEq(rounds.phaseOf(round), Phase.Final);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToRelease.selector, round));
        rounds.releaseVersions(round, _one(version));
    }

    function test_releaseVersions__unknownOrNotEnrolled__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, NONE));
        rounds.releaseVersions(NONE, _one(version));

        RoundId round = _seal(keccak256("root"), 8);
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, version));
        rounds.releaseVersions(round, _one(version));
    }

    function test_releaseVersions__anyPhase__freesOnce() external {
        for (uint256 i = 0; i < 3; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round,) = _toRevealing(8);
            if (i == 1) _reveal(round);
            if (i == 2) _slash(round);
            vm.warp(rounds.deadlinesOf(round).versionsReleasedAt);
            assertEq(rounds.phaseOf(round), i == 0 ? Phase.Forfeited : i == 1 ? Phase.Final : Phase.Slashed);

            VersionId[] memory twice = new VersionId[](2);
            (twice[0], twice[1]) = (version, version);
            vm.expectEmit(address(rounds));
            emit IRounds.VersionReleased(round, version);
            vm.expectEmit(address(vault));
            emit IStakeVault.Unlocked(providerOwner, provider.addr, VERSION_BOND);
            vm.prank(stranger);
            rounds.releaseVersions(round, twice);
            assertEq(_free(providerOwner), 100 ether);
            assertEq(_locked(providerOwner), 0);

            vm.recordLogs();
            rounds.releaseVersions(round, twice);
            assertEq(vm.getRecordedLogs().length, 0);
            vm.revertToState(snapshot);
        }
    }

    // slash

    function test_slash__notDisputes__reverts() external {
        (RoundId round,) = _toChallenging(8);
        address[4] memory callers = [stranger, benchmarker, address(judge), address(vault)];
        for (uint256 i = 0; i < 4; i++) {
            vm.expectRevert(abi.encodeWithSelector(IRounds.NotDisputes.selector, callers[i]));
            vm.prank(callers[i]);
            rounds.slash(round, Fault.Dropped, challenger);
        }
    }

    function test_slash__overRounds__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, NONE));
        vm.prank(address(disputes));
        rounds.slash(NONE, Fault.Dropped, challenger);

        RoundId round = _seal(keccak256("root"), 8);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _expectSlash(round, Phase.Void);

        vm.warp(START + 1);
        round = _sit(_items(7));
        vm.warp(rounds.deadlinesOf(round).attestBy);
        _expectSlash(round, Phase.Forfeited);

        vm.warp(START + 1);
        (round,) = _toChallenging(6);
        vm.warp(rounds.roundOf(round).revealedAt + CHALLENGE);
        _expectSlash(round, Phase.Final);
        vm.warp(rounds.roundOf(round).revealedAt + CHALLENGE - 1);
        _slash(round);
        _expectSlash(round, Phase.Slashed);
    }

    function test_slash__anyOpenPhase__paysBurnsAndStrikes() external {
        for (uint256 i = 0; i < 4; i++) {
            uint256 snapshot = vm.snapshotState();
            RoundId round;
            if (i == 0) round = _sit(_items(8));
            if (i == 1) (round,) = _toAttesting(8);
            if (i == 2) (round,) = _toRevealing(8);
            if (i == 3) (round,) = _toChallenging(8);
            assertEq(uint8(rounds.phaseOf(round)), uint8(Phase.Answering) + i);

            vm.expectEmit(address(rounds));
            emit IRounds.RoundSlashed(round, Fault.Dropped, challenger, ROUND_BOND / 2, ROUND_BOND / 2);
            _slash(round);

            assertEq(rounds.roundOf(round).fault, Fault.Dropped);
            ScoreView memory v = rounds.scoreOf(round, version);
            assertEq(v.phase, Phase.Slashed);
            assertEq(v.standing, Standing.Struck);
            assertEq(v.score, 0);
            assertEq(_free(challenger), ROUND_BOND / 2);
            assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
            assertEq(_locked(benchmarker), 0);
            assertEq(_locked(providerOwner), VERSION_BOND);
            vm.revertToState(snapshot);
        }
    }

    function test_slash__oddBond__burnsTheOddWei() external {
        TaskParams memory p = _params();
        p.roundBond = 3;
        task = tasks.register(p);
        RoundId round = _seal(keccak256("root"), 8);
        _slash(round);
        assertEq(_free(challenger), 1);
        assertEq(vault.burnedOf(benchmarker), 2);
    }

    function _slash(RoundId round) private {
        vm.prank(address(disputes));
        rounds.slash(round, Fault.Dropped, challenger);
    }

    function _expectAround(RoundId round, uint256 edge, Phase before, Phase from) private {
        vm.warp(edge - 1);
        assertEq(rounds.phaseOf(round), before);
        vm.warp(edge);
        assertEq(rounds.phaseOf(round), from);
        vm.warp(edge + 1);
        assertEq(rounds.phaseOf(round), from);
    }

    function _expectForfeit(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
        rounds.forfeit(round);
    }

    function _expectRelease(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
        rounds.release(round);
    }

    function _expectSlash(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
        vm.prank(address(disputes));
        rounds.slash(round, Fault.Dropped, challenger);
    }

    function _forfeitAndCheck(RoundId round) private {
        vm.expectEmit(address(rounds));
        emit IRounds.RoundForfeited(round, stranger, ROUND_BOND / 2, ROUND_BOND / 2);
        vm.prank(stranger);
        rounds.forfeit(round);
        assertEq(_free(stranger), ROUND_BOND / 2);
        assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
        assertEq(_locked(benchmarker), 0);
        assertEq(_locked(providerOwner), VERSION_BOND);

        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToRelease.selector, round));
        rounds.forfeit(round);
    }

    function _releaseAndCheck(RoundId round) private {
        vm.expectEmit(address(rounds));
        emit IRounds.RoundReleased(round);
        vm.expectEmit(address(vault));
        emit IStakeVault.Unlocked(benchmarker, examiner.addr, ROUND_BOND);
        vm.prank(stranger);
        rounds.release(round);
        assertEq(_free(benchmarker), 100 ether);
        assertEq(_locked(benchmarker), 0);

        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToRelease.selector, round));
        rounds.release(round);
    }
}
