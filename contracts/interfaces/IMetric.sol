// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IMetric
/// @notice A corpus metric whose item statistics are integers that add up, so that the chain can recompute any item and any corpus score.
/// @dev Stateless: no storage, no owner, no constructor arguments. The address of a metric is part of a task, so a metric never changes
/// under a round. `measure` and `score` are total: they return for every input within `maxBytes`, valid UTF-8 or not.
interface IMetric {
    /// @notice The signature string of the metric, in sacreBLEU's notation without the version of its software.
    function signature() external view returns (string memory);

    /// @notice Words of item statistics, W. Lanes inside a word are sums that cannot overflow while items times bytes stay below 2^28.
    function words() external view returns (uint256);

    /// @notice Largest text in bytes whose worst measured challenge stays under 12 million gas.
    function maxBytes() external view returns (uint256);

    /// @notice Statistics of one item.
    /// @param response The model's answer, raw bytes. Empty for a silent item.
    /// @param referenceText The sealed reference, raw bytes.
    /// @param evidence Empty for recomputable metrics.
    /// @param seed The caller's salt for hash tables, so that no text can be ground to be dear to check. It never changes the result.
    /// @return statistics Exactly `words()` words.
    function measure(bytes calldata response, bytes calldata referenceText, bytes calldata evidence, uint256 seed)
        external
        view
        returns (uint256[] memory statistics);

    /// @notice Corpus score of summed statistics, rounded down; 1e18 is a perfect score, 0 where the score is undefined.
    /// @param totals Exactly `words()` words, each the sum of the items' words.
    function score(uint256[] calldata totals) external view returns (uint256);
}
