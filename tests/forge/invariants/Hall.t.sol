// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Hall} from "./Hall.sol";

/// @notice Honest parties among hostile ones: nobody honest pays, no duty is impossible, every lie can be proven, whatever is done in what order.
contract HallTest is Test {
    Hall internal hall;

    function setUp() external {
        hall = new Hall();
        hall.start();
        targetContract(address(hall));
        targetSelector(FuzzSelector(address(hall), _acts()));
    }

    /// @dev An act that is named twice is played twice as often.
    function _acts() private pure returns (bytes4[] memory acts) {
        bytes4[25] memory all = [
            Hall.pass.selector,
            Hall.proceed.selector,
            Hall.proceed.selector,
            Hall.seal.selector,
            Hall.seal.selector,
            Hall.converse.selector,
            Hall.converse.selector,
            Hall.converse.selector,
            Hall.converse.selector,
            Hall.step.selector,
            Hall.step.selector,
            Hall.forfeit.selector,
            Hall.release.selector,
            Hall.demand.selector,
            Hall.answerDemand.selector,
            Hall.expire.selector,
            Hall.challenge.selector,
            Hall.challenge.selector,
            Hall.challengeStatistics.selector,
            Hall.challengeAck.selector,
            Hall.challengeAck.selector,
            Hall.challengeAsk.selector,
            Hall.challengeReuse.selector,
            Hall.challengeReuseByAsk.selector,
            Hall.challengeAnswers.selector
        ];
        acts = new bytes4[](all.length + 1);
        for (uint256 i = 0; i < all.length; i++) {
            acts[i] = all[i];
        }
        acts[all.length] = Hall.challengeLeak.selector;
    }

    /// @dev I5, I6, I7: what the truth beside the contracts says is what they do.
    function invariant_truth__isWhatTheContractsSay() external view {
        assertEq(hall.broken(), "");
    }

    /// @dev I5: no honest round is slashed or forfeited.
    function invariant_honest__neverPay() external view {
        assertTrue(hall.honestRoundsStand());
    }

    /// @dev I1.
    function invariant_money__isConserved() external view {
        (uint256 held, uint256 owned) = hall.money();
        assertEq(held, owned);
    }

    /// @dev A long play from one seed in which every act happens, and every proof is accepted and refused: the invariants above are not
    /// true for want of trying.
    function test_hall__longPlay__everyProofIsTriedBothWays() external {
        bytes4[] memory acts = _acts();
        for (uint256 i = 0; i < 6000; i++) {
            uint256 draw = uint256(keccak256(abi.encode("hall", i)));
            bytes memory call =
                abi.encodeWithSelector(acts[draw % acts.length], (draw >> 8) & 0xffff, (draw >> 24) & 0xffff, (draw >> 40) & 1);
            (bool played, bytes memory why) = address(hall).call(call);
            assertTrue(played, string(why));
            assertEq(hall.broken(), "", vm.toString(i));
        }
        string[9] memory proofs = [
            "challenge",
            "challengeStatistics",
            "challengeAck",
            "challengeAsk",
            "challengeReuse",
            "challengeReuseByAsk",
            "challengeLeak",
            "challengeAnswers",
            "expire"
        ];
        for (uint256 i = 0; i < proofs.length; i++) {
            emit log_named_uint(string.concat(proofs[i], ", proven"), hall.proven(proofs[i]));
            emit log_named_uint(string.concat(proofs[i], ", refused"), hall.refused(proofs[i]));
            assertGt(hall.proven(proofs[i]), 0, proofs[i]);
            assertGt(hall.refused(proofs[i]), 0, proofs[i]);
        }
        string[9] memory acts_ = ["seal", "converse", "post", "attest", "reveal", "forfeit", "release", "demand", "answer"];
        for (uint256 i = 0; i < acts_.length; i++) {
            emit log_named_uint(acts_[i], hall.done(acts_[i]));
            assertGt(hall.done(acts_[i]), 0, acts_[i]);
        }
        assertTrue(hall.honestRoundsStand());
    }
}
