// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../interfaces/IMetric.sol";
import {NgramOverlap} from "./NgramOverlap.sol";
import {Tokenizer13a} from "./Tokenizer13a.sol";

/// @title Bleu
/// @notice Corpus BLEU (Papineni et al. 2002) with the statistics of sacreBLEU: 13a tokenizer, one reference, exponential smoothing, no
/// effective order.
/// @dev One word, nine lanes of 28 bits, lowest first: matches of orders 1 to 4, n-grams of the response of orders 1 to 4, tokens of the
/// reference. The length of the response is its number of unigrams.
contract Bleu is IMetric {
    uint256 private constant LANE_BITS = 28;
    uint256 private constant LANE = (1 << LANE_BITS) - 1;
    uint256 private constant LANES = 9;
    uint256 private constant ORDERS = 4;

    /// @dev 1.0 in the fixed point of `score`, except where it says otherwise.
    uint256 private constant ONE = 1 << 127;

    /// @dev Terms of the exponential series; the first one left out is below 2^-114.
    uint256 private constant TERMS = 28;

    /// @dev The natural logarithm of 2 times 2^128, rounded down.
    uint256 private constant LN2 = 0xb17217f7d1cf79abc9e3b39803f2f6af;

    /// @inheritdoc IMetric
    function signature() external pure returns (string memory) {
        return "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";
    }

    /// @inheritdoc IMetric
    function words() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IMetric
    /// @dev The dearest texts of this length that were found, and how they were looked for, are in the README of this folder.
    function maxBytes() external pure returns (uint256) {
        return 4096;
    }

    /// @inheritdoc IMetric
    function measure(bytes calldata response, bytes calldata referenceText, bytes calldata, uint256 seed)
        external
        pure
        returns (uint256[] memory statistics)
    {
        statistics = new uint256[](1);

        (uint256 hypothesis, uint256 length) = Tokenizer13a.tokens(response);
        (uint256 target, uint256 targetLength) = Tokenizer13a.tokens(referenceText);
        uint256 lanes = NgramOverlap.overlap(hypothesis, length, target, targetLength, seed);
        unchecked {
            for (uint256 order = 0; order < ORDERS && order < length; ++order) {
                lanes |= (length - order) << ((ORDERS + order) * LANE_BITS);
            }
        }

        statistics[0] = lanes | targetLength << (2 * ORDERS * LANE_BITS);
    }

    /// @inheritdoc IMetric
    /// @dev 0 also for totals that no corpus has: a wrong number of words, more matches than n-grams, anything above the ninth lane.
    /// The result is less than 1e-17 of a perfect score away from the true value.
    function score(uint256[] calldata totals) external pure returns (uint256) {
        if (totals.length != 1 || totals[0] >> (LANES * LANE_BITS) != 0) return 0;

        (uint256 matched, uint256 counted) = _precisions(totals[0]);
        if (matched == 0) return 0;
        uint256 mean = _fourthRoot(matched, counted);
        uint256 penalty = _brevityPenalty(_lane(totals[0], ORDERS), _lane(totals[0], 2 * ORDERS));

        return ((mean * penalty) >> 128) * 1e18 / ONE;
    }

    /// @dev Product of the four precisions as a fraction. An order without matches counts as a match in twice, four times, eight times
    /// as many n-grams (Chen and Cherry 2014, method 3). (0, 1) where BLEU is 0 or undefined.
    function _precisions(uint256 lanes) private pure returns (uint256 matched, uint256 counted) {
        (matched, counted) = (1, 1);
        uint256 unmatched = 0;
        for (uint256 order = 0; order < ORDERS; ++order) {
            uint256 matches = _lane(lanes, order);
            uint256 total = _lane(lanes, ORDERS + order);
            if (total == 0 || matches > total) return (0, 1);
            if (matches == 0) total <<= ++unmatched;
            else matched *= matches;
            counted *= total;
        }
        if (unmatched == ORDERS) return (0, 1);
    }

    /// @dev (matched / counted)^(1/4), a fraction of at most 1 whose terms have less than 112 and 119 bits; `ONE` is 1.
    function _fourthRoot(uint256 matched, uint256 counted) private pure returns (uint256) {
        uint256 ratio = (matched << 144) / counted;
        return _squareRoot(_squareRoot(ratio << 110) << 127);
    }

    /// @dev exp(1 - target / length) for a response shorter than its reference, otherwise 1; 2^128 is 1. Nothing overflows: lanes have 28
    /// bits, and a power is at most 2^128 while an exponent is below 2^128.
    function _brevityPenalty(uint256 length, uint256 target) private pure returns (uint256 power) {
        if (length >= target) return 1 << 128;
        unchecked {
            uint256 exponent = ((target - length) << 128) / length;
            uint256 halvings = exponent / LN2;
            exponent %= LN2;
            power = 1 << 128;
            // Horner's scheme for exp(-x) with 0 <= x < ln 2: 1 - x (1 - x/2 (1 - x/3 (...))).
            for (uint256 n = TERMS; n > 0; --n) {
                power = (1 << 128) - ((power * exponent) >> 128) / n;
            }
            return power >> halvings;
        }
    }

    /// @dev Integer square root of less than 2^255, rounded down, by Newton's method from above.
    function _squareRoot(uint256 x) private pure returns (uint256 root) {
        if (x == 0) return 0;
        unchecked {
            uint256 bits = 0;
            for (uint256 step = 128; step > 0; step >>= 1) {
                if (x >> (bits + step) != 0) bits += step;
            }
            uint256 next = 1 << (bits / 2 + 1);
            do {
                root = next;
                next = (root + x / root) / 2;
            } while (next < root);
        }
    }

    function _lane(uint256 lanes, uint256 index) private pure returns (uint256) {
        return (lanes >> (index * LANE_BITS)) & LANE;
    }
}
