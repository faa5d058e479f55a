// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fault, IMetric, Opening, RoundId, TaskParams} from "./support/Exam.sol";
import {LoneItem} from "./support/LoneItem.sol";

/// @notice The dearest challenges there can be: all four texts at the metric's cap, in the deepest tree that a task with that cap may have,
/// response and reference of the dearest kind that the searches of contracts/metrics/README.md found. Whole transactions.
/// forge-config: default.isolate = true
contract LongestTest is LoneItem {
    uint256 internal constant LIMIT = 12_000_000;
    uint256 internal constant MAX_TEXT = 1 << 28;

    function test_challenge__longestTextsUnderBleu__staysUnderTheLimit() external {
        bytes memory marks = "/:;=?@[\\]^_`{|}~.,";
        for (uint256 draw = 1; draw <= 3; draw++) {
            uint256 state = vm.snapshotState();
            bytes memory text = _drawn(marks, 4096, draw);
            _challenge(
                "Bleu", text, _reversed(text), string.concat("BLEU, marks against their reverse, draw ", vm.toString(draw))
            );
            vm.revertToState(state);
            _challenge("Bleu", text, _drawn(marks, 4096, draw + 100), string.concat("BLEU, marks, draw ", vm.toString(draw)));
            vm.revertToState(state);
        }
    }

    function test_challenge__longestTextsUnderChrf__staysUnderTheLimit() external {
        bytes memory continuations = new bytes(64);
        for (uint256 i = 0; i < 64; i++) {
            continuations[i] = bytes1(uint8(0x80 + i));
        }
        for (uint256 draw = 1; draw <= 3; draw++) {
            uint256 state = vm.snapshotState();
            bytes memory text = _drawn(continuations, 3072, draw);
            string memory name = string.concat("chrF, continuation bytes, draw ", vm.toString(draw));
            _challenge("Chrf", text, _drawn(continuations, 3072, draw + 100), name);
            vm.revertToState(state);
        }
    }

    function test_challenge__longestTextsUnderExactMatch__staysUnderTheLimit() external {
        bytes memory text = _drawn("abc", 16_384, 1);
        _challenge("ExactMatch", text, text, "ExactMatch");
    }

    function _challenge(string memory name, bytes memory response, bytes memory referenceText, string memory label) private {
        metric = IMetric(deployCode(string.concat(name, ".sol:", name)));
        TaskParams memory p = _params();
        p.maxBytes = uint32(metric.maxBytes());
        p.maxItems = uint32((MAX_TEXT - 1) / p.maxBytes);
        p.metricWords = uint8(metric.words());
        p.challengeWindow = 30 days;
        task = tasks.register(p);
        assertEq(response.length, p.maxBytes, "cap");

        // The claim is that nothing matched; full words beside the path cost the most calldata.
        uint256[] memory each = new uint256[](p.metricWords);
        for (uint256 w = 0; w < each.length; w++) {
            each[w] = type(uint256).max / p.maxItems;
        }
        Opening memory o = _lone(p.maxItems, each);
        o.prompt = _drawn("prompt", p.maxBytes, 7);
        o.evidence = _drawn("evidence", p.maxBytes, 8);
        (o.response, o.referenceText) = (response, referenceText);
        RoundId round = _loneRound(o, p.maxItems);

        vm.prank(challenger);
        disputes.challenge(round, version, o);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint(label, gas);
        assertLt(gas, LIMIT, label);
        assertEq(rounds.roundOf(round).fault, Fault.WrongStatistics);
    }

    function _drawn(bytes memory alphabet, uint256 length, uint256 draw) private pure returns (bytes memory text) {
        text = new bytes(length);
        for (uint256 i = 0; i < length; i++) {
            text[i] = alphabet[uint256(keccak256(abi.encode(draw, i))) % alphabet.length];
        }
    }

    function _reversed(bytes memory text) private pure returns (bytes memory other) {
        other = new bytes(text.length);
        for (uint256 i = 0; i < text.length; i++) {
            other[i] = text[text.length - 1 - i];
        }
    }
}
