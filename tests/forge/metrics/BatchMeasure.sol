// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMetric} from "../../../contracts/interfaces/IMetric.sol";
import {Tokenizer13a} from "../../../contracts/metrics/Tokenizer13a.sol";

/// @notice Many items in one call, for the parity tests and the gas tables. Never deployed with the protocol.
contract BatchMeasure {
    function measure(IMetric metric, bytes[] calldata responses, bytes[] calldata references, uint256 seed)
        external
        view
        returns (uint256[] memory statistics)
    {
        statistics = new uint256[](responses.length);
        for (uint256 i = 0; i < responses.length; ++i) {
            statistics[i] = metric.measure(responses[i], references[i], "", seed)[0];
        }
    }

    function score(IMetric metric, uint256[] calldata words) external view returns (uint256[] memory scores) {
        scores = new uint256[](words.length);
        uint256[] memory totals = new uint256[](1);
        for (uint256 i = 0; i < words.length; ++i) {
            totals[0] = words[i];
            scores[i] = metric.score(totals);
        }
    }

    /// @notice One hash over the hashes of a text's tokens, last token first.
    function tokens(bytes[] calldata texts) external pure returns (bytes32[] memory digests) {
        digests = new bytes32[](texts.length);
        for (uint256 i = 0; i < texts.length; ++i) {
            (uint256 first, uint256 count) = Tokenizer13a.tokens(texts[i]);
            bytes32 digest;
            assembly ("memory-safe") {
                digest := keccak256(first, mul(count, 0x20))
            }
            digests[i] = digest;
        }
    }

    /// @notice Gas of one call of `measure`, the account being warm: execution, and the call with its copy of the texts.
    function gasOf(IMetric metric, bytes calldata response, bytes calldata referenceText, uint256 seed)
        external
        view
        returns (uint256 used)
    {
        metric.words();
        used = gasleft();
        metric.measure(response, referenceText, "", seed);
        used -= gasleft();
    }

    function gasOfScore(IMetric metric, uint256 word) external view returns (uint256 used) {
        uint256[] memory totals = new uint256[](1);
        totals[0] = word;
        metric.words();
        used = gasleft();
        metric.score(totals);
        used -= gasleft();
    }
}
