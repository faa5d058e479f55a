// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Exam,
    IJudge,
    IMetric,
    IRounds,
    Item,
    Opening,
    RoundId,
    Sibling,
    TaskParams,
    Trees,
    Verdict,
    VersionId
} from "./support/Exam.sol";
import {MetricOfOtherWidth, MetricThatBurns, MetricThatReverts} from "./support/Metrics.sol";

// Judge
// ├── given an unknown round, a position beyond the set, or a wrong length of a path or of sums
// │   └── it reverts
// ├── given a sealed text, kind, salt, position or path that is not the sealed one
// │   └── NotSealed, whatever else is wrong
// ├── given an outcome, response, signature, evidence, sums or path that is not the attested one, or nothing attested
// │   └── NotAttested, whatever else is wrong
// ├── given what stands under both roots
// │   ├── an outcome that contradicts the kind, no such kind, no such outcome
// │   │   └── WrongKind
// │   ├── a Silent or Decoy leaf that carries something
// │   │   └── Malformed
// │   ├── a text over the cap, each of the four; at the cap it is sound
// │   │   └── TooLong
// │   ├── a signature that is not the provider's over exactly this exchange
// │   │   └── WrongReceipt
// │   ├── counts, statistics, or padding that counts
// │   │   └── WrongStatistics
// │   ├── a Silent leaf where an answer was posted
// │   │   └── Dropped
// │   └── several at once
// │       └── the first in the fixed order
// ├── given a metric that reverts, burns its gas, or returns another number of words
// │   └── it reverts
// ├── given too little gas
// │   └── it reverts, or says the same: never another verdict
// └── given an honest round
//     └── every opening of every size is Sound, with any seed
contract JudgeTest is Exam {
    using Trees for Trees.SetTree;
    using Trees for Trees.ScoreTree;

    // Shape

    function test_judge__unknownRound__reverts() external {
        (, Item[] memory items) = _toAttesting(8);
        RoundId none = RoundId.wrap(keccak256("none"));
        Opening memory o = _opening(items, 0);
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        judge.judge(none, version, o);
    }

    function test_judge__positionBeyondTheSet__reverts() external {
        (RoundId round, Item[] memory items) = _toRevealing(5);
        Opening memory o = _opening(items, 4);
        for (uint32 p = 5; p < 9; p++) {
            o.position = p;
            vm.expectRevert(abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, p, 5));
            judge.judge(round, version, o);
        }
        o.position = type(uint32).max;
        vm.expectRevert(abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, type(uint32).max, 5));
        judge.judge(round, version, o);
    }

    function test_judge__wrongLengths__reverts() external {
        (RoundId round, Item[] memory items) = _toRevealing(5);
        for (uint256 got = 0; got < 6; got++) {
            if (got == 3) continue;
            Opening memory o = _opening(items, 2);
            o.setPath = new bytes32[](got);
            _expectLength(round, o, 3, got);
            o = _opening(items, 2);
            o.sumPath = _blankPath(got, 3);
            _expectLength(round, o, 3, got);
            o = _opening(items, 2);
            o.sums = new uint256[](got);
            _expectLength(round, o, 3, got);
            o = _opening(items, 2);
            o.sumPath[got % 3].sums = new uint256[](got);
            _expectLength(round, o, 3, got);
        }
    }

    function test_judge__oneItemWithPath__reverts() external {
        (RoundId round, Item[] memory items) = _toRevealing(1);
        Opening memory o = _opening(items, 0);
        o.setPath = new bytes32[](1);
        _expectLength(round, o, 0, 1);
    }

    // Roots

    function test_judge__notTheSealedItem__isNotSealed() external {
        (RoundId round, Item[] memory items) = _toRevealing(8);
        Opening memory o = _opening(items, 2);
        o.prompt = "Another prompt";
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.referenceText = "Another reference";
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.salt = bytes32(0);
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.kind = 1;
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.kind = 255;
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.setPath[1] = bytes32(0);
        _expect(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.position = 3;
        _expect(round, o, Verdict.NotSealed);
    }

    function test_judge__notTheAttestedLeaf__isNotAttested() external {
        (RoundId round, Item[] memory items) = _toRevealing(8);
        Opening memory o = _opening(items, 2);
        o.outcome = SILENT;
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.outcome = 255;
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.response = "Another response";
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.answerSignature[0] ^= 0x01;
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.evidence = "evidence";
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.sums[1]++;
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.sumPath[0].sums[2]++;
        _expect(round, o, Verdict.NotAttested);
        o = _opening(items, 2);
        o.sumPath[2].hash = bytes32(0);
        _expect(round, o, Verdict.NotAttested);
    }

    function test_judge__nothingAttested__isNotAttested() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        _expect(round, _opening(items, 2), Verdict.NotAttested);
        _attest(round, items);
        Opening memory o = _opening(items, 2);
        assertEq(judge.judge(round, VersionId.wrap(keccak256("none")), o), Verdict.NotAttested);
    }

    function test_judge__inventedOpening__provesNothing() external {
        (RoundId round,) = _toRevealing(8);
        Item[] memory invented = _items(8);
        _answerAll(round, invented);
        invented[2].response = "Invented";
        invented[2].sums[1] = 0;
        _expect(round, _opening(invented, 2), Verdict.NotAttested);
        invented[2].prompt = "Invented";
        _expect(round, _opening(invented, 2), Verdict.NotSealed);
    }

    // Faults

    function test_judge__outcomeAgainstKind__isWrongKind() external {
        _expectWithout(2, DECOY, Verdict.WrongKind); // A scored item left out as a decoy.
        _expectWithout(3, SILENT, Verdict.WrongKind); // A decoy counted as silence.
        _expectWithout(2, 3, Verdict.WrongKind);
        _expectWithout(2, 255, Verdict.WrongKind);
    }

    function test_judge__answeredDecoy__isWrongKind() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[3].outcome = ANSWERED;
        items[3].response = "text";
        items[3].answerSignature = _signAnswer(round, version, 3, items[3].prompt, "text");
        items[3].sums = _honestSums(items[3]);
        _attestAndExpect(round, items, 3, Verdict.WrongKind);
    }

    function test_judge__noSuchKind__isWrongKind() external {
        Item[] memory items = _items(8);
        items[2].kind = 2;
        RoundId round = _sit(items);
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 2, Verdict.WrongKind);
    }

    function test_judge__silentLeafThatCarries__isMalformed() external {
        for (uint256 i = 0; i < 3; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round, Item[] memory items) = _toAttesting(8);
            if (i == 0) items[5].response = "x";
            if (i == 1) items[5].answerSignature = "x";
            if (i == 2) items[5].evidence = "x";
            _attestAndExpect(round, items, 5, Verdict.Malformed);
            vm.revertToState(snapshot);
        }
    }

    function test_judge__decoyLeafThatCarries__isMalformed() external {
        for (uint256 i = 0; i < 3; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round, Item[] memory items) = _toAttesting(8);
            if (i == 0) items[3].response = "x";
            if (i == 1) items[3].answerSignature = "x";
            if (i == 2) items[3].evidence = "x";
            _attestAndExpect(round, items, 3, Verdict.Malformed);
            vm.revertToState(snapshot);
        }
    }

    function test_judge__textAtAndOverTheCap__isTooLong() external {
        for (uint256 i = 0; i < 8; i++) {
            uint256 snapshot = vm.snapshotState();
            bytes memory text = new bytes(i % 2 == 0 ? 200 : 201);
            Item[] memory items = _items(8);
            if (i / 2 == 0) items[2].prompt = text;
            if (i / 2 == 1) items[2].referenceText = text;
            if (i / 2 == 2) items[2].response = text;
            if (i / 2 == 3) items[2].evidence = text;
            RoundId round = _sit(items);
            _answerAll(round, items);
            vm.warp(rounds.deadlinesOf(round).answerBy);
            _attestAndExpect(round, items, 2, i % 2 == 0 ? Verdict.Sound : Verdict.TooLong);
            vm.revertToState(snapshot);
        }
    }

    function test_judge__overlongDecoy__isTooLong() external {
        Item[] memory items = _items(8);
        items[3].prompt = new bytes(201);
        RoundId round = _sit(items);
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 3, Verdict.TooLong);
    }

    function test_judge__foreignSignature__isWrongReceipt() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        RoundId other = RoundId.wrap(keccak256("other"));
        bytes memory prompt = items[2].prompt;
        bytes memory text = items[2].response;
        _expectReceipt(round, items, _signAnswer(other, version, 2, prompt, text));
        _expectReceipt(round, items, _signAnswer(round, VersionId.wrap(0), 2, prompt, text));
        _expectReceipt(round, items, _signAnswer(round, version, 1, prompt, text));
        _expectReceipt(round, items, _signAnswer(round, version, 2, "another prompt", text));
        _expectReceipt(round, items, _signAnswer(round, version, 2, prompt, "another text"));
        _expectReceipt(round, items, "");
        _expectReceipt(round, items, new bytes(65));
        _expectReceipt(round, items, abi.encodePacked(items[2].answerSignature, uint8(0)));
        _expectReceipt(round, items, _twin(items[2].answerSignature));

        vm.chainId(block.chainid + 1);
        bytes memory elsewhere = _signAnswer(round, version, 2, prompt, text);
        vm.chainId(block.chainid - 1);
        _expectReceipt(round, items, elsewhere);
    }

    function test_judge__emptyAnswer__isSoundWithReceiptOnly() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[2].response = "";
        items[2].sums = _honestSums(items[2]);
        _expectReceipt(round, items, "");
        items[2].answerSignature = _signAnswer(round, version, 2, items[2].prompt, "");
        _attestAndExpect(round, items, 2, Verdict.Sound);
    }

    function test_judge__wrongSums__isWrongStatistics() external {
        for (uint256 i = 0; i < 6; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round, Item[] memory items) = _toAttesting(8);
            uint256 p = i < 3 ? 2 : i == 3 ? 5 : 3;
            if (i == 0) items[p].sums[1] += 1;
            if (i == 1) items[p].sums[2] += 1 << 255;
            if (i == 2) items[p].sums[1] -= 1;
            if (i == 3) items[p].sums[1] = 0; // Silence hides the length of the reference.
            if (i == 4) items[p].sums[1] = 1 << 28; // A decoy that counts.
            if (i == 5) items[p].sums[2] = 1;
            _attestAndExpect(round, items, p, Verdict.WrongStatistics);
            vm.revertToState(snapshot);
        }
    }

    function test_judge__wrongCountOfALeaf__isWrongStatistics() external {
        // Two lies that cancel: one leaf counts twice, its neighbour not at all.
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[1].sums[0] = 2;
        items[2].sums[0] = 0;
        _attest(round, items);
        _expect(round, _opening(items, 1), Verdict.WrongStatistics);
        _expect(round, _opening(items, 2), Verdict.WrongStatistics);
        _expect(round, _opening(items, 0), Verdict.Sound);
    }

    function test_judge__countOfAnotherOutcome__isWrongStatistics() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[5].sums[0] = 1; // Silent, counted as Answered.
        _attestAndExpect(round, items, 5, Verdict.WrongStatistics);
    }

    function test_judge__paddingThatCounts__isWrongStatisticsWhateverItsHash() external {
        for (uint256 i = 0; i < 2; i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round, Item[] memory items) = _toAttesting(5);
            Trees.ScoreTree memory tree = _scoreTree(items);
            if (i == 0) tree.hashes[0][7] = keccak256("anything");
            tree.sums[0][5][1] = 1000 << 28; // Beside position 4.
            if (i == 1) tree.sums[0][6][1] = 7 << 28; // Below the node beside positions 4 and 5.
            for (uint256 k = 1; k < tree.hashes.length; k++) {
                Trees._raise(tree, k);
            }
            _attest(round, Attestation(version, tree.rootHash(), tree.rootSums()));
            _expect(round, _opening(items, tree, 4), Verdict.WrongStatistics);
            _expect(round, _opening(items, tree, 0), Verdict.Sound);
            vm.revertToState(snapshot);
        }
    }

    function test_judge__emptyPaddingWithAnyHash__isSound() external {
        (RoundId round, Item[] memory items) = _toAttesting(5);
        Trees.ScoreTree memory tree = _scoreTree(items);
        tree.hashes[0][5] = keccak256("anything");
        for (uint256 k = 1; k < tree.hashes.length; k++) {
            Trees._raise(tree, k);
        }
        _attest(round, Attestation(version, tree.rootHash(), tree.rootSums()));
        _expect(round, _opening(items, tree, 4), Verdict.Sound);
    }

    function test_judge__wrongInnerSum__leavesNoSoundOpeningBelow() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        Trees.ScoreTree memory tree = _scoreTree(items);
        tree.sums[2][0][1] += 100 << 28; // Over positions 0 to 3, whose leaves are true.
        Trees._raise(tree, 3);
        _attest(round, Attestation(version, tree.rootHash(), tree.rootSums()));
        for (uint256 p = 0; p < 8; p++) {
            _expect(round, _opening(items, tree, p), p < 4 ? Verdict.NotAttested : Verdict.Sound);
        }
    }

    function test_judge__sumsThatOverflow__areNoWayAround() external {
        // A huge leaf and its complement wrap to a harmless total; each of the two is a fault.
        (RoundId round, Item[] memory items) = _toAttesting(8);
        unchecked {
            items[1].sums[1] += type(uint256).max - 4;
            items[2].sums[1] += 5;
        }
        _attest(round, items);
        _expect(round, _opening(items, 1), Verdict.WrongStatistics);
        _expect(round, _opening(items, 2), Verdict.WrongStatistics);
        _expect(round, _opening(items, 4), Verdict.Sound);
    }

    function test_judge__silentWherePosted__isDropped() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        rounds.postAnswer(round, _posted(round, 5, items[5].prompt, "posted", vm.getBlockTimestamp() + 60));
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 5, Verdict.Dropped);
    }

    function test_judge__answeredOtherwiseThanPosted__isSound() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        rounds.postAnswer(round, _posted(round, 2, items[2].prompt, "framed", vm.getBlockTimestamp() + 60));
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 2, Verdict.Sound);
    }

    function test_judge__decoyWherePosted__isSound() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        rounds.postAnswer(round, _posted(round, 3, items[3].prompt, "posted", vm.getBlockTimestamp() + 60));
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 3, Verdict.Sound);
    }

    // Order

    function test_judge__severalFaults__saysTheFirstInOrder() external {
        // A scored item marked as a decoy, that carries an overlong text, with wrong sums.
        (RoundId round, Item[] memory items) = _toAttesting(8);
        (items[2].outcome, items[2].response) = (DECOY, new bytes(201));
        uint256 snapshot = vm.snapshotState();
        _attestAndExpect(round, items, 2, Verdict.WrongKind);
        vm.revertToState(snapshot);

        items[2].outcome = SILENT;
        items[2].sums = _honestSums(items[2]);
        _attestAndExpect(round, items, 2, Verdict.Malformed);
        vm.revertToState(snapshot);

        items[2].outcome = ANSWERED;
        items[2].sums = _honestSums(items[2]);
        items[2].sums[1]++;
        _attestAndExpect(round, items, 2, Verdict.TooLong);
        vm.revertToState(snapshot);

        items[2].response = "text";
        _attestAndExpect(round, items, 2, Verdict.WrongReceipt);
    }

    function test_judge__droppedWithWrongSums__isWrongStatistics() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        rounds.postAnswer(round, _posted(round, 5, items[5].prompt, "posted", vm.getBlockTimestamp() + 60));
        _answerAll(round, items);
        items[5].sums[1]++;
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 5, Verdict.WrongStatistics);
    }

    // Metrics

    function test_judge__metricReverts__reverts() external {
        (RoundId round, Item[] memory items) = _withMetric(new MetricThatReverts());
        Opening memory o = _opening(items, 2);
        vm.expectRevert(MetricThatReverts.Refused.selector);
        judge.judge(round, version, o);
        _expect(round, _opening(items, 3), Verdict.Sound); // A decoy needs no metric.
    }

    function test_judge__metricBurnsItsGas__reverts() external {
        (RoundId round, Item[] memory items) = _withMetric(new MetricThatBurns());
        Opening memory o = _opening(items, 2);
        (bool answered,) = address(judge).staticcall{gas: 5_000_000}(abi.encodeCall(IJudge.judge, (round, version, o)));
        assertFalse(answered);
    }

    function test_judge__metricOfOtherWidth__reverts() external {
        (RoundId round, Item[] memory items) = _withMetric(new MetricOfOtherWidth());
        Opening memory o = _opening(items, 2);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongLength.selector, 2, 3));
        judge.judge(round, version, o);
    }

    function test_judge__metricReverts__cannotShieldOtherFaults() external {
        Item[] memory items = _items(8);
        metric = new MetricThatReverts();
        task = tasks.register(_params());
        RoundId round = _sit(items);
        for (uint256 p = 0; p < 8; p++) {
            items[p].sums = new uint256[](3);
            items[p].sums[0] = uint256(1) << (32 * items[p].outcome);
        }
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 2, Verdict.WrongReceipt);
    }

    // Gas

    function test_judge__starvedOfGas__neverSaysAnother() external {
        (RoundId round, Item[] memory items) = _toRevealing(8);
        bytes memory call = abi.encodeCall(IJudge.judge, (round, version, _opening(items, 2)));
        uint256 refused;
        uint256 answered;
        for (uint256 gasLimit = 20_000; gasLimit < 140_000; gasLimit += 250) {
            (bool returned, bytes memory result) = address(judge).staticcall{gas: gasLimit}(call);
            if (!returned) {
                refused++;
                continue;
            }
            answered++;
            assertEq(abi.decode(result, (Verdict)), Verdict.Sound);
        }
        assertGt(refused, 10);
        assertGt(answered, 10);
    }

    // Honest rounds

    function testFuzz_judge__honestRound__isSound(uint256 n, uint256 p, uint256 seed) external {
        n = bound(n, 1, 40);
        p = bound(p, 0, n - 1);
        (RoundId round, Item[] memory items) = _toRevealing(n);
        Opening memory o = _opening(items, p);
        o.seed = seed;
        vm.prank(stranger);
        assertEq(judge.judge(round, version, o), Verdict.Sound);
    }

    function test_judge__everyPositionOfEverySize__isSound() external {
        uint256[8] memory sizes = [uint256(1), 2, 3, 4, 5, 7, 8, 9];
        for (uint256 i = 0; i < sizes.length; i++) {
            (RoundId round, Item[] memory items) = _toRevealing(sizes[i]);
            for (uint256 p = 0; p < sizes[i]; p++) {
                _expect(round, _opening(items, p), Verdict.Sound);
            }
        }
    }

    function testFuzz_judge__anyTexts__areSound(bytes calldata prompt, bytes calldata referenceText, bytes calldata text)
        external
    {
        Item[] memory items = _items(3);
        items[1].prompt = _capped(prompt);
        items[1].referenceText = _capped(referenceText);
        items[1].response = _capped(text);
        RoundId round = _sit(items);
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attestAndExpect(round, items, 1, Verdict.Sound);
    }

    function _capped(bytes calldata text) private pure returns (bytes memory) {
        return text.length > 200 ? text[:200] : text;
    }

    function _expect(RoundId round, Opening memory o, Verdict verdict) private view {
        assertEq(judge.judge(round, version, o), verdict);
    }

    function _expectLength(RoundId round, Opening memory o, uint256 expected, uint256 got) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongLength.selector, expected, got));
        judge.judge(round, version, o);
    }

    function _blankPath(uint256 length, uint256 words) private pure returns (Sibling[] memory path) {
        path = new Sibling[](length);
        for (uint256 k = 0; k < length; k++) {
            path[k].sums = new uint256[](words);
        }
    }

    function _attestAndExpect(RoundId round, Item[] memory items, uint256 p, Verdict verdict) private {
        _attest(round, items);
        _expect(round, _opening(items, p), verdict);
    }

    /// @dev Attests an item with another outcome, with what an honest leaf of that outcome would carry.
    function _expectWithout(uint256 p, uint8 outcome, Verdict verdict) private {
        uint256 snapshot = vm.snapshotState();
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[p].outcome = outcome > DECOY ? ANSWERED : outcome;
        (items[p].response, items[p].answerSignature) = ("", "");
        items[p].sums = _honestSums(items[p]);
        items[p].outcome = outcome;
        _attestAndExpect(round, items, p, verdict);
        vm.revertToState(snapshot);
    }

    function _expectReceipt(RoundId round, Item[] memory items, bytes memory signature) private {
        uint256 snapshot = vm.snapshotState();
        bytes memory before = items[2].answerSignature;
        items[2].answerSignature = signature;
        _attestAndExpect(round, items, 2, Verdict.WrongReceipt);
        items[2].answerSignature = before;
        vm.revertToState(snapshot);
    }

    function _twin(bytes memory signature) private pure returns (bytes memory) {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        return abi.encodePacked(r, bytes32(order - uint256(s)), signature[64] == 0x1b ? uint8(28) : uint8(27));
    }

    function _withMetric(IMetric hostile) private returns (RoundId round, Item[] memory items) {
        Item[] memory list = _items(8);
        TaskParams memory p = _params();
        uint256[][] memory sums = new uint256[][](8);
        for (uint256 i = 0; i < 8; i++) {
            sums[i] = _honestSums(list[i]);
        }
        p.metric = hostile;
        task = tasks.register(p);
        round = _sit(list);
        for (uint256 i = 0; i < 8; i++) {
            list[i].sums = sums[i];
            if (list[i].outcome != ANSWERED) continue;
            list[i].answerSignature = _signAnswer(round, version, i, list[i].prompt, list[i].response);
        }
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attest(round, list);
        return (round, list);
    }
}
