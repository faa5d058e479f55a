// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Exam,
    Fault,
    IDisputes,
    IJudge,
    IRounds,
    Item,
    Opening,
    Phase,
    RoundId,
    SetOpening,
    SignedAnswer,
    SignedAsk,
    Standing,
    TaskParams,
    Verdict,
    VersionId
} from "./support/Exam.sol";

// Disputes: challengeAck
// ├── given a leaf that does not stand under both roots, that is Answered or a Decoy, or an Ack of another key, position or version
// │   └── it reverts
// ├── given a leaf that carries a valid Answer, and an Ack for another answer
// │   └── it reverts: never the benchmarker's fault
// └── given the Silent leaf of a Scored item and an Ack for it
//     └── it slashes, once, until Final
//
// Disputes: challengeAsk
// ├── given the sealed question, an item of another position, an item not sealed, another signer, a version not enrolled
// │   └── it reverts
// └── given another question, or a position from n on
//     └── it slashes, from the Ask until Final
//
// Disputes: challengeLeak
// ├── given an item that is not sealed, or answerBy
// │   └── it reverts
// └── given a sealed item until the last second before answerBy
//     └── it slashes and pays the caller
//
// Disputes: challengeAnswers
// ├── given the same Answer twice, another signer, a version not enrolled, a released bond, a second time
// │   └── it reverts
// └── given two Answers with another response or another prompt
//     └── it pays a tenth, burns nine, and leaves phase and score alone
contract ProofsTest is Exam {
    // challengeAck

    function test_challengeAck__honestRound__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        bytes memory ack = _signAck(round, version, 5, "answer");
        for (uint256 p = 0; p < 8; p++) {
            bytes memory own = _signAck(round, version, p, "answer");
            if (items[p].outcome == SILENT) continue;
            vm.expectRevert(abi.encodeWithSelector(IDisputes.NotSilent.selector, round, version, p));
            disputes.challengeAck(round, version, _opening(items, p), keccak256("answer"), own);
        }
        Opening memory invented = _opening(items, 2);
        (invented.outcome, invented.response, invented.answerSignature) = (SILENT, "", "");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoFault.selector, Verdict.NotAttested));
        disputes.challengeAck(round, version, invented, keccak256("answer"), ack);
        invented.prompt = "Another";
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoFault.selector, Verdict.NotSealed));
        disputes.challengeAck(round, version, invented, keccak256("answer"), ack);
    }

    function test_challengeAck__notThisAck__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        Opening memory o = _opening(items, 5);
        _expectAckRefused(round, o, _signAck(round, version, 4, "answer"));
        _expectAckRefused(round, o, _signAck(round, VersionId.wrap("other"), 5, "answer"));
        _expectAckRefused(round, o, _signAck(RoundId.wrap("other"), version, 5, "answer"));
        _expectAckRefused(round, o, _signAck(round, version, 5, "other"));
        _expectAckRefused(round, o, _signAnswer(round, version, 5, items[5].prompt, "answer"));
        _expectAckRefused(round, o, "");
        assertEq(rounds.phaseOf(round), Phase.Challenging);
    }

    function test_challengeAck__silentAndAcknowledged__slashesOnce() external {
        (RoundId round, Item[] memory items) = _toRevealing(8);
        bytes memory ack = _signAck(round, version, 5, "answer");
        vm.prank(challenger);
        disputes.challengeAck(round, version, _opening(items, 5), keccak256("answer"), ack);
        _expectSlashed(round, Fault.AckDropped);
        assertEq(rounds.scoreOf(round, version).standing, Standing.Struck);
        _expectPhase(round, Phase.Slashed);
        disputes.challengeAck(round, version, _opening(items, 5), keccak256("answer"), ack);
    }

    function test_challengeAck__atFinal__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        bytes memory ack = _signAck(round, version, 5, "answer");
        vm.warp(vm.getBlockTimestamp() + CHALLENGE);
        _expectPhase(round, Phase.Final);
        disputes.challengeAck(round, version, _opening(items, 5), keccak256("answer"), ack);
        vm.warp(vm.getBlockTimestamp() - 1);
        disputes.challengeAck(round, version, _opening(items, 5), keccak256("answer"), ack);
        assertEq(rounds.phaseOf(round), Phase.Slashed);
    }

    // challengeAsk

    function test_challengeAsk__honestAsk__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        for (uint256 p = 0; p < 8; p++) {
            SignedAsk memory ask = _ask(round, p, items[p].prompt);
            vm.expectRevert(abi.encodeWithSelector(IDisputes.AskedAsSealed.selector, round, p));
            disputes.challengeAsk(round, ask, _setOpening(items, p));
            vm.expectRevert(abi.encodeWithSelector(IDisputes.OtherPosition.selector, p, (p + 1) % 8));
            disputes.challengeAsk(round, ask, _setOpening(items, (p + 1) % 8));
            SetOpening memory invented = _setOpening(items, p);
            invented.item.promptHash = "another";
            vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealedHere.selector, round, p));
            disputes.challengeAsk(round, ask, invented);
        }
        assertEq(rounds.phaseOf(round), Phase.Answering);
    }

    function test_challengeAsk__notSignedOrNotEnrolled__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        SignedAsk memory ask = _ask(round, 2, "Another question");
        ask.answerUntil++;
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr));
        disputes.challengeAsk(round, ask, _setOpening(items, 2));
        (, VersionId other) = _commit(providerOwner, "other", provider.addr);
        version = other;
        ask = _ask(round, 2, "Another question");
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, other));
        disputes.challengeAsk(round, ask, _setOpening(items, 2));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, bytes32("none")));
        disputes.challengeAsk(RoundId.wrap("none"), ask, _setOpening(items, 2));
    }

    function test_challengeAsk__pathOfTheWrongLength__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        SignedAsk memory ask = _ask(round, 2, "Another question");
        SetOpening memory s = _setOpening(items, 2);
        s.path = new bytes32[](4);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongLength.selector, 3, 4));
        disputes.challengeAsk(round, ask, s);
    }

    function test_challengeAsk__anotherQuestion__slashesOnce() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        SignedAsk memory ask = _ask(round, 2, "Another question");
        vm.prank(challenger);
        disputes.challengeAsk(round, ask, _setOpening(items, 2));
        _expectSlashed(round, Fault.WrongAsk);
        _expectPhase(round, Phase.Slashed);
        disputes.challengeAsk(round, ask, _setOpening(items, 2));
    }

    function test_challengeAsk__positionFromNOn__slashesWithoutAnItem() external {
        RoundId round = _sit(_items(8));
        SetOpening memory nothing;
        vm.prank(challenger);
        disputes.challengeAsk(round, _ask(round, 8, "Beyond the set"), nothing);
        _expectSlashed(round, Fault.WrongAsk);
    }

    // challengeLeak

    function test_challengeLeak__notSealed__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        SetOpening memory s = _setOpening(items, 2);
        s.item.salt = "guessed";
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealedHere.selector, round, 2));
        disputes.challengeLeak(round, s);
        s.item.position = 8;
        vm.expectRevert(abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, 8, 8));
        disputes.challengeLeak(round, s);
    }

    function test_challengeLeak__fromAnswerByOn__reverts() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        _expectPhase(round, Phase.Attesting);
        disputes.challengeLeak(round, _setOpening(items, 2));
        _attest(round, items);
        _reveal(round);
        _expectPhase(round, Phase.Challenging);
        disputes.challengeLeak(round, _setOpening(items, 2));
    }

    function test_challengeLeak__lastSecondBeforeAnswerBy__slashesAndPaysTheCaller() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        vm.warp(rounds.deadlinesOf(round).answerBy - 1);
        vm.prank(challenger);
        disputes.challengeLeak(round, _setOpening(items, 3));
        _expectSlashed(round, Fault.Leaked);
        _expectPhase(round, Phase.Slashed);
        disputes.challengeLeak(round, _setOpening(items, 2));
    }

    // challengeAnswers

    function test_challengeAnswers__sameAnswerTwice__reverts() external {
        RoundId round = _sit(_items(8));
        SignedAnswer memory a = _answer(round, 2, "prompt", "answer");
        vm.expectRevert(abi.encodeWithSelector(IDisputes.SameAnswer.selector, a.promptHash, a.responseHash));
        disputes.challengeAnswers(round, version, 2, a, a);
    }

    function test_challengeAnswers__honestProvider__reverts() external {
        RoundId round = _sit(_items(8));
        SignedAnswer memory a = _answer(round, 2, "prompt", "answer");
        SignedAnswer memory elsewhere = _answer(round, 3, "prompt 3", "answer 3");
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, provider.addr));
        disputes.challengeAnswers(round, version, 2, a, elsewhere);
        elsewhere = _answer(RoundId.wrap("other"), 2, "prompt", "other answer");
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, provider.addr));
        disputes.challengeAnswers(round, version, 2, elsewhere, a);
        VersionId unknown = VersionId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, address(0)));
        disputes.challengeAnswers(round, unknown, 2, elsewhere, a);
    }

    function test_challengeAnswers__notEnrolled__reverts() external {
        RoundId round = _seal(_items(8));
        (SignedAnswer memory a, SignedAnswer memory b) = _twice(round);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, version));
        disputes.challengeAnswers(round, version, 2, a, b);
    }

    function test_challengeAnswers__twoAnswers__paysATenthAndLeavesTheScore() external {
        (RoundId round,) = _toChallenging(8);
        (SignedAnswer memory a, SignedAnswer memory b) = _twice(round);
        uint256 score = rounds.scoreOf(round, version).score;

        vm.expectEmit(address(rounds));
        emit IRounds.VersionSlashed(round, version, challenger, VERSION_BOND / 10, VERSION_BOND - VERSION_BOND / 10);
        vm.prank(challenger);
        disputes.challengeAnswers(round, version, 2, a, b);

        assertEq(_free(challenger), VERSION_BOND / 10);
        assertEq(vault.burnedOf(providerOwner), VERSION_BOND - VERSION_BOND / 10);
        assertEq(_locked(providerOwner), 0);
        assertEq(_locked(benchmarker), ROUND_BOND);
        assertEq(rounds.phaseOf(round), Phase.Challenging);
        assertEq(rounds.scoreOf(round, version).score, score);
        assertEq(rounds.scoreOf(round, version).standing, Standing.Scored);

        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToSlash.selector, round, version));
        disputes.challengeAnswers(round, version, 2, a, b);
        vm.warp(rounds.deadlinesOf(round).versionsReleasedAt);
        rounds.releaseVersions(round, _one(version));
        assertEq(_free(providerOwner), 100 ether - VERSION_BOND);
    }

    function test_challengeAnswers__beforeTheAttestation__staysTakenBehindIt() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        (SignedAnswer memory a, SignedAnswer memory b) = _twice(round);
        disputes.challengeAnswers(round, version, 2, a, b);
        _attest(round, items);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToSlash.selector, round, version));
        disputes.challengeAnswers(round, version, 2, a, b);
    }

    function test_challengeAnswers__otherPrompt__isAnotherAnswer() external {
        RoundId round = _sit(_items(8));
        disputes.challengeAnswers(
            round, version, 2, _answer(round, 2, "prompt", "answer"), _answer(round, 2, "other prompt", "answer")
        );
        assertEq(_locked(providerOwner), 0);
    }

    function test_challengeAnswers__edgeOfTheRelease__isExact() external {
        RoundId round = _sit(_items(8));
        (SignedAnswer memory a, SignedAnswer memory b) = _twice(round);
        uint256 freeAt = rounds.deadlinesOf(round).versionsReleasedAt;
        vm.warp(freeAt);
        assertEq(rounds.phaseOf(round), Phase.Forfeited);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NothingToSlash.selector, round, version));
        disputes.challengeAnswers(round, version, 2, a, b);
        vm.warp(freeAt - 1);
        disputes.challengeAnswers(round, version, 2, a, b);
    }

    function test_slashVersion__notDisputes__reverts() external {
        RoundId round = _sit(_items(8));
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotDisputes.selector, address(this)));
        rounds.slashVersion(round, version, challenger);
    }

    function _twice(RoundId round) private view returns (SignedAnswer memory, SignedAnswer memory) {
        return (_answer(round, 2, "prompt", "answer"), _answer(round, 2, "prompt", "another"));
    }

    function _expectAckRefused(RoundId round, Opening memory o, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr));
        disputes.challengeAck(round, version, o, keccak256("answer"), signature);
    }

    function _expectPhase(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
    }

    function _expectSlashed(RoundId round, Fault fault) private view {
        assertEq(rounds.phaseOf(round), Phase.Slashed);
        assertEq(rounds.roundOf(round).fault, fault);
        assertEq(_free(challenger), ROUND_BOND / 2);
        assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
        assertEq(_locked(benchmarker), 0);
    }
}

