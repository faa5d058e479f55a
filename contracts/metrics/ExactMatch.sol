// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../interfaces/IMetric.sol";

/// @title ExactMatch
/// @notice The share of items whose response is the reference, byte for byte: nothing is trimmed, folded or normalised.
/// @dev One word, two lanes of 28 bits, lowest first: matches, items.
contract ExactMatch is IMetric {
    uint256 private constant LANE_BITS = 28;
    uint256 private constant LANE = (1 << LANE_BITS) - 1;

    /// @inheritdoc IMetric
    function signature() external pure returns (string memory) {
        return "EM|case:mixed|norm:no";
    }

    /// @inheritdoc IMetric
    function words() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IMetric
    /// @dev Far below the 12 million gas: an answer this long is a text, and wants a metric for texts.
    function maxBytes() external pure returns (uint256) {
        return 16_384;
    }

    /// @inheritdoc IMetric
    function measure(bytes calldata response, bytes calldata referenceText, bytes calldata, uint256)
        external
        pure
        returns (uint256[] memory statistics)
    {
        statistics = new uint256[](1);
        statistics[0] = 1 << LANE_BITS;
        if (keccak256(response) == keccak256(referenceText)) statistics[0] |= 1;
    }

    /// @inheritdoc IMetric
    /// @dev 0 also for totals that no corpus has: a wrong number of words, more matches than items, anything above the second lane.
    function score(uint256[] calldata totals) external pure returns (uint256) {
        if (totals.length != 1 || totals[0] >> (2 * LANE_BITS) != 0) return 0;

        uint256 matches = totals[0] & LANE;
        uint256 items = totals[0] >> LANE_BITS;
        if (items == 0 || matches > items) return 0;

        return matches * 1e18 / items;
    }
}
