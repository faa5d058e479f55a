// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @title StakeVault
/// @notice The only contract that holds value; see IStakeVault.
contract StakeVault is IStakeVault {
    struct Account {
        uint128 free;
        uint128 locked;
    }

    struct Allowance {
        uint128 limit;
        uint128 locked;
    }

    uint256 private constant BPS = 10_000;

    address private immutable _rounds;
    address private immutable _disputes;

    mapping(address owner => Account) private _accounts;
    mapping(address owner => mapping(address operator => Allowance)) private _allowances;

    /// @inheritdoc IStakeVault
    uint256 public burned;

    modifier onlySettlement() {
        if (msg.sender != _rounds && msg.sender != _disputes) revert NotSettlement(msg.sender);
        _;
    }

    constructor(Addresses memory all) {
        _rounds = address(all.rounds);
        _disputes = address(all.disputes);
    }

    // Owners

    /// @inheritdoc IStakeVault
    function deposit(address owner) external payable {
        _accounts[owner].free += _toUint128(msg.value);

        emit Deposited(owner, msg.sender, msg.value);
    }

    /// @inheritdoc IStakeVault
    function withdraw(uint256 amount, address to) external {
        Account storage account = _accounts[msg.sender];

        if (account.free < amount) revert InsufficientFree(msg.sender, account.free, amount);

        account.free -= uint128(amount);

        emit Withdrawn(msg.sender, to, amount);

        (bool accepted,) = to.call{value: amount}("");
        if (!accepted) revert TransferFailed(to, amount);
    }

    /// @inheritdoc IStakeVault
    function allow(address operator, uint256 limit) external {
        _allowances[msg.sender][operator].limit = _toUint128(limit);

        emit Allowed(msg.sender, operator, limit);
    }

    // Settlement

    /// @inheritdoc IStakeVault
    function lock(address owner, address operator, uint256 amount) external onlySettlement {
        Account storage account = _accounts[owner];
        Allowance storage allowance = _allowances[owner][operator];

        if (!_isAllowed(allowance, amount)) {
            revert NotAllowed(owner, operator, allowance.limit, allowance.locked + amount);
        }
        if (account.free < amount) revert InsufficientFree(owner, account.free, amount);

        _lock(account, allowance, uint128(amount));

        emit Locked(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function tryLock(address owner, address operator, uint256 amount) external onlySettlement returns (bool) {
        Account storage account = _accounts[owner];
        Allowance storage allowance = _allowances[owner][operator];

        if (!_isAllowed(allowance, amount) || account.free < amount) return false;

        _lock(account, allowance, uint128(amount));

        emit Locked(owner, operator, amount);
        return true;
    }

    /// @inheritdoc IStakeVault
    function unlock(address owner, address operator, uint256 amount) external onlySettlement {
        Account storage account = _accounts[owner];
        uint128 freed = _toUint128(amount);

        _allowances[owner][operator].locked -= freed;
        account.locked -= freed;
        account.free += freed;

        emit Unlocked(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function slash(address owner, address operator, uint256 amount, address beneficiary, uint256 rewardBps)
        external
        onlySettlement
    {
        uint128 taken = _toUint128(amount);
        uint256 reward = amount * rewardBps / BPS;
        uint256 burnt = amount - reward;

        _allowances[owner][operator].locked -= taken;
        _accounts[owner].locked -= taken;
        _accounts[beneficiary].free += uint128(reward);
        burned += burnt;

        emit Slashed(owner, beneficiary, reward, burnt);
    }

    // Views

    /// @inheritdoc IStakeVault
    function balanceOf(address owner) external view returns (uint256 free, uint256 locked) {
        Account storage account = _accounts[owner];
        return (account.free, account.locked);
    }

    /// @inheritdoc IStakeVault
    function allowanceOf(address owner, address operator) external view returns (uint256 limit, uint256 locked) {
        Allowance storage allowance = _allowances[owner][operator];
        return (allowance.limit, allowance.locked);
    }

    /// @dev An operator without a limit may lock nothing, not even an amount of zero.
    function _isAllowed(Allowance storage allowance, uint256 amount) private view returns (bool) {
        return allowance.limit != 0 && allowance.limit >= allowance.locked + amount;
    }

    function _lock(Account storage account, Allowance storage allowance, uint128 amount) private {
        account.free -= amount;
        account.locked += amount;
        allowance.locked += amount;
    }

    function _toUint128(uint256 amount) private pure returns (uint128) {
        if (amount > type(uint128).max) revert AmountTooLarge(amount);
        return uint128(amount);
    }
}
