// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {StakeVault} from "../../contracts/StakeVault.sol";
import {Addresses} from "../../contracts/interfaces/IDeployer.sol";
import {IDisputes} from "../../contracts/interfaces/IDisputes.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";

/// @notice For every amount at once, by symbolic execution: any state of two owners that deposits, limits and locks make, then any one act.
/// @dev This contract is Rounds to the vault, the only one besides Disputes that moves locked money.
contract VaultProof is Test {
    enum Act {
        Deposit,
        Withdraw,
        Allow,
        Lock,
        TryLock,
        Unlock,
        Slash
    }

    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);
    address private constant OPERATOR = address(0x09E2A);
    address private constant RICH = address(0x21C4);

    StakeVault private _vault;

    function setUp() public {
        Addresses memory all;
        all.rounds = IRounds(address(this));
        all.disputes = IDisputes(address(0xD15));
        _vault = new StakeVault(all);
        vm.deal(RICH, 1 << 120);
    }

    /// @dev What there is equals what is free, locked and burned.
    function check_anyAct__conservesMoney(uint96 alice, uint96 bob, uint128 limit, uint96 held, uint8 act, uint128 amount)
        public
    {
        vm.assume(act < 7);
        _begin(alice, bob, limit, held);
        _try(ALICE, Act(act), amount);
        assert(address(_vault).balance == _owned(ALICE) + _owned(BOB));
    }

    /// @dev Whoever is neither Rounds nor Disputes leaves every locked amount as it was.
    function check_owners__neverMoveLockedMoney(
        uint96 alice,
        uint96 bob,
        uint128 limit,
        uint96 held,
        uint8 act,
        uint128 amount,
        bool asAlice
    ) public {
        vm.assume(act < 7);
        _begin(alice, bob, limit, held);
        (, uint256 before) = _vault.balanceOf(ALICE);
        (, uint256 used) = _vault.allowanceOf(ALICE, OPERATOR);

        vm.prank(asAlice ? ALICE : BOB);
        _act(ALICE, Act(act), amount);

        (, uint256 locked) = _vault.balanceOf(ALICE);
        (, uint256 usedThen) = _vault.allowanceOf(ALICE, OPERATOR);
        assert(locked == before && usedThen == used);
    }

    /// @dev A withdrawal takes free money of its caller alone, and never more than there is.
    function check_withdraw__takesFreeMoneyOfTheCaller(uint96 alice, uint96 bob, uint128 limit, uint96 held, uint128 amount)
        public
    {
        _begin(alice, bob, limit, held);
        (uint256 free,) = _vault.balanceOf(ALICE);
        uint256 ofBob = _owned(BOB);

        vm.prank(ALICE);
        bool done = _act(ALICE, Act.Withdraw, amount);

        (uint256 left,) = _vault.balanceOf(ALICE);
        assert(done ? amount <= free && left == free - amount : left == free);
        assert(_owned(BOB) == ofBob);
    }

    /// @dev What an operator has used is what is locked of its owner and what was lost, and no more than its limit where that was not lowered.
    function check_anyAct__usedIsLockedOrLost(uint96 alice, uint128 limit, uint96 held, uint8 act, uint128 amount) public {
        vm.assume(act < 7);
        _begin(alice, 0, limit, held);
        bool done = _try(ALICE, Act(act), amount);

        (, uint256 locked) = _vault.balanceOf(ALICE);
        (uint256 most, uint256 used) = _vault.allowanceOf(ALICE, OPERATOR);
        if (Act(act) == Act.Slash && done) assert(used == held && locked == held - amount);
        else assert(used == locked);
        assert(Act(act) == Act.Allow || used <= most);
    }

    function _begin(uint96 alice, uint96 bob, uint128 limit, uint96 held) private {
        vm.startPrank(RICH);
        _vault.deposit{value: alice}(ALICE);
        _vault.deposit{value: bob}(BOB);
        vm.stopPrank();
        vm.prank(ALICE);
        _vault.allow(OPERATOR, limit);
        _vault.lock(ALICE, OPERATOR, held);
    }

    /// @dev An act by whoever may: an owner's by the owner, a settlement's by this contract.
    function _try(address owner, Act act, uint256 amount) private returns (bool) {
        if (act == Act.Deposit) vm.prank(RICH);
        if (act == Act.Withdraw || act == Act.Allow) vm.prank(owner);
        return _act(owner, act, amount);
    }

    function _act(address owner, Act act, uint256 amount) private returns (bool done) {
        bytes memory data;
        if (act == Act.Deposit) data = abi.encodeCall(StakeVault.deposit, (owner));
        else if (act == Act.Withdraw) data = abi.encodeCall(StakeVault.withdraw, (amount, RICH));
        else if (act == Act.Allow) data = abi.encodeCall(StakeVault.allow, (OPERATOR, amount));
        else if (act == Act.Lock) data = abi.encodeCall(StakeVault.lock, (owner, OPERATOR, amount));
        else if (act == Act.TryLock) data = abi.encodeCall(StakeVault.tryLock, (owner, OPERATOR, amount));
        else if (act == Act.Unlock) data = abi.encodeCall(StakeVault.unlock, (owner, OPERATOR, amount));
        else data = abi.encodeCall(StakeVault.slash, (owner, BOB, amount / 2, amount - amount / 2));
        (done,) = address(_vault).call{value: act == Act.Deposit ? amount : 0}(data);
    }

    function _owned(address owner) private view returns (uint256) {
        (uint256 free, uint256 locked) = _vault.balanceOf(owner);
        return free + locked + _vault.burnedOf(owner);
    }
}
