// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IStakeVault
/// @notice The only contract that holds value: what owners deposit, what their obligations lock, what was burned.
/// @dev Sealed, Enrolled and Demanded say that a bond or a fee of the task was locked; RoundSlashed, RoundForfeited, VersionSlashed and
/// DemandAnswered what was taken of it.
/// No owner, no fee, no path from locked money to a withdrawal. Burned money stays here for ever: no function can pay it out.
interface IStakeVault {
    /// @notice Money came in for an owner.
    event Deposited(address indexed owner, address indexed from, uint256 amount);
    /// @notice Free money went out.
    event Withdrawn(address indexed owner, address indexed to, uint256 amount);
    /// @notice The owner set how much this operator may have locked or lost; zero means none, not even rounds without bond.
    event Allowed(address indexed owner, address indexed operator, uint256 limit);
    /// @notice A bond or a fee became free again.
    event Unlocked(address indexed owner, address indexed operator, uint256 amount);

    /// @notice Only the settlement contracts may move locked money.
    error NotSettlement(address caller);
    /// @notice The owner has less free money than asked for.
    error InsufficientFree(address owner, uint256 free, uint256 amount);
    /// @notice The owner did not allow this operator, or not so much.
    error NotAllowed(address owner, address operator, uint256 limit, uint256 wouldBeUsed);
    /// @notice The receiver of a withdrawal refused it.
    error TransferFailed(address to, uint256 amount);
    /// @notice A deposit would bring an account to 2^84 wei or a reward to 2^85, what was burned of it included, or a limit has more than 128 bits.
    error AmountTooLarge(uint256 amount);

    /// @notice Deposits the sent money for an owner.
    function deposit(address owner) external payable;

    /// @notice Withdraws free money of the caller.
    function withdraw(uint256 amount, address to) external;

    /// @notice Sets the most that an operator may have locked or lost on the caller's account, all told: what it lost before counts. Locked money is
    /// not touched.
    function allow(address operator, uint256 limit) external;

    /// @notice Locks free money of an owner under one operator's limit. Requirements: Rounds or Disputes.
    function lock(address owner, address operator, uint256 amount) external;

    /// @notice As `lock`, but says false where `lock` would revert for want of money or allowance.
    function tryLock(address owner, address operator, uint256 amount) external returns (bool);

    /// @notice Frees a locked amount. Requirements: Rounds or Disputes, for an amount it locked.
    function unlock(address owner, address operator, uint256 amount) external;

    /// @notice Takes a locked amount, `reward` and `burned` together: the reward is credited to the beneficiary, the rest is gone.
    /// Its operator's limit stays used: a stolen key cannot lose more than that. Requirements: Rounds or Disputes, for an amount it locked.
    function slash(address owner, address beneficiary, uint256 reward, uint256 burned) external;

    /// @notice Money of an owner that can be withdrawn now, and money that is locked.
    function balanceOf(address owner) external view returns (uint256 free, uint256 locked);

    /// @notice Money of an owner that was burned.
    function burnedOf(address owner) external view returns (uint256);

    /// @notice Limit of an operator on an owner's account, and how much of it is used: locked now, or lost for good.
    function allowanceOf(address owner, address operator) external view returns (uint256 limit, uint256 used);
}
