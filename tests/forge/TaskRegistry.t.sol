// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric, ITaskRegistry, RoundTerms, Seals, TaskId, TaskParams} from "./support/Exam.sol";
import {Exam} from "./support/Exam.sol";
import {MetricThatChanges} from "./support/Metrics.sol";

// TaskRegistry
// ├── register
// │   ├── given a metric with another number of words, none, or more than 16
// │   │   └── it reverts
// │   ├── given a cap of zero or above the metric's
// │   │   └── it reverts
// │   ├── given no items, or items times bytes of 2^28
// │   │   └── it reverts; one below is taken
// │   ├── given silence of 100 %
// │   │   └── it reverts; one below is taken
// │   ├── given any window of zero or above 180 days
// │   │   └── it reverts; the edges are taken
// │   ├── given a post window not shorter than the answer window
// │   │   └── it reverts
// │   ├── given a challenge window too short to find a wrong sum by demands
// │   │   └── it reverts; the least one is taken
// │   ├── given good parameters
// │   │   └── it stores them under their hash, numbers them and says so
// │   └── when registered a second time
// │       └── it changes nothing, whatever the metric says by now
// └── views
//     ├── given an unknown id or number
//     │   └── they revert
//     └── given a registered one
//         └── they agree with each other
contract TaskRegistryTest is Exam {
    uint256 internal constant MOST = 180 days;

    function test_register__wrongWords__reverts() external {
        TaskParams memory p = _params();
        p.metricWords = 3;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.WrongMetricWords.selector, 3, 2));
        tasks.register(p);
    }

    function test_register__noWordsOrTooMany__reverts() external {
        MetricThatChanges teller = new MetricThatChanges();
        TaskParams memory p = _params();
        p.metric = teller;

        teller.tell(0, 0, false);
        p.metricWords = 0;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.WrongMetricWords.selector, 0, 0));
        tasks.register(p);

        teller.tell(17, 0, false);
        p.metricWords = 17;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.WrongMetricWords.selector, 17, 17));
        tasks.register(p);

        teller.tell(256 + 16, 0, false);
        p.metricWords = 16;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.WrongMetricWords.selector, 16, 272));
        tasks.register(p);

        teller.tell(16, 0, false);
        tasks.register(p);
    }

    function test_register__noMetric__reverts() external {
        TaskParams memory p = _params();
        p.metric = IMetric(stranger);
        vm.expectRevert();
        tasks.register(p);
    }

    function test_register__capOutOfRange__reverts() external {
        TaskParams memory p = _params();
        p.maxBytes = 0;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.CapTooLarge.selector, 0, 1000));
        tasks.register(p);

        p.maxBytes = 1001;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.CapTooLarge.selector, 1001, 1000));
        tasks.register(p);

        p.maxBytes = 1000;
        tasks.register(p);
    }

    function test_register__noItemsOrTooMuchText__reverts() external {
        TaskParams memory p = _params();
        p.maxItems = 0;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TooMuchText.selector, 0, 200));
        tasks.register(p);

        p.maxBytes = 512;
        p.maxItems = 1 << 19;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TooMuchText.selector, 1 << 19, 512));
        tasks.register(p);

        p.maxItems = (1 << 19) - 1;
        p.demandWindow = 1 hours;
        tasks.register(p);
    }

    function test_register__allNumbersTaken__reverts() external {
        vm.store(address(tasks), bytes32(uint256(2)), bytes32(uint256(1) << 32));
        assertEq(tasks.count(), 1 << 32);
        TaskParams memory p = _params();
        p.maxItems = 999;
        vm.expectRevert(ITaskRegistry.RegistryFull.selector);
        tasks.register(p);
    }

    function test_register__productBeyond32Bits__reverts() external {
        TaskParams memory p = _params();
        p.maxBytes = 512;
        p.maxItems = 1 << 24; // 2^33: zero in 32 bits.
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.TooMuchText.selector, 1 << 24, 512));
        tasks.register(p);
    }

    function test_register__allSilence__reverts() external {
        TaskParams memory p = _params();
        p.maxSilenceBps = 10_000;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.SilenceTooLarge.selector, 10_000));
        tasks.register(p);

        p.maxSilenceBps = 9_999;
        tasks.register(p);
    }

    function test_register__windowOutOfRange__reverts() external {
        for (uint256 i = 0; i < 6; i++) {
            _expectWindow(i, 0);
            _expectWindow(i, uint32(MOST + 1));
            _expectWindow(i, type(uint32).max);
        }
    }

    function test_register__windowsAtTheEdges__registers() external {
        TaskParams memory p = _params();
        (p.answerWindow, p.postWindow, p.attestWindow, p.revealWindow) = (2, 1, 1, 1);
        (p.challengeWindow, p.demandWindow) = (22, 1);
        tasks.register(p);

        (p.answerWindow, p.postWindow) = (uint32(MOST), uint32(MOST) - 1);
        (p.attestWindow, p.revealWindow, p.challengeWindow) = (uint32(MOST), uint32(MOST), uint32(MOST));
        tasks.register(p);
    }

    function test_register__postWindowTooLong__reverts() external {
        TaskParams memory p = _params();
        p.postWindow = p.answerWindow;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.PostWindowTooLong.selector, ANSWER, ANSWER));
        tasks.register(p);

        p.postWindow = p.answerWindow - 1;
        tasks.register(p);
    }

    function test_register__challengeWindowTooShort__reverts() external {
        TaskParams memory p = _params();
        uint256 least = 2 * 11 * 4 hours; // 1000 items stand in a tree of depth 10.
        p.challengeWindow = uint32(least - 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.ChallengeWindowTooShort.selector, least - 1, least));
        tasks.register(p);

        p.challengeWindow = uint32(least);
        tasks.register(p);

        p.maxItems = 1025;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.ChallengeWindowTooShort.selector, least, least + 8 hours));
        tasks.register(p);
    }

    function test_register__goodParams__storesAndEmits() external {
        TaskParams memory p = _params();
        p.descriptionDigest = keccak256("another");
        TaskId id = TaskId.wrap(keccak256(abi.encode(p)));

        vm.expectEmit(address(tasks));
        emit ITaskRegistry.TaskRegistered(id, address(metric), p);
        vm.prank(stranger);
        assertEq(tasks.register(p), id);

        assertEq(abi.encode(tasks.paramsOf(id)), abi.encode(p));
        assertEq(tasks.idOf(p), id);
        assertEq(tasks.count(), 2);
        assertEq(tasks.idAt(1), id);
        assertEq(tasks.idAt(0), task);
    }

    function test_register__secondTime__changesNothing() external {
        MetricThatChanges teller = new MetricThatChanges();
        TaskParams memory p = _params();
        p.metric = teller;
        TaskId id = tasks.register(p);
        teller.tell(5, 0, false);

        vm.recordLogs();
        assertEq(tasks.register(p), id);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(tasks.count(), 2);
    }

    function test_views__unknown__revert() external {
        TaskId none = TaskId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, none));
        tasks.paramsOf(none);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownTask.selector, none));
        tasks.sealTermsOf(none);
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.UnknownNumber.selector, 1));
        tasks.idAt(1);
        assertEq(RoundTerms.unwrap(tasks.roundTermsAt(1)), 0);
        (IMetric unset,,) = tasks.proofTermsAt(1);
        assertEq(address(unset), address(0));
        (, uint96 versionBond,) = tasks.otherTermsAt(1);
        assertEq(versionBond, 0);
        (IMetric none_,,,) = tasks.scoringAt(1);
        assertEq(address(none_), address(0));
    }

    function testFuzz_register__anyGoodParams__viewsAgree(TaskParams memory p) external {
        p.metric = metric;
        p.metricWords = 2;
        p.maxBytes = uint32(bound(p.maxBytes, 1, 1000));
        p.maxItems = uint32(bound(p.maxItems, 1, ((1 << 28) - 1) / p.maxBytes));
        p.maxSilenceBps = uint16(bound(p.maxSilenceBps, 0, 9_999));
        p.answerWindow = uint32(bound(p.answerWindow, 2, MOST));
        p.postWindow = uint32(bound(p.postWindow, 1, p.answerWindow - 1));
        p.attestWindow = uint32(bound(p.attestWindow, 1, MOST));
        p.revealWindow = uint32(bound(p.revealWindow, 1, MOST));
        uint256 steps = 2 * (Seals.depth(p.maxItems) + 1);
        p.demandWindow = uint32(bound(p.demandWindow, 1, MOST / steps));
        p.challengeWindow = uint32(bound(p.challengeWindow, steps * p.demandWindow, MOST));

        TaskId id = tasks.register(p);

        (uint32 number, uint32 maxItems, uint96 roundBond) = tasks.sealTermsOf(id);
        assertEq(number, 1);
        assertEq(maxItems, p.maxItems);
        assertEq(roundBond, p.roundBond);
        RoundTerms terms = tasks.roundTermsAt(number);
        assertEq(terms.answerWindow(), p.answerWindow);
        assertEq(terms.postWindow(), p.postWindow);
        assertEq(terms.attestWindow(), p.attestWindow);
        assertEq(terms.revealWindow(), p.revealWindow);
        assertEq(terms.challengeWindow(), p.challengeWindow);
        assertEq(terms.bond(), p.roundBond);
        (uint32 window, uint96 versionBond, uint64 fee) = tasks.otherTermsAt(number);
        assertEq(abi.encode(window, versionBond, fee), abi.encode(p.demandWindow, p.versionBond, p.demandFee));
        assertEq(abi.encode(tasks.paramsOf(id)), abi.encode(p));
        _expectScoring(number, p);
    }

    function _expectScoring(uint32 number, TaskParams memory p) private view {
        (IMetric same, uint8 asMany, RoundTerms terms) = tasks.proofTermsAt(number);
        assertEq(abi.encode(same, asMany, terms), abi.encode(metric, 2, tasks.roundTermsAt(number)));
        (IMetric m, uint8 words, uint32 maxBytes, uint16 bps) = tasks.scoringAt(number);
        assertEq(abi.encode(m, words, maxBytes, bps), abi.encode(metric, 2, p.maxBytes, p.maxSilenceBps));
    }

    function _expectWindow(uint256 i, uint32 window) private {
        TaskParams memory p = _params();
        if (i == 0) p.answerWindow = window;
        if (i == 1) p.postWindow = window;
        if (i == 2) p.attestWindow = window;
        if (i == 3) p.revealWindow = window;
        if (i == 4) p.challengeWindow = window;
        if (i == 5) p.demandWindow = window;
        vm.expectRevert(abi.encodeWithSelector(ITaskRegistry.WindowOutOfRange.selector, window));
        tasks.register(p);
    }
}
