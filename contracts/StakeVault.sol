// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/// @title StakeVault
/// @notice The only contract that holds value; see IStakeVault.
contract StakeVault is IStakeVault {
    /// @dev Several amounts in one word, read and written at once.
    struct Book {
        uint256 word;
    }

    /// @dev An account: free, locked and burned money, lowest first, in lanes of 85 bits. All three together never reach 2^85, so that no
    /// lane can overflow. Deposits fill it to half, the rest is for rewards: who keeps a full account must not escape being paid by `expire`,
    /// which nobody else could send in its place.
    uint256 private constant LOCKED = 85;
    uint256 private constant BURNED = 170;
    uint256 private constant LANE = (1 << 85) - 1;
    uint256 private constant MOST_DEPOSITED = LANE >> 1;

    /// @dev An allowance: the limit and what is used of it, in halves of 128 bits.
    uint256 private constant USED = 128;

    address private immutable _rounds;
    address private immutable _disputes;

    mapping(address owner => Book) private _accounts;
    mapping(address owner => mapping(address operator => Book)) private _allowances;

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
        _credit(owner, msg.value, MOST_DEPOSITED);

        emit Deposited(owner, msg.sender, msg.value);
    }

    /// @inheritdoc IStakeVault
    function withdraw(uint256 amount, address to) external {
        Book storage account = _accounts[msg.sender];
        uint256 free = account.word & LANE;

        if (free < amount) revert InsufficientFree(msg.sender, free, amount);

        account.word -= amount;

        emit Withdrawn(msg.sender, to, amount);

        (bool accepted,) = to.call{value: amount}("");
        if (!accepted) revert TransferFailed(to, amount);
    }

    /// @inheritdoc IStakeVault
    function allow(address operator, uint256 limit) external {
        if (limit > type(uint128).max) revert AmountTooLarge(limit);

        Book storage allowance = _allowances[msg.sender][operator];
        allowance.word = limit | ((allowance.word >> USED) << USED);

        emit Allowed(msg.sender, operator, limit);
    }

    // Settlement

    /// @inheritdoc IStakeVault
    function lock(address owner, address operator, uint256 amount) external onlySettlement {
        if (_tryLock(owner, operator, amount)) return;

        (uint256 limit, uint256 used) = allowanceOf(owner, operator);
        if (!_isAllowed(limit, used, amount)) revert NotAllowed(owner, operator, limit, used + amount);
        revert InsufficientFree(owner, _accounts[owner].word & LANE, amount);
    }

    /// @inheritdoc IStakeVault
    function tryLock(address owner, address operator, uint256 amount) external onlySettlement returns (bool) {
        return _tryLock(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function unlock(address owner, address operator, uint256 amount) external onlySettlement {
        _take(_accounts[owner], amount, amount);
        _allowances[owner][operator].word -= amount << USED;

        emit Unlocked(owner, operator, amount);
    }

    /// @inheritdoc IStakeVault
    function slash(address owner, address beneficiary, uint256 reward, uint256 burned) external onlySettlement {
        _take(_accounts[owner], reward + burned, burned << BURNED);
        _credit(beneficiary, reward, LANE);
    }

    // Views

    /// @inheritdoc IStakeVault
    function balanceOf(address owner) external view returns (uint256 free, uint256 locked) {
        uint256 account = _accounts[owner].word;
        return (account & LANE, (account >> LOCKED) & LANE);
    }

    /// @inheritdoc IStakeVault
    function burnedOf(address owner) external view returns (uint256) {
        return _accounts[owner].word >> BURNED;
    }

    /// @inheritdoc IStakeVault
    function allowanceOf(address owner, address operator) public view returns (uint256 limit, uint256 used) {
        uint256 allowance = _allowances[owner][operator].word;
        return (uint128(allowance), allowance >> USED);
    }

    // Books

    function _tryLock(address owner, address operator, uint256 amount) private returns (bool) {
        Book storage account = _accounts[owner];
        Book storage allowance = _allowances[owner][operator];
        uint256 money = account.word;
        uint256 limits = allowance.word;

        if (!_isAllowed(uint128(limits), limits >> USED, amount) || (money & LANE) < amount) return false;

        // From free to locked, and onto what is used: as just checked there is enough, and the limit holds.
        unchecked {
            account.word = money + (amount << LOCKED) - amount;
            allowance.word = limits + (amount << USED);
        }
        return true;
    }

    /// @dev An operator without a limit may lock nothing, not even an amount of zero.
    function _isAllowed(uint256 limit, uint256 used, uint256 amount) private pure returns (bool) {
        unchecked {
            return limit != 0 && used <= limit && amount <= limit - used;
        }
    }

    /// @dev Takes a locked amount out of an account and adds to its other lanes what is left to it. Reverts where less is locked.
    function _take(Book storage account, uint256 amount, uint256 others) private {
        uint256 money = account.word;
        uint256 left = ((money >> LOCKED) & LANE) - amount;
        account.word = ((money & ~(LANE << LOCKED)) | (left << LOCKED)) + others;
    }

    function _credit(address owner, uint256 amount, uint256 most) private {
        Book storage account = _accounts[owner];
        uint256 money = account.word;
        uint256 holds = (money & LANE) + ((money >> LOCKED) & LANE) + (money >> BURNED) + amount;

        if (holds > most) revert AmountTooLarge(holds);

        account.word = money + amount;
    }
}
