// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Exam, IRounds, Item, Phase, RoundId, ScoreView, Standing, TaskParams, VersionId} from "./support/Exam.sol";
import {MetricThatChanges} from "./support/Metrics.sol";

// Rounds: attest
// ├── given an unknown round, or a caller that is neither operator nor benchmarker
// │   └── it reverts
// ├── given another phase than Attesting: one second before, at and after its edges
// │   └── it reverts
// ├── given a version that is not enrolled or was attested before, also twice in one call
// │   └── it reverts
// ├── given sums of another length
// │   └── it reverts
// ├── given counts that do not add up to n, or bits beyond the three lanes
// │   └── it reverts, also where they would add up modulo 2^32
// ├── given a metric that fails or scores above 1e18
// │   └── it reverts
// ├── given more silence than the task allows, or nothing but decoys
// │   └── it stands Incomplete, without a score, whatever the metric says
// ├── given as much silence as the task allows
// │   └── it stands Scored
// ├── it keeps score, counts and a full-width commitment, and publishes the root
// └── when all are attested, in one transaction or several
//     └── the round is Revealing
contract RoundsAttestTest is Exam {
    function test_attest__unknownRound__reverts() external {
        RoundId none = RoundId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        rounds.attest(none, new Attestation[](0));
    }

    function test_attest__stranger__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        Attestation[] memory list = _list(_attestation(version, items));
        address[3] memory callers = [stranger, provider.addr, providerOwner];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(IRounds.NotBenchmarker.selector, round, callers[i]));
            vm.prank(callers[i]);
            rounds.attest(round, list);
        }

        vm.prank(benchmarker);
        rounds.attest(round, list);
        assertEq(rounds.phaseOf(round), Phase.Revealing);
    }

    function test_attest__outsideItsWindow__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        uint256 answerBy = rounds.deadlinesOf(round).answerBy;
        Attestation memory a = _attestation(version, items);

        vm.warp(answerBy - 1);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Answering));
        vm.warp(answerBy + ATTEST);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Forfeited));
        vm.warp(answerBy + ATTEST + 1);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Forfeited));

        vm.warp(answerBy + ATTEST - 1);
        _attest(round, a);
    }

    function test_attest__whenAllAreAttested__reverts() external {
        (RoundId round, Item[] memory items) = _toRevealing(8);
        _expect(round, _attestation(version, items), abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Revealing));
    }

    function test_attest__notEnrolled__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        VersionId none = VersionId.wrap(keccak256("none"));
        _expect(round, _attestation(none, items), abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, none));
    }

    function test_attest__twice__reverts() external {
        (RoundId round, Item[] memory items, VersionId second) = _two();
        bytes memory again = abi.encodeWithSelector(IRounds.AlreadyAttested.selector, round, version);

        Attestation[] memory list = new Attestation[](2);
        list[0] = list[1] = _attestation(version, items);
        vm.expectRevert(again);
        vm.prank(examiner.addr);
        rounds.attest(round, list);

        _attest(round, _attestation(version, items));
        _expect(round, _attestation(version, items), again);
        assertEq(rounds.phaseOf(round), Phase.Attesting);
        _attest(round, _attestation(second, items));
        assertEq(rounds.phaseOf(round), Phase.Revealing);
    }

    function test_attest__wrongLengthOfSums__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        Attestation memory a = _attestation(version, items);
        a.sums = new uint256[](2);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongSums.selector, 3, 2));
        a.sums = new uint256[](4);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongSums.selector, 3, 4));
        a.sums = new uint256[](0);
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongSums.selector, 3, 0));
    }

    function test_attest__wrongCounts__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        _expectCounts(round, items, _counts(7, 0, 0));
        _expectCounts(round, items, _counts(9, 0, 0));
        _expectCounts(round, items, _counts(6, 1, 2));
        _expectCounts(round, items, 0);
        _expectCounts(round, items, _counts(6, 1, 1) | 1 << 96);
        _expectCounts(round, items, _counts(6, 1, 1) | 1 << 255);
        _expectCounts(round, items, _counts(type(uint32).max, 9, 0)); // 8 modulo 2^32.
        _expectCounts(round, items, type(uint256).max);
    }

    function test_attest__metricFails__reverts() external {
        (RoundId round, MetricThatChanges teller) = _withChangingMetric();
        teller.tell(2, 0, true);
        _expect(round, _blank(_counts(8, 0, 0)), abi.encodeWithSelector(MetricThatChanges.Failed.selector));
    }

    function test_attest__scoreAboveOne__reverts() external {
        (RoundId round, MetricThatChanges teller) = _withChangingMetric();
        teller.tell(2, 1e18 + 1, false);
        _expect(round, _blank(_counts(8, 0, 0)), abi.encodeWithSelector(IRounds.ScoreOutOfRange.selector, 1e18 + 1));
        teller.tell(2, type(uint64).max + uint256(1), false);
        _expect(round, _blank(_counts(8, 0, 0)), abi.encodeWithSelector(IRounds.ScoreOutOfRange.selector, uint256(1) << 64));

        teller.tell(2, 1e18, false);
        _attest(round, _blank(_counts(8, 0, 0)));
        assertEq(rounds.scoreOf(round, version).score, 1e18);
    }

    function test_attest__metricChangesItsWords__keepsTheTasksWords() external {
        (RoundId round, MetricThatChanges teller) = _withChangingMetric();
        teller.tell(9, 5e17, false);
        _attest(round, _blank(_counts(8, 0, 0)));
        assertEq(rounds.scoreOf(round, version).score, 5e17);
    }

    function test_attest__tooMuchSilence__isIncompleteWithoutScore() external {
        (RoundId round, MetricThatChanges teller) = _withChangingMetric();
        teller.tell(2, 1e18, true); // Would revert if it were asked.
        Attestation memory a = _blank(_counts(4, 2, 2));

        vm.expectEmit(address(rounds));
        emit IRounds.Attested(round, version, a.rootHash, a.sums, 0, false);
        _attest(round, a);

        ScoreView memory v = rounds.scoreOf(round, version);
        assertEq(v.standing, Standing.Incomplete);
        assertEq(abi.encode(v.score, v.answered, v.silent, v.decoys), abi.encode(0, 4, 2, 2));
        assertEq(rounds.phaseOf(round), Phase.Revealing);
    }

    function test_attest__silenceAtTheLimit__isScored() external {
        (RoundId round,) = _withChangingMetric();
        _attest(round, _blank(_counts(6, 2, 0)));
        assertEq(rounds.scoreOf(round, version).standing, Standing.Scored);
    }

    function test_attest__onlyDecoys__isIncomplete() external {
        (RoundId round,) = _withChangingMetric();
        _attest(round, _blank(_counts(0, 0, 8)));
        assertEq(rounds.scoreOf(round, version).standing, Standing.Incomplete);
    }

    function testFuzz_attest__anyCounts__followsTheRuleOfSilence(uint32 answered, uint32 silent, uint16 bps) external {
        answered = uint32(bound(answered, 0, 8));
        silent = uint32(bound(silent, 0, 8 - answered));
        TaskParams memory p = _params();
        p.maxSilenceBps = uint16(bound(bps, 0, 9_999));
        task = tasks.register(p);
        (RoundId round,) = _toAttesting(8);
        Attestation memory a = _blank(_counts(answered, silent, 8 - answered - silent));

        _attest(round, a);

        bool complete = answered + silent > 0 && uint256(silent) * 10_000 <= uint256(p.maxSilenceBps) * (answered + silent);
        ScoreView memory v = rounds.scoreOf(round, version);
        assertEq(v.standing, complete ? Standing.Scored : Standing.Incomplete);
        assertEq(abi.encode(v.answered, v.silent, v.decoys), abi.encode(answered, silent, 8 - answered - silent));
    }

    function testFuzz_attest__honestTree__keepsScoreAndCommitment(uint256 n) external {
        n = bound(n, 1, 40);
        (RoundId round, Item[] memory items) = _toAttesting(n);
        Attestation memory a = _attestation(version, items);
        uint256[] memory totals = new uint256[](2);
        (totals[0], totals[1]) = (a.sums[1], a.sums[2]);
        uint256 score = metric.score(totals);

        vm.expectEmit(address(rounds));
        emit IRounds.Attested(round, version, a.rootHash, a.sums, score, true);
        _attest(round, a);

        assertEq(rounds.commitmentOf(round, version), keccak256(abi.encodePacked(a.rootHash, a.sums[0], a.sums[1], a.sums[2])));
        ScoreView memory v = rounds.scoreOf(round, version);
        assertEq(v.score, score);
        assertEq(v.standing, Standing.Scored);
        assertEq(uint256(v.answered) + v.silent + v.decoys, n);
        assertEq(rounds.roundOf(round).attested, 1);
    }

    function test_attest__severalTransactions__allCount() external {
        (RoundId round, Item[] memory items, VersionId second) = _two();
        _attest(round, _attestation(second, items));
        assertEq(rounds.phaseOf(round), Phase.Attesting);
        assertEq(rounds.commitmentOf(round, version), 0);
        vm.prank(examiner.addr);
        rounds.attest(round, new Attestation[](0));
        assertEq(rounds.roundOf(round).attested, 1);
        _attest(round, _attestation(version, items));
        assertEq(rounds.phaseOf(round), Phase.Revealing);
    }

    function _two() private returns (RoundId round, Item[] memory items, VersionId second) {
        vm.warp(START);
        (, second) = _commit(providerOwner, "second", provider.addr);
        vm.warp(START + 1);
        items = _items(8);
        round = _seal(items);
        _enrol(round);
        _enrol(round, second, provider.privateKey);
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
    }

    function _withChangingMetric() private returns (RoundId round, MetricThatChanges teller) {
        teller = new MetricThatChanges();
        metric = teller;
        task = tasks.register(_params());
        round = _sit(_items(8));
        vm.warp(rounds.deadlinesOf(round).answerBy);
    }

    function _counts(uint256 answered, uint256 silent, uint256 decoys) private pure returns (uint256) {
        return answered | silent << 32 | decoys << 64;
    }

    function _blank(uint256 counts) private view returns (Attestation memory a) {
        a = Attestation(version, keccak256("root"), new uint256[](3));
        a.sums[0] = counts;
    }

    function _list(Attestation memory a) private pure returns (Attestation[] memory list) {
        list = new Attestation[](1);
        list[0] = a;
    }

    function _expect(RoundId round, Attestation memory a, bytes memory refusal) private {
        vm.expectRevert(refusal);
        _attest(round, a);
    }

    function _expectCounts(RoundId round, Item[] memory items, uint256 counts) private {
        Attestation memory a = _attestation(version, items);
        a.sums[0] = counts;
        _expect(round, a, abi.encodeWithSelector(IRounds.WrongCounts.selector, counts, 8));
    }
}
