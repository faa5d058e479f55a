// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Exam,
    Fault,
    IMetric,
    IRounds,
    Item,
    Measurement,
    Opening,
    Phase,
    RoundId,
    Standing,
    Trees,
    Verdict,
    VersionId
} from "./support/Exam.sol";
import {MetricOfOtherWidth, MetricThatReverts} from "./support/Metrics.sol";

// Rounds: challengeStatistics
// ├── given no such round, a position beyond the set, or a wrong length
// │   └── it reverts
// ├── given another item than the sealed one: reference, prompt, salt, kind or place
// │   └── it reverts: NotSealedHere
// ├── given another leaf than the attested one: outcome, response, signature, evidence, sums, path, version; or nothing attested
// │   └── it reverts: NotAttestedHere
// ├── given count and statistics that are what they must be, of every outcome, whatever else is wrong with the leaf
// │   └── it reverts: StatisticsHold
// ├── given a wrong count or a wrong statistic, in any word, of any outcome, in a tree of any size
// │   └── it slashes with WrongStatistics, pays half to the challenger and burns half
// ├── given a metric that reverts or returns another number of words
// │   └── it reverts
// ├── given a round that is Slashed, Forfeited or Final
// │   └── it reverts: the first fault takes all
// └── given too little gas
//     └── it reverts, and the round stands
contract StatisticsTest is Exam {
    using Trees for Trees.ScoreTree;

    function test_challengeStatistics__unknownRound__reverts() external {
        (, Measurement memory m) = _true(2);
        RoundId none = RoundId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        rounds.challengeStatistics(none, version, m);
    }

    function test_challengeStatistics__positionBeyondTheSet__reverts() external {
        (RoundId round, Measurement memory m) = _true(2);
        m.position = 8;
        _expect(round, m, abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, 8, 8));
    }

    function test_challengeStatistics__wrongLengths__revert() external {
        (RoundId round, Measurement memory m) = _true(2);
        bytes32[] memory setPath = m.setPath;
        uint256[] memory sumPath = m.sumPath;
        uint256[] memory sums = m.sums;
        for (uint256 length = 0; length < 40; length++) {
            m.setPath = new bytes32[](length);
            if (length != 3) _expectLength(round, m, 3, length);
        }
        m.setPath = setPath;
        for (uint256 length = 0; length < 40; length++) {
            m.sums = new uint256[](length);
            if (length != 3) _expectLength(round, m, 3, length);
        }
        m.sums = sums;
        for (uint256 length = 0; length < 40; length++) {
            m.sumPath = new uint256[](length);
            if (length != 12) _expectLength(round, m, 12, length);
        }
        m.sumPath = sumPath;
        _expectHolds(round, m);
    }

    function test_challengeStatistics__notTheSealedItem__reverts() external {
        (RoundId round, Measurement memory m) = _false(2);
        bytes memory refusal = abi.encodeWithSelector(IRounds.NotSealedHere.selector, round, 2);
        bytes memory whole = abi.encode(m);
        m.referenceText = "another reference";
        _expect(round, m, refusal);
        m = abi.decode(whole, (Measurement));
        m.promptHash = keccak256("another prompt");
        _expect(round, m, refusal);
        m = abi.decode(whole, (Measurement));
        m.salt = ~m.salt;
        _expect(round, m, refusal);
        m = abi.decode(whole, (Measurement));
        m.kind = 1;
        _expect(round, m, refusal);
        m = abi.decode(whole, (Measurement));
        m.setPath[1] = keccak256("another node");
        _expect(round, m, refusal);
        m = abi.decode(whole, (Measurement));
        m.position = 3;
        _expect(round, m, abi.encodeWithSelector(IRounds.NotSealedHere.selector, round, 3));
    }

    function test_challengeStatistics__notTheAttestedLeaf__reverts() external {
        (RoundId round, Measurement memory m) = _false(2);
        bytes memory whole = abi.encode(m);
        m.outcome = SILENT;
        _expectNotAttested(round, m);
        m = abi.decode(whole, (Measurement));
        m.response = "another response";
        _expectNotAttested(round, m);
        m = abi.decode(whole, (Measurement));
        m.signatureHash = keccak256("another signature");
        _expectNotAttested(round, m);
        m = abi.decode(whole, (Measurement));
        m.evidence = "x";
        _expectNotAttested(round, m);
        for (uint256 word = 0; word < 3; word++) {
            m = abi.decode(whole, (Measurement));
            m.sums[word]++;
            _expectNotAttested(round, m);
        }
        for (uint256 word = 0; word < 12; word++) {
            m = abi.decode(whole, (Measurement));
            m.sumPath[word]++;
            _expectNotAttested(round, m);
        }
        m = abi.decode(whole, (Measurement));
        VersionId none = VersionId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotAttestedHere.selector, round, none, 2));
        rounds.challengeStatistics(round, none, m);
    }

    function test_challengeStatistics__nothingAttested__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _answerAll(round, items);
        items[2].sums[1]++;
        _expectNotAttested(round, _measurement(_opening(items, 2)));
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _expectNotAttested(round, _measurement(_opening(items, 2)));
    }

    function testFuzz_challengeStatistics__honestRound__holds(uint256 n, uint256 seed) external {
        n = bound(n, 1, 20);
        (RoundId round, Item[] memory items) = _toChallenging(n);
        for (uint256 p = 0; p < n; p++) {
            Opening memory o = _opening(items, p);
            o.seed = seed;
            _expectHolds(round, _measurement(o));
        }
        assertEq(rounds.phaseOf(round), Phase.Challenging);
    }

    /// @dev A foreign signature is the business of `challenge`; the statistics hold.
    function test_challengeStatistics__anotherFault__holds() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _answerAll(round, items);
        items[2].answerSignature = items[1].answerSignature;
        Opening memory o = _attested(round, items, 2);
        assertEq(judge.judge(round, version, o), Verdict.WrongReceipt);
        _expectHolds(round, _measurement(o));
    }

    function test_challengeStatistics__anyWordOfAnyOutcome__slashes() external {
        for (uint256 p = 0; p < 8; p++) {
            for (uint256 word = 0; word < 3; word++) {
                uint256 snapshot = vm.snapshotState();
                Item[] memory items = _items(8);
                RoundId round = _sit(items);
                _answerAll(round, items);
                items[p].sums[word]++;
                if (word == 0) items[(p + 1) % 8].sums[0]--; // the counts still add up to the set
                _slashed(round, _attested(round, items, p));
                vm.revertToState(snapshot);
            }
        }
    }

    /// @dev The count of another outcome, and of outcomes that do not exist.
    function test_challengeStatistics__countOfAnotherOutcome__slashes() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _answerAll(round, items);
        items[2].sums[0] = 1 << 32;
        _slashed(round, _attested(round, items, 2));
    }

    function testFuzz_challengeStatistics__anyClaim__slashesWhereItIsFalse(uint256 n, uint256 p, uint256 word, uint256 claim)
        external
    {
        n = bound(n, 1, 40);
        p = bound(p, 0, n - 1);
        word = bound(word, 1, 2);
        Item[] memory items = _items(n);
        RoundId round = _sit(items);
        _answerAll(round, items);
        // Sums whose score is one: any claim in the word that no score looks at, fewer matches in the other.
        if (word == 1) claim = items[p].sums[1] - bound(claim, 0, items[p].sums[1] & 0xff);
        bool isTrue = items[p].sums[word] == claim;
        items[p].sums[word] = claim;
        Opening memory o = _attested(round, items, p);
        assertEq(judge.judge(round, version, o), isTrue ? Verdict.Sound : Verdict.WrongStatistics);
        if (isTrue) _expectHolds(round, _measurement(o));
        else _slashed(round, o);
    }

    function test_challengeStatistics__firstAndLastSecond__slashes() external {
        (RoundId round, Measurement memory m) = _false(2);
        _reveal(round);
        uint256 finalAt = vm.getBlockTimestamp() + CHALLENGE;
        vm.warp(finalAt);
        _expectPhase(round, m, Phase.Final);
        vm.warp(finalAt - 1);
        rounds.challengeStatistics(round, version, m);
        _expectPhase(round, m, Phase.Slashed);
    }

    /// @dev Beyond the window alone the round stays open as long as its queue.
    function test_challengeStatistics__behindAQueue__slashesUntilItsEnd() external {
        (RoundId round, Measurement memory m) = _false(2);
        _reveal(round);
        _fund(stranger, stranger, 1 ether);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE / 2 - 1);
        vm.prank(stranger);
        disputes.demand(round, version, 1);
        (uint40 finalAt,) = rounds.closingOf(round);
        assertGt(finalAt, rounds.roundOf(round).revealedAt + CHALLENGE);
        vm.warp(finalAt);
        _expectPhase(round, m, Phase.Final);
        vm.warp(finalAt - 1);
        rounds.challengeStatistics(round, version, m);
        _expectPhase(round, m, Phase.Slashed);
    }

    function test_challengeStatistics__forfeited__reverts() external {
        (RoundId round, Measurement memory m) = _false(2);
        vm.warp(rounds.deadlinesOf(round).revealBy);
        _expectPhase(round, m, Phase.Forfeited);
    }

    function test_challengeStatistics__metricFails__reverts() external {
        (RoundId round, Measurement memory m) = _under(new MetricThatReverts());
        vm.expectRevert(MetricThatReverts.Refused.selector);
        rounds.challengeStatistics(round, version, m);
        assertEq(rounds.phaseOf(round), Phase.Revealing);
    }

    function test_challengeStatistics__metricOfOtherWidth__reverts() external {
        (RoundId round, Measurement memory m) = _under(new MetricOfOtherWidth());
        _expectLength(round, m, 2, 3);
    }

    function test_challengeStatistics__starvedOfGas__revertsAndLeavesTheRound() external {
        (RoundId round, Measurement memory m) = _false(2);
        bytes memory call = abi.encodeCall(IRounds.challengeStatistics, (round, version, m));
        uint256 starved;
        for (uint256 gasLimit = 10_000; gasLimit < 200_000; gasLimit += 1_000) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(challenger);
            (bool done,) = address(rounds).call{gas: gasLimit}(call);
            assertEq(rounds.phaseOf(round), done ? Phase.Slashed : Phase.Revealing);
            if (!done) starved++;
            vm.revertToState(snapshot);
        }
        assertGt(starved, 30);
        assertLt(starved, 150);
    }

    // An honest round, and one with a statistic that is one too high

    function _true(uint256 p) private returns (RoundId round, Measurement memory m) {
        Item[] memory items = _items(8);
        round = _sit(items);
        _answerAll(round, items);
        m = _measurement(_attested(round, items, p));
    }

    function _false(uint256 p) private returns (RoundId round, Measurement memory m) {
        Item[] memory items = _items(8);
        round = _sit(items);
        _answerAll(round, items);
        items[p].sums[1]++;
        m = _measurement(_attested(round, items, p));
    }

    /// @dev Sealed under a task with that metric, its sums as the fixture's metric measures them.
    function _under(IMetric hostile) private returns (RoundId round, Measurement memory m) {
        metric = hostile;
        task = tasks.register(_params());
        Item[] memory items = _items(8);
        round = _sit(items);
        for (uint256 p = 0; p < 8; p++) {
            items[p].sums = new uint256[](3);
            items[p].sums[0] = uint256(1) << (32 * items[p].outcome);
        }
        m = _measurement(_attested(round, items, 2));
    }

    function _attested(RoundId round, Item[] memory items, uint256 p) private returns (Opening memory) {
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attest(round, _attestation(version, items));
        return _opening(items, p);
    }

    function _slashed(RoundId round, Opening memory o) private {
        vm.expectEmit(address(rounds));
        emit IRounds.RoundSlashed(round, Fault.WrongStatistics, challenger, ROUND_BOND / 2, ROUND_BOND / 2);
        vm.prank(challenger);
        rounds.challengeStatistics(round, version, _measurement(o));
        assertEq(rounds.phaseOf(round), Phase.Slashed);
        assertEq(rounds.roundOf(round).fault, Fault.WrongStatistics);
        assertEq(rounds.scoreOf(round, version).standing, Standing.Struck);
        assertEq(_free(challenger), ROUND_BOND / 2);
        assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
        assertEq(_locked(benchmarker), 0);
    }

    function _expect(RoundId round, Measurement memory m, bytes memory refusal) private {
        vm.expectRevert(refusal);
        rounds.challengeStatistics(round, version, m);
    }

    function _expectLength(RoundId round, Measurement memory m, uint256 expected, uint256 got) private {
        _expect(round, m, abi.encodeWithSelector(IRounds.WrongLength.selector, expected, got));
    }

    function _expectNotAttested(RoundId round, Measurement memory m) private {
        _expect(round, m, abi.encodeWithSelector(IRounds.NotAttestedHere.selector, round, version, m.position));
    }

    function _expectHolds(RoundId round, Measurement memory m) private {
        _expect(round, m, abi.encodeWithSelector(IRounds.StatisticsHold.selector, round, version, m.position));
    }

    function _expectPhase(RoundId round, Measurement memory m, Phase phase) private {
        _expect(round, m, abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
    }
}
