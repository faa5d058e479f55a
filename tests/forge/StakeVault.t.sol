// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {stdError} from "forge-std/Test.sol";

import {Exam, IStakeVault} from "./support/Exam.sol";

/// @notice A receiver that enters the vault again while it is being paid.
contract Reenterer {
    IStakeVault private immutable _vault;
    uint256 public refused;

    constructor(IStakeVault vault) {
        _vault = vault;
    }

    function withdraw(uint256 amount) external {
        _vault.withdraw(amount, address(this));
    }

    receive() external payable {
        try _vault.withdraw(msg.value, address(this)) {}
        catch {
            refused++;
        }
    }
}

/// @notice A receiver that takes no money.
contract Refuser {
    function withdraw(IStakeVault vault, uint256 amount) external {
        vault.withdraw(amount, address(this));
    }
}

// StakeVault
// ├── deposit
// │   ├── given 2^84 wei or more, with what the owner has
// │   │   └── it reverts
// │   └── it credits the owner, whoever pays
// ├── withdraw
// │   ├── given less free money than asked for, though more is locked
// │   │   └── it reverts
// │   ├── given a receiver that refuses
// │   │   └── it reverts and keeps the money
// │   ├── given a receiver that enters again
// │   │   └── it pays once
// │   └── it pays free money to anyone the owner names
// ├── allow
// │   ├── given a limit beyond 128 bits
// │   │   └── it reverts
// │   └── it sets the limit, also below what is locked
// ├── lock, tryLock
// │   ├── given a caller that is not settlement
// │   │   └── they revert
// │   ├── given no limit, also for an amount of zero
// │   │   └── lock reverts, tryLock says false
// │   ├── given more than the limit leaves, or more than is free
// │   │   └── lock reverts, tryLock says false
// │   └── they move free to locked, for owner and operator
// ├── unlock
// │   ├── given a caller that is not settlement, or more than is locked
// │   │   └── it reverts
// │   └── it moves locked to free
// └── slash
//     ├── given a caller that is not settlement, or more than is locked
//     │   └── it reverts
//     ├── given a beneficiary whose account deposits have filled
//     │   └── it is paid, until its account has 2^85 wei
//     ├── it credits the reward and burns the rest
//     └── what was lost stays used: an operator loses no more than its limit, however often
contract StakeVaultTest is Exam {
    address internal constant OPERATOR = address(0x0123);

    function setUp() public override {
        super.setUp();
        vm.deal(stranger, 100 ether);
        vm.prank(stranger);
        vault.deposit{value: 10 ether}(stranger);
    }

    function test_deposit__anyPayer__creditsOwner() external {
        vm.deal(challenger, 3 ether);
        vm.expectEmit(address(vault));
        emit IStakeVault.Deposited(stranger, challenger, 3 ether);
        vm.prank(challenger);
        vault.deposit{value: 3 ether}(stranger);

        assertEq(_free(stranger), 13 ether);
        assertEq(_locked(stranger), 0);
    }

    function test_deposit__toTheLastWeiOfAnAccount__revertsBeyond() external {
        uint256 most = (1 << 84) - 1;
        vm.deal(challenger, 2 * most);
        vm.startPrank(challenger);
        vault.deposit{value: most}(challenger);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AmountTooLarge.selector, most + 1));
        vault.deposit{value: 1}(challenger);
        vm.stopPrank();

        assertEq(_free(challenger), most);
    }

    function test_plainTransfer__reverts() external {
        vm.deal(challenger, 1 ether);
        vm.prank(challenger);
        (bool accepted,) = address(vault).call{value: 1 ether}("");
        assertFalse(accepted);
    }

    function test_withdraw__moreThanFree__reverts() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 4 ether);

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFree.selector, stranger, 6 ether, 6 ether + 1));
        vm.prank(stranger);
        vault.withdraw(6 ether + 1, stranger);

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFree.selector, stranger, 6 ether, type(uint256).max));
        vm.prank(stranger);
        vault.withdraw(type(uint256).max, stranger);
    }

    function test_withdraw__receiverRefuses__reverts() external {
        Refuser refuser = new Refuser();
        vm.prank(stranger);
        vault.deposit{value: 1 ether}(address(refuser));

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.TransferFailed.selector, address(refuser), 1 ether));
        refuser.withdraw(vault, 1 ether);
        assertEq(_free(address(refuser)), 1 ether);
    }

    function test_withdraw__receiverReenters__paysOnce() external {
        Reenterer thief = new Reenterer(vault);
        vm.prank(stranger);
        vault.deposit{value: 1 ether}(address(thief));
        uint256 before = address(vault).balance;

        thief.withdraw(1 ether);

        assertEq(address(thief).balance, 1 ether);
        assertEq(thief.refused(), 1);
        assertEq(address(vault).balance, before - 1 ether);
    }

    function testFuzz_withdraw__freeMoney__paysAnyone(uint256 amount) external {
        amount = bound(amount, 0, 10 ether);
        vm.expectEmit(address(vault));
        emit IStakeVault.Withdrawn(stranger, challenger, amount);
        vm.prank(stranger);
        vault.withdraw(amount, challenger);

        assertEq(challenger.balance, amount);
        assertEq(_free(stranger), 10 ether - amount);
    }

    function test_allow__beyond128Bits__reverts() external {
        uint256 limit = uint256(type(uint128).max) + 1;
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AmountTooLarge.selector, limit));
        vault.allow(OPERATOR, limit);
    }

    function test_allow__belowLocked__stopsFurtherLocks() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 4 ether);

        vm.expectEmit(address(vault));
        emit IStakeVault.Allowed(stranger, OPERATOR, 1 ether);
        _allow(1 ether);
        (uint256 limit, uint256 used) = vault.allowanceOf(stranger, OPERATOR);
        assertEq(limit, 1 ether);
        assertEq(used, 4 ether);

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, stranger, OPERATOR, 1 ether, 4 ether));
        _asRounds();
        vault.lock(stranger, OPERATOR, 0);

        _allow(0);
        _asRounds();
        vault.unlock(stranger, OPERATOR, 4 ether);
        assertEq(_free(stranger), 10 ether);
    }

    function test_lock__notSettlement__reverts() external {
        _allow(4 ether);
        address[4] memory callers = [stranger, OPERATOR, address(judge), address(models)];
        for (uint256 i = 0; i < callers.length; i++) {
            bytes memory refusal = abi.encodeWithSelector(IStakeVault.NotSettlement.selector, callers[i]);
            vm.startPrank(callers[i]);
            vm.expectRevert(refusal);
            vault.lock(stranger, OPERATOR, 1);
            vm.expectRevert(refusal);
            vault.tryLock(stranger, OPERATOR, 1);
            vm.expectRevert(refusal);
            vault.unlock(stranger, OPERATOR, 1);
            vm.expectRevert(refusal);
            vault.slash(stranger, challenger, 1, 0);
            vm.stopPrank();
        }
    }

    function test_lock__noLimit__revertsAlsoForZero() external {
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, stranger, OPERATOR, 0, 0));
        _asRounds();
        vault.lock(stranger, OPERATOR, 0);

        _asRounds();
        assertFalse(vault.tryLock(stranger, OPERATOR, 0));
    }

    function test_lock__beyondLimit__reverts() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 3 ether);

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, stranger, OPERATOR, 4 ether, 4 ether + 1));
        _asRounds();
        vault.lock(stranger, OPERATOR, 1 ether + 1);

        _asRounds();
        assertFalse(vault.tryLock(stranger, OPERATOR, 1 ether + 1));
        _asRounds();
        assertTrue(vault.tryLock(stranger, OPERATOR, 1 ether));
    }

    function test_lock__beyondFree__reverts() external {
        _allow(100 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.InsufficientFree.selector, stranger, 10 ether, 10 ether + 1));
        _asRounds();
        vault.lock(stranger, OPERATOR, 10 ether + 1);

        _asRounds();
        assertFalse(vault.tryLock(stranger, OPERATOR, 10 ether + 1));
    }

    function test_lock__hugeAmounts__neverWrap() external {
        _allow(type(uint128).max);
        _asRounds();
        vault.lock(stranger, OPERATOR, 1 ether);

        _asRounds();
        assertFalse(vault.tryLock(stranger, OPERATOR, uint256(type(uint128).max) + 1));
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.lock(stranger, OPERATOR, type(uint256).max);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.unlock(stranger, OPERATOR, uint256(type(uint128).max) + 1 + 1 ether);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.slash(stranger, challenger, 0, uint256(type(uint128).max) + 1 + 1 ether);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.slash(stranger, challenger, type(uint256).max, 1 ether + 1);
    }

    function testFuzz_lock__withinBoth__movesFreeToLocked(uint256 amount, uint256 limit, bool soft, bool byDisputes) external {
        amount = bound(amount, 0, 10 ether);
        limit = bound(limit, amount == 0 ? 1 : amount, type(uint128).max);
        _allow(limit);

        vm.prank(byDisputes ? address(disputes) : address(rounds));
        if (soft) assertTrue(vault.tryLock(stranger, OPERATOR, amount));
        else vault.lock(stranger, OPERATOR, amount);

        assertEq(_free(stranger), 10 ether - amount);
        assertEq(_locked(stranger), amount);
        (uint256 got, uint256 used) = vault.allowanceOf(stranger, OPERATOR);
        assertEq(got, limit);
        assertEq(used, amount);
    }

    function test_unlock__moreThanLocked__reverts() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 4 ether);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.unlock(stranger, OPERATOR, 4 ether + 1);
    }

    function test_unlock__underAnotherOperator__reverts() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 4 ether);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.unlock(stranger, challenger, 1);
    }

    function testFuzz_unlock__locked__becomesFree(uint256 locked, uint256 amount) external {
        locked = bound(locked, 1, 10 ether);
        amount = bound(amount, 0, locked);
        _allow(locked);
        _asRounds();
        vault.lock(stranger, OPERATOR, locked);

        vm.expectEmit(address(vault));
        emit IStakeVault.Unlocked(stranger, OPERATOR, amount);
        _asRounds();
        vault.unlock(stranger, OPERATOR, amount);

        assertEq(_free(stranger), 10 ether - locked + amount);
        assertEq(_locked(stranger), locked - amount);
    }

    function test_slash__moreThanLocked__reverts() external {
        _allow(4 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 4 ether);
        vm.expectRevert(stdError.arithmeticError);
        _asRounds();
        vault.slash(stranger, challenger, 2 ether + 1, 2 ether);
    }

    function testFuzz_slash__locked__paysAndBurns(uint256 reward, uint256 burned, bool oneself) external {
        reward = bound(reward, 0, 10 ether);
        burned = bound(burned, 0, 10 ether - reward);
        address beneficiary = oneself ? stranger : challenger;
        _allow(10 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 10 ether);

        _asRounds();
        vault.slash(stranger, beneficiary, reward, burned);

        assertEq(_free(beneficiary), reward);
        assertEq(_locked(stranger), 10 ether - reward - burned);
        assertEq(vault.burnedOf(stranger), burned);
        (, uint256 used) = vault.allowanceOf(stranger, OPERATOR);
        assertEq(used, 10 ether, "what is lost stays used");
    }

    /// @dev Whoever stole the key seals, leaks, takes the reward elsewhere and seals again.
    function test_slash__againAndAgain__losesNoMoreThanTheLimit() external {
        _allow(4 ether);
        for (uint256 i = 0; i < 2; i++) {
            vm.startPrank(address(rounds));
            vault.lock(stranger, OPERATOR, 2 ether);
            vault.slash(stranger, challenger, 1 ether, 1 ether);
            vm.stopPrank();
        }

        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotAllowed.selector, stranger, OPERATOR, 4 ether, 6 ether));
        _asRounds();
        vault.lock(stranger, OPERATOR, 2 ether);
        assertEq(_free(stranger), 6 ether);

        _allow(6 ether);
        _asRounds();
        vault.lock(stranger, OPERATOR, 2 ether);
    }

    /// @dev The three lanes side by side: whatever moves in one leaves the others as they are.
    function test_slash__accountThatIsFull__keepsItsLanesApart() external {
        uint256 most = (1 << 84) - 1;
        _fill(challenger);
        vm.startPrank(address(rounds));
        vault.lock(challenger, OPERATOR, most);
        vault.slash(challenger, stranger, 0, most - 1);
        vm.stopPrank();

        assertEq(_free(challenger), 0);
        assertEq(_locked(challenger), 1);
        assertEq(vault.burnedOf(challenger), most - 1);
        _asRounds();
        vault.unlock(challenger, OPERATOR, 1);
        assertEq(_free(challenger), 1);
        assertEq(_locked(challenger), 0);
    }

    /// @dev Nobody makes itself unpayable by deposits: rewards have the other half of an account, up to its last wei.
    function test_slash__beneficiaryThatIsFull__isPaidAllTheSame() external {
        uint256 most = (1 << 84) - 1;
        _fill(stranger);
        _fill(challenger);
        vm.prank(stranger);
        vault.withdraw(1, stranger);
        vm.startPrank(address(rounds));
        vault.lock(stranger, OPERATOR, most - 1);
        vault.slash(stranger, challenger, most - 1, 0);
        vm.stopPrank();
        assertEq(_free(challenger), 2 * most - 1);

        _fill(stranger);
        vm.startPrank(address(rounds));
        vault.lock(stranger, OPERATOR, 3);
        vault.slash(stranger, challenger, 2, 0);
        assertEq(_free(challenger), (1 << 85) - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.AmountTooLarge.selector, 1 << 85));
        vault.slash(stranger, challenger, 1, 0);
        vm.stopPrank();
    }

    /// @dev Deposits up to the last wei, and lets the operator lock all of it.
    function _fill(address owner) private {
        (uint256 free, uint256 locked) = vault.balanceOf(owner);
        uint256 missing = (1 << 84) - 1 - free - locked - vault.burnedOf(owner);
        vm.deal(owner, missing);
        vm.startPrank(owner);
        vault.deposit{value: missing}(owner);
        vault.allow(OPERATOR, type(uint128).max);
        vm.stopPrank();
    }

    function _allow(uint256 limit) private {
        vm.prank(stranger);
        vault.allow(OPERATOR, limit);
    }

    function _asRounds() private {
        vm.prank(address(rounds));
    }
}
