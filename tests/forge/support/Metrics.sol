// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../../../contracts/interfaces/IMetric.sol";

/// @notice A small real metric: bytes that agree in place. Word 0 holds agreeing, reference and response bytes in 28-bit lanes,
/// word 1 counts exact matches. The score is Dice's coefficient of the first three.
contract ByteMetric is IMetric {
    function signature() external pure virtual returns (string memory) {
        return "bytes|case:mixed";
    }

    function words() external view virtual returns (uint256) {
        return 2;
    }

    function maxBytes() external pure virtual returns (uint256) {
        return 1000;
    }

    function measure(bytes calldata response, bytes calldata referenceText, bytes calldata, uint256)
        external
        view
        virtual
        returns (uint256[] memory statistics)
    {
        uint256 shorter = response.length < referenceText.length ? response.length : referenceText.length;
        uint256 agreeing;
        for (uint256 i = 0; i < shorter; i++) {
            if (response[i] == referenceText[i]) agreeing++;
        }
        statistics = new uint256[](2);
        statistics[0] = agreeing | referenceText.length << 28 | response.length << 56;
        statistics[1] = keccak256(response) == keccak256(referenceText) ? 1 : 0;
    }

    function score(uint256[] calldata totals) external view virtual returns (uint256) {
        uint256 lane = (1 << 28) - 1;
        uint256 both = (totals[0] >> 28 & lane) + (totals[0] >> 56 & lane);
        return both == 0 ? 0 : 2 * (totals[0] & lane) * 1e18 / both;
    }
}

/// @notice Reverts when asked to measure.
contract MetricThatReverts is ByteMetric {
    error Refused();

    function measure(bytes calldata, bytes calldata, bytes calldata, uint256) external pure override returns (uint256[] memory) {
        revert Refused();
    }
}

/// @notice Burns all gas when asked to measure.
contract MetricThatBurns is ByteMetric {
    function measure(bytes calldata, bytes calldata, bytes calldata, uint256) external pure override returns (uint256[] memory) {
        assembly {
            invalid()
        }
    }
}

/// @notice Says two words and measures three.
contract MetricOfOtherWidth is ByteMetric {
    function measure(bytes calldata, bytes calldata, bytes calldata, uint256) external pure override returns (uint256[] memory) {
        return new uint256[](3);
    }
}

/// @notice Says what it is told to say, and changes its mind: what a metric must not do.
contract MetricThatChanges is ByteMetric {
    uint256 public told = 2;
    uint256 public toldScore = 1e18;
    bool public fails;

    error Failed();

    function tell(uint256 words_, uint256 score_, bool fails_) external {
        (told, toldScore, fails) = (words_, score_, fails_);
    }

    function words() external view override returns (uint256) {
        return told;
    }

    function score(uint256[] calldata) external view override returns (uint256) {
        if (fails) revert Failed();
        return toldScore;
    }
}
