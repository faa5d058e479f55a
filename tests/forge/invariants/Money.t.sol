// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Clockwork} from "./Clockwork.sol";

/// @notice The invariants of contracts/README.md, by their numbers, under any order of acts.
contract MoneyTest is Test {
    Clockwork internal clockwork;

    function setUp() external {
        clockwork = new Clockwork();
        clockwork.start();
        // An act that is named twice is played twice as often.
        bytes4[26] memory acts = [
            Clockwork.pass.selector,
            Clockwork.deposit.selector,
            Clockwork.withdraw.selector,
            Clockwork.allow.selector,
            Clockwork.seal.selector,
            Clockwork.seal.selector,
            Clockwork.enrol.selector,
            Clockwork.enrol.selector,
            Clockwork.attest.selector,
            Clockwork.reveal.selector,
            Clockwork.challenge.selector,
            Clockwork.forfeit.selector,
            Clockwork.release.selector,
            Clockwork.releaseVersion.selector,
            Clockwork.demand.selector,
            Clockwork.demand.selector,
            Clockwork.demand.selector,
            Clockwork.answerDemand.selector,
            Clockwork.answerDemand.selector,
            Clockwork.expire.selector,
            Clockwork.reclaim.selector,
            Clockwork.answerTwice.selector,
            Clockwork.leak.selector,
            Clockwork.proceed.selector,
            Clockwork.proceed.selector,
            Clockwork.proceed.selector
        ];
        bytes4[] memory selectors = new bytes4[](acts.length);
        for (uint256 i = 0; i < acts.length; i++) {
            selectors[i] = acts[i];
        }
        targetContract(address(clockwork));
        targetSelector(FuzzSelector(address(clockwork), selectors));
    }

    /// @dev I1: what the vault holds is what is free, what is locked and what was burned; nothing came from nowhere.
    function invariant_money__isConserved() external view {
        (uint256 free, uint256 locked,) = clockwork.sums();
        uint256 others = 200 ether; // The benchmarker and the provider of the fixture, who only watch here.
        assertEq(clockwork.vaultBalance(), others + free + locked + clockwork.burned());
        assertEq(clockwork.vaultBalance(), others + clockwork.deposited() - clockwork.withdrawn());
    }

    /// @dev I2: what is locked is what the open obligations ask for, in both books; what was lost stays used.
    function invariant_locks__areTheOpenObligations() external view {
        (, uint256 locked, uint256 used) = clockwork.sums();
        assertEq(locked + clockwork.lost(), used);
        assertEq(locked, clockwork.owed());
    }

    /// @dev I3: every fault and every forfeit burns half a round bond, every answered demand half a fee, two Answers nine tenths of a
    /// version bond, and nothing else burns.
    function invariant_burns__areTheSharesOfWhatWasTaken() external view {
        assertEq(clockwork.burned(), clockwork.burnsDue());
    }

    /// @dev I4 to I7: phases move along the table only, no honest round is slashed, no lie survives a challenge, bonds move in their phase.
    function invariant_rules__areNeverBroken() external view {
        assertEq(clockwork.broken(), "");
    }

    function afterInvariant() external {
        emit log_named_uint("rounds", clockwork.roundCount());
        emit log_named_uint("final", clockwork.finals());
        emit log_named_uint("void", clockwork.voids());
        emit log_named_uint("faults", clockwork.faults());
        emit log_named_uint("forfeits", clockwork.forfeits());
        emit log_named_uint("leaks", clockwork.leaks());
        emit log_named_uint("answered demands", clockwork.answered());
        emit log_named_uint("expired demands", clockwork.expired());
        emit log_named_uint("taken version bonds", clockwork.taken());
    }
}
