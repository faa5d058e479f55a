// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RoundTerms} from "../libraries/Terms.sol";
import {IMetric} from "./IMetric.sol";

/// @dev Hash of a task's parameters.
type TaskId is bytes32;

/// @notice All parameters of a task, fixed once and for all.
/// @dev In the third of its four slots stands what RoundTerms are, in this order. Windows are in seconds, bonds and fee in wei, `maxSilenceBps` in hundredths of a percent, `maxBytes` is the cap for each text by itself.
struct TaskParams {
    bytes32 descriptionDigest;
    IMetric metric;
    uint8 metricWords;
    uint32 maxItems;
    uint32 maxBytes;
    uint16 maxSilenceBps;
    uint32 answerWindow;
    uint32 postWindow;
    uint32 attestWindow;
    uint32 revealWindow;
    uint32 challengeWindow;
    uint96 roundBond;
    uint32 demandWindow;
    uint96 versionBond;
    uint64 demandFee;
}

/// @title ITaskRegistry
/// @notice Tasks: what is examined, by which metric, in which windows, for which bonds.
/// @dev The chain vouches for no task. Agents, gateways and rankings accept the metric code they ship with, and published minima.
interface ITaskRegistry {
    /// @notice A task was registered for the first time.
    event TaskRegistered(TaskId indexed task, address indexed metric, TaskParams params);

    /// @notice The task was never registered.
    error UnknownTask(TaskId task);
    /// @notice There is no task with this number.
    error UnknownNumber(uint32 number);
    /// @notice The metric has another number of words than the task says, or none, or more than 16.
    error WrongMetricWords(uint256 expected, uint256 got);
    /// @notice The text cap is zero or above what the metric can check.
    error CapTooLarge(uint256 maxBytes, uint256 metricMaxBytes);
    /// @notice Items times bytes reach 2^28, or there are no items: lanes could overflow.
    error TooMuchText(uint256 maxItems, uint256 maxBytes);
    /// @notice All of a set may not be silence.
    error SilenceTooLarge(uint256 maxSilenceBps);
    /// @notice A window is shorter than one second or longer than 180 days.
    error WindowOutOfRange(uint256 window);
    /// @notice The challenge window leaves no time to find a wrong inner sum by demands.
    error ChallengeWindowTooShort(uint256 challengeWindow, uint256 least);
    /// @notice No Ask could ever be posted: the post window is not shorter than the answer window.
    error PostWindowTooLong(uint256 postWindow, uint256 answerWindow);

    /// @notice All numbers of tasks are taken.
    error RegistryFull();

    /// @notice Registers a task. A second time is harmless and changes nothing.
    /// @dev Requirements: anyone, at any time; parameters within the limits named by the errors.
    function register(TaskParams calldata params) external returns (TaskId task);

    /// @notice The parameters of a registered task; reverts for an unknown one.
    function paramsOf(TaskId task) external view returns (TaskParams memory);

    /// @notice The id that these parameters have.
    function idOf(TaskParams calldata params) external pure returns (TaskId);

    /// @notice How many tasks there are; they are numbered from zero in the order of their registration.
    function count() external view returns (uint256);

    /// @notice Id of the task with this number; reverts beyond `count`.
    function idAt(uint32 number) external view returns (TaskId);

    /// @notice What a seal needs of a task, in one slot; reverts for an unknown one.
    function sealTermsOf(TaskId task) external view returns (uint32 number, uint32 maxItems, uint96 roundBond);

    /// @notice Windows and round bond of the task with this number, in one slot; zero beyond `count`.
    function roundTermsAt(uint32 number) external view returns (RoundTerms);

    /// @notice What a proof of wrong statistics needs of the task with this number, in two slots; zero beyond `count`.
    function proofTermsAt(uint32 number) external view returns (IMetric metric, uint8 metricWords, RoundTerms terms);

    /// @notice What enrolments and demands need of the task with this number, in one slot; zero beyond `count`.
    function otherTermsAt(uint32 number) external view returns (uint32 demandWindow, uint96 versionBond, uint64 demandFee);

    /// @notice What an attestation or a post needs of the task with this number, in one slot; zero beyond `count`.
    function scoringAt(uint32 number)
        external
        view
        returns (IMetric metric, uint8 metricWords, uint32 maxBytes, uint16 maxSilenceBps);
}
