// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exam, IRounds, Phase, PostedAnswer, RoundId, VersionId} from "./support/Exam.sol";

// Rounds: postAnswer
// ├── given an unknown round, or another phase than Answering
// │   └── it reverts
// ├── given a time at or after answerUntil + postWindow, or answerBy
// │   └── it reverts; one second before it is taken
// ├── given a version that is not enrolled, a position beyond the set, a text over the cap
// │   └── it reverts; the edges are taken
// ├── given an Ask that is not the operator's, or an Answer that is not the provider's, over exactly this exchange
// │   └── it reverts
// ├── given a position where an answer was posted before
// │   └── it reverts, also for another answer
// └── given a good exchange, from anybody
//     └── it keeps the hash and publishes the text
contract RoundsPostTest is Exam {
    RoundId internal round;
    bytes internal prompt = "Translate sentence 1";

    function setUp() public override {
        super.setUp();
        round = _sit(_items(8));
    }

    function test_postAnswer__unknownRound__reverts() external {
        RoundId none = RoundId.wrap(keccak256("none"));
        PostedAnswer memory a = _good();
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        rounds.postAnswer(none, a);
    }

    function test_postAnswer__afterAnswerBy__reverts() external {
        uint256 answerBy = rounds.deadlinesOf(round).answerBy;
        PostedAnswer memory a = _posted(round, 1, prompt, "text", answerBy);
        vm.warp(answerBy);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Attesting));
        rounds.postAnswer(round, a);

        vm.warp(answerBy - 1);
        rounds.postAnswer(round, a);
    }

    function test_postAnswer__afterItsWindow__reverts() external {
        uint256 until = vm.getBlockTimestamp() + 60;
        PostedAnswer memory a = _posted(round, 1, prompt, "text", until);
        vm.warp(until + POST);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PostTooLate.selector, until + POST, until + POST));
        rounds.postAnswer(round, a);
        vm.warp(until + POST + 1);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PostTooLate.selector, until + POST + 1, until + POST));
        rounds.postAnswer(round, a);

        vm.warp(until + POST - 1);
        rounds.postAnswer(round, a);
    }

    function test_postAnswer__farAnswerUntil__doesNotWrap() external {
        rounds.postAnswer(round, _posted(round, 1, prompt, "text", type(uint40).max));
    }

    function test_postAnswer__notEnrolled__reverts() external {
        PostedAnswer memory a = _good();
        a.version = VersionId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.NotEnrolled.selector, round, a.version));
        rounds.postAnswer(round, a);
    }

    function test_postAnswer__positionBeyondTheSet__reverts() external {
        uint256 until = vm.getBlockTimestamp() + 60;
        PostedAnswer memory a = _posted(round, 8, prompt, "text", until);
        vm.expectRevert(abi.encodeWithSelector(IRounds.PositionOutOfRange.selector, 8, 8));
        rounds.postAnswer(round, a);

        rounds.postAnswer(round, _posted(round, 7, prompt, "text", until));
    }

    function test_postAnswer__overTheCap__reverts() external {
        uint256 until = vm.getBlockTimestamp() + 60;
        PostedAnswer memory a = _posted(round, 1, prompt, new bytes(201), until);
        vm.expectRevert(abi.encodeWithSelector(IRounds.TextTooLong.selector, 201, 200));
        rounds.postAnswer(round, a);

        rounds.postAnswer(round, _posted(round, 1, prompt, new bytes(200), until));
    }

    function test_postAnswer__wrongAsk__reverts() external {
        bytes memory wrong = abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr);
        uint256 until = vm.getBlockTimestamp() + 60;

        PostedAnswer memory a = _good();
        a.askSignature = _signAsk(round, version, 2, prompt, until);
        _expect(a, wrong);
        a.askSignature = _signAsk(round, version, 1, "another prompt", until);
        _expect(a, wrong);
        a.askSignature = _signAsk(round, version, 1, prompt, until + 1);
        _expect(a, wrong);
        a.askSignature = _signAsk(round, VersionId.wrap(0), 1, prompt, until);
        _expect(a, wrong);
        a.askSignature = _signAsk(RoundId.wrap(0), version, 1, prompt, until);
        _expect(a, wrong);
        a.askSignature = "";
        _expect(a, wrong);
        a.askSignature = a.answerSignature;
        _expect(a, wrong);
    }

    function test_postAnswer__laterAnswerUntilThanSigned__reverts() external {
        PostedAnswer memory a = _good();
        a.answerUntil++;
        _expect(a, abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr));
    }

    function test_postAnswer__wrongAnswer__reverts() external {
        bytes memory wrong = abi.encodeWithSelector(IRounds.WrongSigner.selector, provider.addr);
        PostedAnswer memory a = _good();
        a.answerSignature = _signAnswer(round, version, 1, prompt, "another text");
        _expect(a, wrong);
        a.answerSignature = _signAnswer(round, version, 1, "another prompt", "text");
        _expect(a, wrong);
        a.answerSignature = _signAnswer(round, version, 2, prompt, "text");
        _expect(a, wrong);
        a = _good();
        a.response = "another text";
        _expect(a, wrong);
    }

    function test_postAnswer__replayedOnAnotherChain__reverts() external {
        PostedAnswer memory a = _good();
        vm.chainId(block.chainid + 1);
        _expect(a, abi.encodeWithSelector(IRounds.WrongSigner.selector, examiner.addr));
    }

    function test_postAnswer__secondPost__reverts() external {
        rounds.postAnswer(round, _good());
        bytes memory again = abi.encodeWithSelector(IRounds.AlreadyPosted.selector, round, version, 1);
        _expect(_good(), again);
        _expect(_posted(round, 1, prompt, "another text", vm.getBlockTimestamp() + 60), again);
        (, bytes32 hash) = rounds.postedOf(round, version, 1);
        assertEq(hash, keccak256("text"));
    }

    function testFuzz_postAnswer__goodExchange__keepsAndPublishes(uint256 position, bytes calldata text, address anyone)
        external
    {
        position = bound(position, 0, 7);
        bytes memory response = text.length > 200 ? text[:200] : text;
        PostedAnswer memory a = _posted(round, position, prompt, response, vm.getBlockTimestamp() + 60);
        (bool posted,) = rounds.postedOf(round, version, uint32(position));
        assertFalse(posted);

        vm.expectEmit(address(rounds));
        emit IRounds.AnswerPosted(round, version, uint32(position), a.promptHash, response, a.answerSignature);
        vm.prank(anyone);
        rounds.postAnswer(round, a);

        bytes32 hash;
        (posted, hash) = rounds.postedOf(round, version, uint32(position));
        assertTrue(posted);
        assertEq(hash, keccak256(response));
    }

    function _good() private view returns (PostedAnswer memory) {
        return _posted(round, 1, prompt, "text", vm.getBlockTimestamp() + 60);
    }

    function _expect(PostedAnswer memory a, bytes memory refusal) private {
        vm.expectRevert(refusal);
        rounds.postAnswer(round, a);
    }
}
