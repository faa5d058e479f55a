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

    /// @dev 1 in each of the four lanes of n-grams of the response, and by how many these are fewer than its tokens.
    uint256 private constant EACH_TOTAL = 1 << 112 | 1 << 140 | 1 << 168 | 1 << 196;
    uint256 private constant FEWER = 1 << 140 | 2 << 168 | 3 << 196;

    /// @dev 1.0 in the fixed point of `score`, except where it says otherwise.
    uint256 private constant ONE = 1 << 127;

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
            if (length >= ORDERS) {
                lanes |= length * EACH_TOTAL - FEWER;
            } else {
                for (uint256 order = 0; order < length; ++order) {
                    lanes |= (length - order) << ((ORDERS + order) * LANE_BITS);
                }
            }
        }

        statistics[0] = lanes | targetLength << (2 * ORDERS * LANE_BITS);
    }

    /// @inheritdoc IMetric
    /// @dev 0 also for totals that no corpus has: a wrong number of words, more matches than n-grams, anything above the ninth lane.
    /// The result is less than 1e-17 of a perfect score away from the true value. Nothing overflows: a lane has 28 bits, mean and penalty
    /// have at most 129.
    function score(uint256[] calldata totals) external pure returns (uint256) {
        if (totals.length != 1) return 0;
        uint256 lanes = totals[0];
        if (lanes >> (LANES * LANE_BITS) != 0) return 0;

        (uint256 matched, uint256 counted) = _precisions(lanes);
        if (matched == 0) return 0;
        uint256 mean = _fourthRoot(matched, counted);
        uint256 penalty = _brevityPenalty((lanes >> (ORDERS * LANE_BITS)) & LANE, lanes >> (2 * ORDERS * LANE_BITS));

        unchecked {
            return ((mean * penalty) >> 128) * 1e18 / ONE;
        }
    }

    /// @dev Product of the four precisions as a fraction. An order without matches counts as a match in twice, four times, eight times
    /// as many n-grams (Chen and Cherry 2014, method 3). (0, 1) where BLEU is 0 or undefined.
    function _precisions(uint256 lanes) private pure returns (uint256 matched, uint256 counted) {
        unchecked {
            (matched, counted) = (1, 1);
            uint256 unmatched = 0;
            for (uint256 order = 0; order < ORDERS; ++order) {
                uint256 matches = lanes & LANE;
                uint256 total = (lanes >> (ORDERS * LANE_BITS)) & LANE;
                if (total == 0 || matches > total) return (0, 1);
                if (matches == 0) total <<= ++unmatched;
                else matched *= matches;
                counted *= total;
                lanes >>= LANE_BITS;
            }
            if (unmatched == ORDERS) return (0, 1);
        }
    }

    /// @dev (matched / counted)^(1/4), a fraction of at most 1, whose terms have less than 112 and 119 bits, so that nothing becomes 0; `ONE` is 1.
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
            uint256 x = exponent % LN2;
            // Horner's scheme for exp(-x) with 0 <= x < ln 2: 1 - x (1 - x/2 (1 - x/3 (...))), written out, 28 terms.
            power = _less(_less(_less(_less(1 << 128, x, 28), x, 27), x, 26), x, 25);
            power = _less(_less(_less(_less(power, x, 24), x, 23), x, 22), x, 21);
            power = _less(_less(_less(_less(power, x, 20), x, 19), x, 18), x, 17);
            power = _less(_less(_less(_less(power, x, 16), x, 15), x, 14), x, 13);
            power = _less(_less(_less(_less(power, x, 12), x, 11), x, 10), x, 9);
            power = _less(_less(_less(_less(power, x, 8), x, 7), x, 6), x, 5);
            power = _less(_less(_less(_less(power, x, 4), x, 3), x, 2), x, 1);
            return power >> halvings;
        }
    }

    /// @dev 1 - x/n * power.
    function _less(uint256 power, uint256 x, uint256 n) private pure returns (uint256) {
        unchecked {
            return (1 << 128) - ((power * x) >> 128) / n;
        }
    }

    /// @dev Integer square root of more than 0, rounded down. Newton's method from 1.5 times the power of two below the root, which is at
    /// most half that power away: the error, in units of that power, is below 1/12 after one step and squares with every further one, so
    /// that it is below 2^-145 after six, and the result the root or one more.
    function _squareRoot(uint256 x) private pure returns (uint256 root) {
        unchecked {
            uint256 rest = x;
            root = 1;
            if (rest >> 128 != 0) (rest, root) = (rest >> 128, root << 64);
            if (rest >> 64 != 0) (rest, root) = (rest >> 64, root << 32);
            if (rest >> 32 != 0) (rest, root) = (rest >> 32, root << 16);
            if (rest >> 16 != 0) (rest, root) = (rest >> 16, root << 8);
            if (rest >> 8 != 0) (rest, root) = (rest >> 8, root << 4);
            if (rest >> 4 != 0) (rest, root) = (rest >> 4, root << 2);
            if (rest >> 2 != 0) root <<= 1;
            root = (3 * root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            root = (root + x / root) >> 1;
            return root > x / root ? root - 1 : root;
        }
    }
}