// Disputes: challengeReuse
// ├── given one round twice, two benchmarkers, a Decoy, two prompts, an item not sealed, or a Void round
// │   └── it reverts
// ├── given both rounds open
// │   └── it slashes the later by time, then by id, once, in whatever order they are named
// ├── given the earlier one Final
// │   └── it slashes the later
// └── given the later one Final and the earlier one open
//     └── it slashes the earlier
//
// Disputes: challengeReuseByAsk
// ├── given an earlier round that is neither Slashed nor Forfeited, an Ask not its own, another prompt, or a round that is not later
// │   └── it reverts
// └── given an Ask of a buried round
//     └── it slashes the round that was run again
contract ReuseTest is Exam {
    function test_challengeReuse__honestRounds__reverts() external {
        Item[] memory one = _items(8);
        Item[] memory two = _set("two");
        (RoundId first, RoundId second) = (_sit(one), _sit(two));
        vm.expectRevert(abi.encodeWithSelector(IDisputes.SameRound.selector, first));
        disputes.challengeReuse(first, _setOpening(one, 2), first, _setOpening(one, 2));
        bytes32 left = keccak256(one[2].prompt);
        bytes32 right = keccak256(two[2].prompt);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.OtherPrompt.selector, left, right));
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealedHere.selector, second, 2));
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(one, 2));
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotSealedHere.selector, first, 2));
        disputes.challengeReuse(first, _setOpening(two, 2), second, _setOpening(two, 2));
    }

    function test_challengeReuse__decoys__reverts() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(3);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotScored.selector, first, 3));
        disputes.challengeReuse(first, _setOpening(one, 3), second, _setOpening(two, 3));
    }

    function test_challengeReuse__questionsOfAnotherBenchmarker__reverts() external {
        Item[] memory one = _items(8);
        RoundId first = _sit(one);
        SetOpening memory inFirst = _setOpening(one, 2);
        address victim = benchmarker;
        benchmarker = makeAddr("another benchmarker");
        _fund(benchmarker, examiner.addr, 100 ether);
        RoundId second = _sit(one);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.OtherBenchmarker.selector, victim, benchmarker));
        disputes.challengeReuse(first, inFirst, second, _setOpening(one, 2));
    }

    function test_challengeReuse__voidRound__reverts() external {
        Item[] memory one = _items(8);
        RoundId first = _seal(one);
        vm.warp(rounds.deadlinesOf(first).answerBy);
        Item[] memory two = _set("two");
        two[2].prompt = one[2].prompt;
        RoundId second = _sit(two);
        _expectPhase(first, Phase.Void);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        _expectPhase(first, Phase.Void);
        disputes.challengeReuse(second, _setOpening(two, 2), first, _setOpening(one, 2));
        assertEq(rounds.phaseOf(second), Phase.Answering);
    }

    function test_challengeReuse__bothOpen__slashesTheLaterOnce() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(2);
        uint256 snapshot = vm.snapshotState();
        vm.prank(challenger);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        _expectSlashed(second, first);
        _expectPhase(second, Phase.Slashed);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        vm.revertToState(snapshot);
        vm.prank(challenger);
        disputes.challengeReuse(second, _setOpening(two, 2), first, _setOpening(one, 2));
        _expectSlashed(second, first);
    }

    function test_challengeReuse__sameSecond__slashesTheGreaterId() external {
        Item[] memory one = _items(8);
        Item[] memory two = _set("two");
        two[2].prompt = one[2].prompt;
        (RoundId first, RoundId second) = (_seal(one), _seal(two));
        _enrol(first);
        _enrol(second);
        vm.prank(challenger);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        bool firstIsGreater = RoundId.unwrap(first) > RoundId.unwrap(second);
        assertEq(rounds.phaseOf(firstIsGreater ? first : second), Phase.Slashed);
        assertEq(rounds.phaseOf(firstIsGreater ? second : first), Phase.Answering);
    }

    function test_challengeReuse__earlierFinal__slashesTheLater() external {
        (RoundId first, Item[] memory one) = _toChallenging(8);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE);
        Item[] memory two = _set("two");
        two[2].prompt = one[2].prompt;
        RoundId second = _sit(two);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
        assertEq(rounds.phaseOf(first), Phase.Final);
        assertEq(rounds.phaseOf(second), Phase.Slashed);
    }

    function test_challengeReuse__laterFinal__slashesTheEarlierOfATaskWithLongerWindows() external {
        (RoundId first, Item[] memory one) = (_sit(_items(8)), _items(8));
        TaskParams memory p = _params();
        (p.answerWindow, p.postWindow, p.attestWindow, p.revealWindow) = (100, 10, 10, 10);
        (p.demandWindow, p.challengeWindow) = (1, 100);
        task = tasks.register(p);
        RoundId second = _sit(one);
        _answerAll(second, one);
        vm.warp(rounds.deadlinesOf(second).answerBy);
        _attest(second, one);
        _reveal(second);
        vm.warp(vm.getBlockTimestamp() + 100);
        assertEq(rounds.phaseOf(second), Phase.Final);
        vm.prank(challenger);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(one, 2));
        assertEq(rounds.phaseOf(first), Phase.Slashed);
        assertEq(rounds.phaseOf(second), Phase.Final);
        assertEq(_free(challenger), ROUND_BOND / 2);
        _expectPhase(first, Phase.Slashed);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(one, 2));
    }

    function test_challengeReuse__bothFinal__reverts() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(2);
        _answerAll(first, one);
        _answerAll(second, two);
        vm.warp(rounds.deadlinesOf(second).answerBy);
        _attest(first, one);
        _attest(second, two);
        _reveal(first);
        _reveal(second);
        vm.warp(vm.getBlockTimestamp() + CHALLENGE);
        _expectPhase(first, Phase.Final);
        disputes.challengeReuse(first, _setOpening(one, 2), second, _setOpening(two, 2));
    }

    function test_challengeReuseByAsk__openEarlierRound__reverts() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(2);
        SignedAsk memory ask = _ask(first, 2, one[2].prompt);
        _expectPhase(first, Phase.Answering);
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
    }

    function test_challengeReuseByAsk__notAnAskOfIt__reverts() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _buried();
        SignedAsk memory ask = _ask(second, 2, one[2].prompt);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr));
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
        ask = _ask(first, 1, one[1].prompt);
        bytes32 reused = keccak256(two[2].prompt);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.OtherPrompt.selector, reused, ask.promptHash));
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotScored.selector, second, 3));
        disputes.challengeReuseByAsk(second, _setOpening(two, 3), first, ask);
        version = VersionId.wrap("not enrolled");
        ask = _ask(first, 2, one[2].prompt);
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, first, version));
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
    }

    function test_challengeReuseByAsk__theLaterOneWasBuried__reverts() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(2);
        disputes.challengeLeak(second, _setOpening(two, 2));
        SignedAsk memory ask = _ask(second, 2, two[2].prompt);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NotLater.selector, first, second));
        disputes.challengeReuseByAsk(first, _setOpening(one, 2), second, ask);
    }

    function test_challengeReuseByAsk__buriedAndRunAgain__slashesOnce() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _buried();
        SignedAsk memory ask = _ask(first, 2, one[2].prompt);
        vm.prank(challenger);
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
        assertEq(rounds.phaseOf(first), Phase.Forfeited);
        assertEq(rounds.phaseOf(second), Phase.Slashed);
        assertEq(rounds.roundOf(second).fault, Fault.Reused);
        assertEq(_free(challenger), ROUND_BOND / 2);
        _expectPhase(second, Phase.Slashed);
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, ask);
    }

    function test_challengeReuseByAsk__slashedAndRunAgain__slashes() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _reused(2);
        disputes.challengeLeak(first, _setOpening(one, 1));
        disputes.challengeReuseByAsk(second, _setOpening(two, 2), first, _ask(first, 2, one[2].prompt));
        assertEq(rounds.phaseOf(second), Phase.Slashed);
    }

    /// @dev A set that shares nothing with that of `_items`.
    function _set(string memory name) private pure returns (Item[] memory items) {
        items = _items(8);
        for (uint256 p = 0; p < 8; p++) {
            items[p].prompt = abi.encodePacked(name, items[p].prompt);
            items[p].salt = keccak256(abi.encode(name, p));
        }
    }

    /// @dev Two open rounds that share the prompt at one position.
    function _reused(uint256 p) private returns (RoundId first, Item[] memory one, RoundId second, Item[] memory two) {
        (one, two) = (_items(8), _set("two"));
        two[p].prompt = one[p].prompt;
        (first, second) = (_sit(one), _sit(two));
    }

    /// @dev The first round was never attested, and one of its questions is sealed again.
    function _buried() private returns (RoundId first, Item[] memory one, RoundId second, Item[] memory two) {
        (one, two) = (_items(8), _set("two"));
        two[2].prompt = one[2].prompt;
        first = _sit(one);
        vm.warp(rounds.deadlinesOf(first).attestBy);
        second = _sit(two);
    }

    function _expectPhase(RoundId round, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
    }

    function _expectSlashed(RoundId guilty, RoundId other) private view {
        assertEq(rounds.phaseOf(guilty), Phase.Slashed);
        assertEq(rounds.roundOf(guilty).fault, Fault.Reused);
        assertEq(rounds.phaseOf(other), Phase.Answering);
        assertEq(_free(challenger), ROUND_BOND / 2);
        assertEq(_locked(benchmarker), ROUND_BOND);
    }
}
