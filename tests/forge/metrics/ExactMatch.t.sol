// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {ExactMatch} from "../../../contracts/metrics/ExactMatch.sol";

/// @dev The tree is in Bleu.tree.
contract ExactMatchTest is Test {
    uint256 private constant ITEM = 1 << 28;

    ExactMatch private metric;

    function setUp() public {
        metric = new ExactMatch();
    }

    function test_signature__always__isTheMetrics() external view {
        assertEq(metric.signature(), "EM|case:mixed|norm:no");
        assertEq(metric.words(), 1);
        assertEq(metric.maxBytes(), 16_384);
    }

    function testFuzz_measure__equalBytes__isAMatch(bytes calldata text, uint256 seed) external view {
        assertEq(metric.measure(text, text, "", seed)[0], ITEM + 1);
    }

    function testFuzz_measure__differentBytes__isAnItem(bytes calldata text, bytes calldata other, uint256 seed) external view {
        vm.assume(keccak256(text) != keccak256(other));
        assertEq(metric.measure(text, other, "", seed)[0], ITEM);
    }

    function test_measure__differentCaseOrSpace__isNoMatch() external view {
        assertEq(metric.measure("Yes", "yes", "", 0)[0], ITEM);
        assertEq(metric.measure("yes ", "yes", "", 0)[0], ITEM);
    }

    function test_score__totalsThatNoCorpusHas__isZero() external view {
        assertEq(metric.score(new uint256[](0)), 0);
        assertEq(metric.score(new uint256[](2)), 0);
        assertEq(_score(0), 0);
        assertEq(_score(2 * ITEM + 3), 0);
        assertEq(_score(ITEM + 1 + (1 << 56)), 0);
    }

    function test_score__share__isRoundedDown() external view {
        assertEq(_score(3 * ITEM + 2), 666666666666666666);
        assertEq(_score(3 * ITEM + 3), 1e18);
        assertEq(_score(3 * ITEM), 0);
    }

    function testFuzz_score__anyWord__isAtMostOne(uint256 word) external view {
        assertLe(_score(word), 1e18);
        assertLe(_score(word >> 200), 1e18);
    }

    function _score(uint256 word) private view returns (uint256) {
        uint256[] memory totals = new uint256[](1);
        totals[0] = word;
        return metric.score(totals);
    }
}
