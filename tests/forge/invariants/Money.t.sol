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
        bytes4[] memory acts = new bytes4[](13);
        acts[0] = Clockwork.pass.selector;
        acts[1] = Clockwork.deposit.selector;
        acts[2] = Clockwork.withdraw.selector;
        acts[3] = Clockwork.allow.selector;
        acts[4] = Clockwork.seal.selector;
        acts[5] = Clockwork.enrol.selector;
        acts[6] = Clockwork.attest.selector;
        acts[7] = Clockwork.reveal.selector;
        acts[8] = Clockwork.challenge.selector;
        acts[9] = Clockwork.forfeit.selector;
        acts[10] = Clockwork.release.selector;
        acts[11] = Clockwork.releaseVersion.selector;
        acts[12] = Clockwork.enrol.selector;
        targetContract(address(clockwork));
        targetSelector(FuzzSelector(address(clockwork), acts));
    }

    /// @dev I1: what the vault holds is what is free, what is locked and what was burned; nothing came from nowhere.
    function invariant_money__isConserved() external view {
        (uint256 free, uint256 locked,) = clockwork.sums();
        uint256 others = 200 ether; // The benchmarker and the provider of the fixture, who only watch here.
        assertEq(clockwork.vaultBalance(), others + free + locked + clockwork.burned());
        assertEq(clockwork.vaultBalance(), others + clockwork.deposited() - clockwork.withdrawn());
    }

    /// @dev I2: what is locked is what the open obligations ask for, in both books.
    function invariant_locks__areTheOpenObligations() external view {
        (, uint256 locked, uint256 used) = clockwork.sums();
        assertEq(locked, used);
        assertEq(locked, clockwork.owed());
    }

    /// @dev I3: every fault and every forfeit burns half a round bond, and nothing else burns.
    function invariant_burns__areHalfOfEveryTakenBond() external view {
        uint256 taken = clockwork.faults() + clockwork.forfeits();
        assertEq(clockwork.burned(), taken * clockwork.roundBond() / 2);
    }

    /// @dev I4 to I7: phases move along the table only, no honest round is slashed, no lie survives a challenge, bonds move in their phase.
    function invariant_rules__areNeverBroken() external view {
        assertEq(clockwork.broken(), "");
    }
}
