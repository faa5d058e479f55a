// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "./interfaces/IMetric.sol";
import {ITaskRegistry, TaskId, TaskParams} from "./interfaces/ITaskRegistry.sol";
import {Seals} from "./libraries/Seals.sol";
import {RoundTerms} from "./libraries/Terms.sol";

/// @title TaskRegistry
/// @notice What is examined, and on what terms; see ITaskRegistry.
contract TaskRegistry is ITaskRegistry {
    /// @dev `maxItems` is never zero for a registered task.
    struct SealTerms {
        uint32 number;
        uint32 maxItems;
        uint96 roundBond;
    }

    uint256 private constant MAX_WORDS = 16;
    uint256 private constant MAX_TEXT = 1 << 28;
    uint256 private constant MAX_WINDOW = 180 days;
    uint256 private constant BPS = 10_000;

    mapping(TaskId => SealTerms) private _sealTerms;
    mapping(uint32 number => TaskParams) private _tasks;

    /// @inheritdoc ITaskRegistry
    uint256 public count;

    /// @inheritdoc ITaskRegistry
    function register(TaskParams calldata params) external returns (TaskId task) {
        task = Seals.taskId(params);

        if (_sealTerms[task].maxItems != 0) return task;
        _checkMetric(params);
        _checkSizes(params);
        _checkWindows(params);
        uint256 number = count;
        if (number > type(uint32).max) revert RegistryFull();

        count = number + 1;
        _sealTerms[task] = SealTerms(uint32(number), params.maxItems, params.roundBond);
        _tasks[uint32(number)] = params;

        emit TaskRegistered(task, address(params.metric), params);
    }

    /// @inheritdoc ITaskRegistry
    function paramsOf(TaskId task) external view returns (TaskParams memory) {
        return _tasks[_termsOf(task).number];
    }

    /// @inheritdoc ITaskRegistry
    function idOf(TaskParams calldata params) external pure returns (TaskId) {
        return Seals.taskId(params);
    }

    /// @inheritdoc ITaskRegistry
    function idAt(uint32 number) external view returns (TaskId) {
        if (number >= count) revert UnknownNumber(number);
        return Seals.taskId(_tasks[number]);
    }

    /// @inheritdoc ITaskRegistry
    function sealTermsOf(TaskId task) external view returns (uint32 number, uint32 maxItems, uint96 roundBond) {
        SealTerms storage terms = _termsOf(task);
        return (terms.number, terms.maxItems, terms.roundBond);
    }

    /// @inheritdoc ITaskRegistry
    function roundTermsAt(uint32 number) external view returns (RoundTerms) {
        return _roundTermsOf(_tasks[number]);
    }

    /// @inheritdoc ITaskRegistry
    function proofTermsAt(uint32 number) external view returns (IMetric metric, uint8 metricWords, RoundTerms terms) {
        TaskParams storage p = _tasks[number];
        return (p.metric, p.metricWords, _roundTermsOf(p));
    }

    /// @inheritdoc ITaskRegistry
    function otherTermsAt(uint32 number) external view returns (uint32 demandWindow, uint96 versionBond, uint64 demandFee) {
        TaskParams storage p = _tasks[number];
        return (p.demandWindow, p.versionBond, p.demandFee);
    }

    /// @inheritdoc ITaskRegistry
    function scoringAt(uint32 number)
        external
        view
        returns (IMetric metric, uint8 metricWords, uint32 maxBytes, uint16 maxSilenceBps)
    {
        TaskParams storage p = _tasks[number];
        return (p.metric, p.metricWords, p.maxBytes, p.maxSilenceBps);
    }

    /// @dev The third slot as it is.
    function _roundTermsOf(TaskParams storage p) private view returns (RoundTerms terms) {
        assembly ("memory-safe") {
            terms := sload(add(p.slot, 2))
        }
    }

    function _termsOf(TaskId task) private view returns (SealTerms storage terms) {
        terms = _sealTerms[task];
        if (terms.maxItems == 0) revert UnknownTask(task);
    }

    function _checkMetric(TaskParams calldata p) private view {
        uint256 words = p.metric.words();
        if (words != p.metricWords || words == 0 || words > MAX_WORDS) revert WrongMetricWords(p.metricWords, words);

        uint256 metricMaxBytes = p.metric.maxBytes();
        if (p.maxBytes == 0 || p.maxBytes > metricMaxBytes) revert CapTooLarge(p.maxBytes, metricMaxBytes);
    }

    function _checkSizes(TaskParams calldata p) private pure {
        if (p.maxItems == 0 || uint256(p.maxItems) * p.maxBytes >= MAX_TEXT) revert TooMuchText(p.maxItems, p.maxBytes);
        if (p.maxSilenceBps >= BPS) revert SilenceTooLarge(p.maxSilenceBps);
    }

    function _checkWindows(TaskParams calldata p) private pure {
        _checkWindow(p.answerWindow);
        _checkWindow(p.postWindow);
        _checkWindow(p.attestWindow);
        _checkWindow(p.revealWindow);
        _checkWindow(p.challengeWindow);
        _checkWindow(p.demandWindow);
        if (p.postWindow >= p.answerWindow) revert PostWindowTooLong(p.postWindow, p.answerWindow);

        uint256 least = 2 * (Seals.depth(p.maxItems) + 1) * p.demandWindow;
        if (p.challengeWindow < least) revert ChallengeWindowTooShort(p.challengeWindow, least);
    }

    function _checkWindow(uint256 window) private pure {
        if (window == 0 || window > MAX_WINDOW) revert WindowOutOfRange(window);
    }
}
