// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @title StakeVault
/// @notice The only contract that holds value; see IStakeVault.
contract StakeVault is IStakeVault {
    /// @dev Two amounts of 128 bits, the first in the lower half, read and written at once.
    struct Pair {
        uint256 both;
    }

    uint256 private constant BPS = 10_000;

    address private immutable _rounds;
    address private immutable _disputes;

    /// @dev What is free and what is locked.
    mapping(address owner => Pair) private _accounts;
    /// @dev What an operator may have locked at once and what it has.
    mapping(address owner => mapping(address operator => Pair)) private _allowances;

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
        _credit(owner, msg.value);

        emit Deposited(owner, msg.sender, msg.value);
    }

    /// @inheritdoc IStakeVault
    function withdraw(uint256 amount, address to) external {
        Pair storage account = _accounts[msg.sender];
        (uint256 free, uint256 locked) = _read(account);

        if (free < amount) revert InsufficientFree(msg.sender, free, amount);

        _write(account, free - amount, locked);

        emit Withdrawn(msg.sender, to, amount);

        (bool accepted,) = to.call{value: amount}("");
        if (!accepted) revert TransferFailed(to, amount);
    }

    /// @inheritdoc IStakeVault
    function allow(address operator, uint256 limit) external {
        Pair storage allowance = _allowances[msg.sender][operator];
        (, uint256 used) = _read(allowance);

        _write(allowance, limit, used);

        emit Allowed(msg.sender, operator, limit);
    }

    // Settlement

    /// @inheritdoc IStakeVault
    function lock(address owner, address operator, uint256 amount) external onlySettlement {
        if (_tryLock(owner, operator, amount)) return;

        (uint256 limit, uint256 used) = _read(_allowances[owner][operator]);
        if (!_isAllowed(limit, used, amount)) revert NotAllowed(owner, operator, limit, used + amount);
        (uint256 free,) = _read(_accounts[owner]);
        revert InsufficientFree(owner, free, amount);
    }

    /// @inheritdoc IStakeVault
    function tryLock(address owner, address operator, uint256 amount) external onlySettlement returns (bool) {
        return _tryLock(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function unlock(address owner, address operator, uint256 amount) external onlySettlement {
        _take(owner, operator, amount);
        _credit(owner, amount);

        emit Unlocked(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function slash(address owner, address operator, uint256 amount, address beneficiary, uint256 rewardBps)
        external
        onlySettlement
    {
        uint256 reward = amount * rewardBps / BPS;
        uint256 burnt = amount - reward;

        _take(owner, operator, amount);
        _credit(beneficiary, reward);
        burned += burnt;

        emit Slashed(owner, beneficiary, reward, burnt);
    }

    // Views

    /// @inheritdoc IStakeVault
    function balanceOf(address owner) external view returns (uint256 free, uint256 locked) {
        return _read(_accounts[owner]);
    }

    /// @inheritdoc IStakeVault
    function allowanceOf(address owner, address operator) external view returns (uint256 limit, uint256 locked) {
        return _read(_allowances[owner][operator]);
    }

    // Books

    function _tryLock(address owner, address operator, uint256 amount) private returns (bool) {
        Pair storage account = _accounts[owner];
        Pair storage allowance = _allowances[owner][operator];
        uint256 money = account.both;
        uint256 limits = allowance.both;

        if (!_isAllowed(uint128(limits), limits >> 128, amount) || uint128(money) < amount) return false;

        // From free to locked, and onto what is used. The lower halves suffice and so does the limit, as just checked; locked money that
        // overflowed its half would overflow the word, and revert.
        account.both = money + (amount << 128) - amount;
        unchecked {
            allowance.both = limits + (amount << 128);
        }
        return true;
    }

    /// @dev An operator without a limit may lock nothing, not even an amount of zero.
    function _isAllowed(uint256 limit, uint256 used, uint256 amount) private pure returns (bool) {
        unchecked {
            return limit != 0 && used <= limit && amount <= limit - used;
        }
    }

    /// @dev Takes a locked amount out of both books; the caller says where it goes.
    function _take(address owner, address operator, uint256 amount) private {
        Pair storage account = _accounts[owner];
        Pair storage allowance = _allowances[owner][operator];
        (uint256 free, uint256 locked) = _read(account);
        (uint256 limit, uint256 used) = _read(allowance);

        _write(account, free, locked - amount);
        _write(allowance, limit, used - amount);
    }

    function _credit(address owner, uint256 amount) private {
        Pair storage account = _accounts[owner];
        (uint256 free, uint256 locked) = _read(account);

        _write(account, free + amount, locked);
    }

    function _read(Pair storage pair) private view returns (uint256 low, uint256 high) {
        uint256 both = pair.both;
        return (uint128(both), both >> 128);
    }

    function _write(Pair storage pair, uint256 low, uint256 high) private {
        if (low > type(uint128).max) revert AmountTooLarge(low);
        if (high > type(uint128).max) revert AmountTooLarge(high);
        pair.both = low | high << 128;
    }
}
