// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exam, Fault, IDisputes, IRounds, Item, Opening, Phase, RoundId, Standing, Verdict, VersionId} from "./support/Exam.sol";

// Disputes: challenge
// ├── given an opening that is Sound, NotSealed or NotAttested
// │   └── it reverts, and the round stands
// ├── given each of the six faults
// │   └── it slashes with the same fault, pays half to the challenger and burns half
// ├── given a round that is Slashed, Forfeited or Final
// │   └── it reverts: the first fault takes all
// ├── given the first second after the attestation, or the last before Final
// │   └── it slashes
// └── given the benchmarker itself
//     └── at least half is burned
contract DisputesTest is Exam {
    function test_challenge__soundOpening__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        for (uint256 p = 0; p < 8; p++) {
            _expectNoFault(round, _opening(items, p), Verdict.Sound);
        }
        assertEq(rounds.phaseOf(round), Phase.Challenging);
    }

    function test_challenge__inventedOpening__reverts() external {
        (RoundId round, Item[] memory items) = _toChallenging(8);
        Opening memory o = _opening(items, 2);
        o.prompt = "Another prompt";
        _expectNoFault(round, o, Verdict.NotSealed);
        o = _opening(items, 2);
        o.sums[1] = 0;
        _expectNoFault(round, o, Verdict.NotAttested);
    }

    function test_challenge__beforeTheAttestation__reverts() external {
        Item[] memory items = _items(8);
        RoundId round = _sit(items);
        _answerAll(round, items);
        items[2].sums[1] = 0;
        _expectNoFault(round, _opening(items, 2), Verdict.NotAttested);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _expectNoFault(round, _opening(items, 2), Verdict.NotAttested);
    }

    function test_challenge__eachFault__slashesWithIt() external {
        for (uint8 i = 3; i <= uint8(type(Verdict).max); i++) {
            uint256 snapshot = vm.snapshotState();
            (RoundId round, Opening memory o) = _faulty(Verdict(i));

            vm.expectEmit(address(disputes));
            emit IDisputes.Challenged(round, version, o.position, Verdict(i), challenger);
            vm.expectEmit(address(rounds));
            emit IRounds.RoundSlashed(round, Fault(i - 2), challenger, ROUND_BOND / 2, ROUND_BOND / 2);
            vm.prank(challenger);
            assertEq(disputes.challenge(round, version, o), Verdict(i));

            assertEq(rounds.roundOf(round).fault, Fault(i - 2));
            assertEq(rounds.phaseOf(round), Phase.Slashed);
            assertEq(rounds.scoreOf(round, version).standing, Standing.Struck);
            assertEq(_free(challenger), ROUND_BOND / 2);
            assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
            assertEq(_free(benchmarker), 100 ether - ROUND_BOND);
            assertEq(_locked(benchmarker), 0);
            assertEq(_locked(providerOwner), VERSION_BOND);
            vm.revertToState(snapshot);
        }
    }

    function test_faults__names__followTheVerdicts() external pure {
        assertEq(uint8(Fault.Dropped), uint8(type(Verdict).max) - 2);
        assertEq(uint8(Fault.WrongKind), uint8(Verdict.WrongKind) - 2);
        assertEq(uint8(Fault.WrongReceipt), uint8(Verdict.WrongReceipt) - 2);
        assertEq(uint8(Fault.WrongStatistics), uint8(Verdict.WrongStatistics) - 2);
        assertEq(uint8(Fault.TooLong), uint8(Verdict.TooLong) - 2);
        assertEq(uint8(Fault.Malformed), uint8(Verdict.Malformed) - 2);
        assertEq(uint8(Fault.Dropped), uint8(Verdict.Dropped) - 2);
    }

    function test_challenge__secondTime__reverts() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        vm.prank(challenger);
        disputes.challenge(round, version, o);
        _expectPhase(round, o, Phase.Slashed);
        assertEq(_free(stranger), 0);
    }

    function test_challenge__lastSecondBeforeFinal__slashes() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        _reveal(round);
        uint256 finalAt = vm.getBlockTimestamp() + CHALLENGE;
        vm.warp(finalAt + 1);
        _expectPhase(round, o, Phase.Final);
        vm.warp(finalAt);
        _expectPhase(round, o, Phase.Final);
        vm.warp(finalAt - 1);
        disputes.challenge(round, version, o);
    }

    function test_challenge__forfeited__reverts() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        vm.warp(rounds.deadlinesOf(round).revealBy);
        _expectPhase(round, o, Phase.Forfeited);
        vm.warp(rounds.deadlinesOf(round).revealBy - 1);
        disputes.challenge(round, version, o);
    }

    function test_challenge__oneself__burnsHalf() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        vm.prank(benchmarker);
        disputes.challenge(round, version, o);
        assertEq(_free(benchmarker), 100 ether - ROUND_BOND / 2);
        assertEq(vault.burnedOf(benchmarker), ROUND_BOND / 2);
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Slashed));
        rounds.release(round);
    }

    function test_challenge__otherVersionOfTheRound__isNotAttested() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoFault.selector, Verdict.NotAttested));
        disputes.challenge(round, VersionId.wrap(keccak256("none")), o);
    }

    function test_challenge__starvedOfGas__revertsAndLeavesTheRound() external {
        (RoundId round, Opening memory o) = _faulty(Verdict.WrongStatistics);
        bytes memory call = abi.encodeCall(IDisputes.challenge, (round, version, o));
        for (uint256 gasLimit = 30_000; gasLimit < 300_000; gasLimit += 2_500) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(challenger);
            (bool done,) = address(disputes).call{gas: gasLimit}(call);
            assertEq(rounds.phaseOf(round), done ? Phase.Slashed : Phase.Revealing);
            if (done) assertEq(rounds.roundOf(round).fault, Fault.WrongStatistics);
            vm.revertToState(snapshot);
        }
    }

    /// @dev An attested round with one leaf at fault, and its opening.
    function _faulty(Verdict verdict) private returns (RoundId round, Opening memory o) {
        Item[] memory items = _items(8);
        uint256 p = 2;
        if (verdict == Verdict.TooLong) items[p].prompt = new bytes(201);
        round = _sit(items);
        if (verdict == Verdict.Dropped) {
            p = 5;
            rounds.postAnswer(round, _posted(round, p, items[p].prompt, "posted", vm.getBlockTimestamp() + 60));
        }
        _answerAll(round, items);
        if (verdict == Verdict.WrongKind) items[p].outcome = DECOY;
        if (verdict == Verdict.WrongReceipt) items[p].answerSignature = items[1].answerSignature;
        if (verdict == Verdict.WrongStatistics) items[p].sums[1]++;
        if (verdict == Verdict.Malformed) (p, items[5].evidence) = (5, "x");
        vm.warp(rounds.deadlinesOf(round).answerBy);
        _attest(round, items);
        o = _opening(items, p);
    }

    function _expectNoFault(RoundId round, Opening memory o, Verdict verdict) private {
        vm.expectRevert(abi.encodeWithSelector(IDisputes.NoFault.selector, verdict));
        disputes.challenge(round, version, o);
    }

    function _expectPhase(RoundId round, Opening memory o, Phase phase) private {
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, phase));
        vm.prank(stranger);
        disputes.challenge(round, version, o);
    }
}
