// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VmSafe} from "forge-std/Vm.sol";

import {Exam, Fault, IDisputes, Item, Phase, RoundId, SignedAnswer, SignedAsk} from "./support/Exam.sol";

// Every proof, starved of gas
// ├── given less gas than it needs
// │   └── it reverts, and nothing at all has changed
// └── given enough
//     └── it does the one thing that it does with plenty
contract StarvedTest is Exam {
    struct Place {
        address account;
        bytes32 slot;
    }

    struct Before {
        bool known;
        bytes32 value;
    }

    Place[] private _written;
    mapping(address account => mapping(bytes32 slot => Before)) private _before;

    /// @dev Limits between the two are tried, so closely that every external call of a proof is cut off somewhere.
    uint256 internal constant LEAST = 2000;
    uint256 internal constant STEP = 251;

    function test_challenge__starvedOfGas__revertsAndLeavesTheRound() external {
        (RoundId round, Item[] memory items) = _toAttesting(8);
        items[2].sums[1]++;
        _attest(round, items);
        _sweepProof(round, Fault.WrongStatistics, abi.encodeCall(IDisputes.challenge, (round, version, _opening(items, 2))));
    }

    function test_challengeAck__starvedOfGas__revertsAndLeavesTheRound() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        bytes memory ack = _signAck(round, version, 5, "answer");
        bytes memory call = abi.encodeCall(IDisputes.challengeAck, (round, version, _opening(items, 5), keccak256("answer"), ack));
        _sweepProof(round, Fault.AckDropped, call);
    }

    function test_challengeAsk__starvedOfGas__revertsAndLeavesTheRound() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        SignedAsk memory ask = _ask(round, 2, "another question");
        _sweepProof(round, Fault.WrongAsk, abi.encodeCall(IDisputes.challengeAsk, (round, ask, _setOpening(items, 2))));
    }

    function test_challengeReuse__starvedOfGas__revertsAndLeavesBothRounds() external {
        (RoundId first, Item[] memory one, RoundId second, Item[] memory two) = _twice();
        bytes memory call = abi.encodeCall(IDisputes.challengeReuse, (first, _setOpening(one, 2), second, _setOpening(two, 2)));
        _sweepProof(second, Fault.Reused, call);
        assertEq(rounds.phaseOf(first), Phase.Answering);
    }

    function test_challengeReuseByAsk__starvedOfGas__revertsAndLeavesBothRounds() external {
        (RoundId first, Item[] memory one,,) = _twice();
        SignedAsk memory ask = _ask(first, 2, one[2].prompt);
        vm.warp(rounds.deadlinesOf(first).attestBy);
        for (uint256 p = 0; p < one.length; p++) {
            one[p].salt = keccak256(abi.encode("third", p));
        }
        RoundId third = _sit(one);
        bytes memory call = abi.encodeCall(IDisputes.challengeReuseByAsk, (third, _setOpening(one, 2), first, ask));
        _sweepProof(third, Fault.Reused, call);
    }

    function test_challengeLeak__starvedOfGas__revertsAndLeavesTheRound() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _sweepProof(round, Fault.Leaked, abi.encodeCall(IDisputes.challengeLeak, (round, _setOpening(items, 2))));
    }

    function test_challengeAnswers__starvedOfGas__revertsAndLeavesTheBond() external {
        (RoundId round,) = _toChallenging(8);
        SignedAnswer memory one = _answer(round, 2, "prompt", "one");
        SignedAnswer memory other = _answer(round, 2, "prompt", "other");
        uint256 done = _sweep(abi.encodeCall(IDisputes.challengeAnswers, (round, version, 2, one, other)));
        assertEq(_free(challenger), VERSION_BOND / 10, "reward");
        assertEq(rounds.phaseOf(round), Phase.Challenging);
        assertGt(done, LEAST);
    }

    function test_answerDemand__starvedOfGas__revertsAndLeavesTheDemand() external {
        (RoundId round, Item[] memory items) = _demanded();
        _sweep(abi.encodeCall(IDisputes.answerDemand, (round, version, _opening(items, 2))));
        assertEq(_free(challenger), DEMAND_FEE / 2, "half of the fee");
        assertEq(rounds.phaseOf(round), Phase.Challenging);
    }

    function test_expire__starvedOfGas__revertsAndLeavesTheRound() external {
        (RoundId round,) = _demanded();
        vm.warp(disputes.demandOf(round, version, 2).deadline);
        _sweep(abi.encodeCall(IDisputes.expire, (round, version, 2)));
        assertEq(rounds.roundOf(round).fault, Fault.Unanswered);
        assertEq(_free(stranger), 1 ether - DEMAND_FEE + ROUND_BOND / 2, "reward");
    }

    function test_reclaim__starvedOfGas__revertsAndLeavesTheDemand() external {
        (RoundId round,) = _demanded();
        (uint40 finalAt,) = rounds.closingOf(round);
        vm.warp(finalAt);
        _sweep(abi.encodeCall(IDisputes.reclaim, (round, version, 2)));
        assertEq(_free(stranger), 1 ether);
    }

    function _sweepProof(RoundId round, Fault fault, bytes memory call) private {
        _sweep(call);
        assertEq(rounds.roundOf(round).fault, fault);
        assertEq(_free(challenger), ROUND_BOND / 2, "reward");
    }

    /// @dev Calls with more and more gas until it is done. A call that reverts with gas to spare would have been refused with plenty, too:
    /// so there must be none, and the one that is done must not have been lucky: with ten times the gas it is refused as the second.
    function _sweep(bytes memory call) private returns (uint256 gasLimit) {
        uint256 starved = 0;
        for (gasLimit = LEAST; gasLimit < 1_000_000; gasLimit += STEP) {
            vm.startStateDiffRecording();
            vm.prank(challenger);
            (bool done,) = address(disputes).call{gas: gasLimit}(call);
            if (done) {
                vm.stopAndReturnStateDiff();
                break;
            }
            _assertUnchanged();
            starved++;
        }
        assertLt(gasLimit, 1_000_000, "never done");
        assertGt(starved, 40, "nothing starved");
        vm.prank(challenger);
        (bool again,) = address(disputes).call{gas: 10 * gasLimit}(call);
        assertFalse(again, "done twice");
    }

    /// @dev Every slot that was written in the recorded call holds what it held before its first write.
    function _assertUnchanged() private {
        VmSafe.AccountAccess[] memory touched = vm.stopAndReturnStateDiff();
        for (uint256 i = 0; i < touched.length; i++) {
            for (uint256 k = 0; k < touched[i].storageAccesses.length; k++) {
                VmSafe.StorageAccess memory access = touched[i].storageAccesses[k];
                if (!access.isWrite || _before[access.account][access.slot].known) continue;
                _before[access.account][access.slot] = Before(true, access.previousValue);
                _written.push(Place(access.account, access.slot));
            }
        }
        for (; _written.length > 0; _written.pop()) {
            Place memory place = _written[_written.length - 1];
            assertEq(vm.load(place.account, place.slot), _before[place.account][place.slot].value, "something was written");
            delete _before[place.account][place.slot];
        }
    }

    function _twice() private returns (RoundId first, Item[] memory one, RoundId second, Item[] memory two) {
        one = _items(8);
        two = _items(8);
        for (uint256 p = 0; p < 8; p++) {
            two[p].salt = keccak256(abi.encode("second", p));
        }
        first = _sit(one);
        second = _sit(two);
    }

    /// @dev A demand by the stranger of position 2 of an honest round.
    function _demanded() private returns (RoundId round, Item[] memory items) {
        (round, items) = _toChallenging(8);
        _fund(stranger, stranger, 1 ether);
        vm.prank(stranger);
        disputes.demand(round, version, 2);
    }
}
