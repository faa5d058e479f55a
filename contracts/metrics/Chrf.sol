// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../interfaces/IMetric.sol";
import {CharacterOverlap} from "./CharacterOverlap.sol";
import {Characters} from "./Characters.sol";

/// @title Chrf
/// @notice Corpus chrF2 (Popović 2015) with the statistics of sacreBLEU: character n-grams of orders 1 to 6 without whitespace, one
/// reference, effective order.
/// @dev Two words of nine lanes of 28 bits, lowest first; orders 1 to 3 in the first word, 4 to 6 in the second. An order has three lanes:
/// n-grams of the response, n-grams of the reference, matches. As in sacreBLEU, the n-grams of a response count only where the reference
/// has any of that order.
contract Chrf is IMetric {
    uint256 private constant LANE_BITS = 28;
    uint256 private constant LANE = (1 << LANE_BITS) - 1;
    uint256 private constant LANES = 9;
    uint256 private constant ORDERS = 6;
    uint256 private constant ORDER_BITS = 3 * LANE_BITS;

    /// @dev Bits behind the point of a precision and a recall.
    uint256 private constant POINT = 120;

    /// @inheritdoc IMetric
    function signature() external pure returns (string memory) {
        return "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no";
    }

    /// @inheritdoc IMetric
    function words() external pure returns (uint256) {
        return 2;
    }

    /// @inheritdoc IMetric
    function maxBytes() external pure returns (uint256) {
        return 3072;
    }

    /// @inheritdoc IMetric
    function measure(bytes calldata response, bytes calldata referenceText, bytes calldata, uint256 seed)
        external
        pure
        returns (uint256[] memory statistics)
    {
        statistics = new uint256[](2);

        (uint256 hypothesis, uint256 length) = Characters.characters(response);
        (uint256 target, uint256 targetLength) = Characters.characters(referenceText);
        uint256 matches = CharacterOverlap.overlap(hypothesis, length, target, targetLength, seed);
        for (uint256 order = 0; order < ORDERS && order < targetLength; ++order) {
            uint256 lanes = (targetLength - order) << LANE_BITS | ((matches >> (order * LANE_BITS)) & LANE) << (2 * LANE_BITS);
            if (order < length) lanes |= length - order;
            statistics[order / 3] |= lanes << ((order % 3) * ORDER_BITS);
        }
    }

    /// @inheritdoc IMetric
    /// @dev 0 also for totals that no corpus has: a wrong number of words, more matches than n-grams, anything above a ninth lane.
    /// Precision and recall are means over the orders of which both sides have n-grams. The result is less than 2e-18 below the true value.
    function score(uint256[] calldata totals) external pure returns (uint256) {
        if (totals.length != 2 || (totals[0] | totals[1]) >> (LANES * LANE_BITS) != 0) return 0;

        uint256 precision = 0;
        uint256 recall = 0;
        uint256 effective = 0;
        for (uint256 order = 0; order < ORDERS; ++order) {
            uint256 lanes = totals[order / 3] >> ((order % 3) * ORDER_BITS);
            uint256 counted = lanes & LANE;
            uint256 wanted = (lanes >> LANE_BITS) & LANE;
            uint256 matches = (lanes >> (2 * LANE_BITS)) & LANE;
            if (matches > counted || matches > wanted) return 0;
            if (counted == 0 || wanted == 0) continue;
            precision += (matches << POINT) / counted;
            recall += (matches << POINT) / wanted;
            ++effective;
        }
        if (precision == 0) return 0;

        return ((5 * precision * recall / (4 * precision + recall)) * 1e18 / effective) >> POINT;
    }
}
