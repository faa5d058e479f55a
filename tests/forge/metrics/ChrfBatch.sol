// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../../../contracts/interfaces/IMetric.sol";
import {Characters} from "../../../contracts/metrics/Characters.sol";

/// @notice Many items in one call, for the parity tests of metrics of any number of words. Never deployed with the protocol.
contract ChrfBatch {
    /// @notice The words of all items, one item after the other.
    function measure(IMetric metric, bytes[] calldata responses, bytes[] calldata references, uint256 seed)
        external
        view
        returns (uint256[] memory statistics)
    {
        uint256 width = metric.words();
        statistics = new uint256[](width * responses.length);
        for (uint256 i = 0; i < responses.length; ++i) {
            uint256[] memory found = metric.measure(responses[i], references[i], "", seed);
            for (uint256 word = 0; word < width; ++word) {
                statistics[i * width + word] = found[word];
            }
        }
    }

    function score(IMetric metric, uint256[][] calldata totals) external view returns (uint256[] memory scores) {
        scores = new uint256[](totals.length);
        for (uint256 i = 0; i < totals.length; ++i) {
            scores[i] = metric.score(totals[i]);
        }
    }

    /// @notice The characters of a text, four bytes each.
    function characters(bytes calldata text) external pure returns (bytes memory packed) {
        (uint256 first, uint256 count) = Characters.characters(text);
        packed = new bytes(4 * count);
        assembly ("memory-safe") {
            mcopy(add(packed, 0x20), first, mload(packed))
        }
    }

    /// @notice Gas of one call of `measure` for each seed, the account being warm: execution, and the call with its copy of the texts.
    function gasOf(IMetric metric, bytes calldata response, bytes calldata referenceText, uint256[] calldata seeds)
        external
        view
        returns (uint256[] memory used)
    {
        used = new uint256[](seeds.length);
        metric.words();
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 before = gasleft();
            metric.measure(response, referenceText, "", seeds[i]);
            used[i] = before - gasleft();
        }
    }

    function gasOfScore(IMetric metric, uint256[] calldata totals) external view returns (uint256 used) {
        metric.words();
        used = gasleft();
        metric.score(totals);
        used -= gasleft();
    }
}
