// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {IMetric} from "../../../contracts/interfaces/IMetric.sol";
import {Chrf} from "../../../contracts/metrics/Chrf.sol";
import {PlainChrf} from "./PlainChrf.sol";

/// @dev The tree is in Chrf.tree.
contract ChrfTest is Test {
    uint256 private constant LIMIT = 11_400_000;

    Chrf private chrf;
    bytes[] private pieces;

    function setUp() public {
        chrf = new Chrf();
        string[24] memory all = [
            "a",
            "b",
            "ab",
            "aa",
            "cat ",
            "eight so",
            " ",
            "\t",
            "\n",
            "\r\n",
            "\x00",
            "\x01",
            "\x1f",
            "\x7f",
            unicode"é",
            unicode"ñ",
            unicode"ሰ",
            unicode"ላም",
            unicode"።",
            unicode"の",
            unicode"　",
            unicode"世",
            unicode"🙂",
            unicode" "
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            pieces.push(bytes(all[i]));
        }
        bytes[12] memory torn = [
            bytes(hex"80"),
            hex"c0",
            hex"c2",
            hex"e0a0",
            hex"e2",
            hex"e280",
            hex"ed",
            hex"a0",
            hex"f0",
            hex"f09f",
            hex"f4",
            hex"90"
        ];
        for (uint256 i = 0; i < torn.length; ++i) {
            pieces.push(torn[i]);
        }
    }

    function test_signature__always__isSacrebleus() external view {
        assertEq(chrf.signature(), "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no");
        assertEq(chrf.words(), 2);
        assertEq(chrf.maxBytes(), 3072);
    }

    // measure

    function test_measure__sameTextTwice__matchesEverything() external view {
        _assertMeasure("abc defg", "abc defg", [uint256(7), 7, 7, 6, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2]);
    }

    function test_measure__emptyResponse__countsReference() external view {
        _assertMeasure("", "abc", [uint256(0), 3, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    function test_measure__emptyReference__isZero() external view {
        uint256[18] memory none;
        _assertMeasure("abc", " \n", none);
        _assertMeasure("", "", none);
    }

    function test_measure__referenceShorterThanTheOrder__leavesTheResponseOut() external view {
        _assertMeasure("abcdefgh", "ab", [uint256(8), 2, 2, 7, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    function test_measure__repeatedCharacters__areClipped() external view {
        _assertMeasure("aaaaa", "aaba", [uint256(5), 4, 3, 4, 3, 1, 3, 2, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0]);
    }

    function test_measure__whitespace__isNotCounted() external view {
        _assertMeasure(unicode"a b\n", unicode"\t ab　", [uint256(2), 2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    function testFuzz_measure__grammar__equalsPlain(uint256 draw) external view {
        _assertPlain(_text(draw, 24), _text(draw >> 16, 24));
    }

    function testFuzz_measure__anyBytes__equalsPlain(bytes calldata response, bytes calldata referenceText) external view {
        _assertPlain(response, referenceText);
    }

    function testFuzz_measure__anyEvidence__isIgnored(bytes calldata response, bytes calldata evidence) external view {
        assertEq(chrf.measure(response, "ab", evidence, 0), chrf.measure(response, "ab", "", 0));
    }

    /// forge-config: default.fuzz.runs = 4
    function testFuzz_measure__over256Characters__equalsPlain(uint256 draw) external view {
        _assertPlain(_letters(draw, 262, 12), _letters(~draw, 258, 12));
    }

    function testFuzz_measure__anySeed__isTheSame(uint256 draw, uint256 seed) external view {
        (bytes memory response, bytes memory referenceText) = (_text(draw, 24), _text(draw >> 16, 24));
        assertEq(chrf.measure(response, referenceText, "", seed), chrf.measure(response, referenceText, "", 0));
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_measure__anySeedOver256Characters__isTheSame(uint256 draw, uint256 seed) external view {
        (bytes memory response, bytes memory referenceText) = (_letters(draw, 400, 20), _letters(~draw, 300, 20));
        assertEq(chrf.measure(response, referenceText, "", seed), chrf.measure(response, referenceText, "", 0));
    }

    /// @dev Calldata as no compiler writes it: the texts end in the middle of a character, and its last bytes follow at once.
    function test_measure__characterCompletedBehindTheText__isTorn() external view {
        bytes memory head = abi.encodePacked(IMetric.measure.selector, uint256(0x80), uint256(0x80), uint256(0xc0), uint256(0));
        (bool success, bytes memory answer) =
            address(chrf).staticcall(abi.encodePacked(head, uint256(3), hex"61e180", bytes29("\x80"), uint256(0)));
        assertTrue(success);
        uint256[2] memory expected = PlainChrf.measure(hex"61e180", hex"61e180");
        uint256[] memory found = abi.decode(answer, (uint256[]));
        assertEq(found[0], expected[0]);
        assertEq(found[1], expected[1]);
        assertEq(found[0] & 0xfffffff, 3);
    }

    function test_measure__longestText__staysUnderTheLimit() external view {
        string[5] memory letters = ["a", "abcdefghijklmnopqrstuvwxyz", "\x01\x02\x03\x04\x05\x06\x07\x0e\x0f", "e ", "\n"];
        for (uint256 i = 0; i < letters.length; ++i) {
            _assertLimit(bytes(letters[i]));
        }
        bytes memory continuations = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            continuations[i] = bytes1(uint8(0x80 + i));
        }
        _assertLimit(continuations);
    }

    function test_measure__vectors__equalSacrebleu() external view {
        string memory json = vm.readFile("tests/vectors/chrf.json");
        bytes[] memory responses = vm.parseJsonBytesArray(json, ".responses");
        bytes[] memory references = vm.parseJsonBytesArray(json, ".references");
        uint256[] memory first = vm.parseJsonUintArray(json, ".first");
        uint256[] memory second = vm.parseJsonUintArray(json, ".second");
        for (uint256 i = 0; i < first.length; ++i) {
            assertEq(chrf.measure(responses[i], references[i], "", i), _pair(first[i], second[i]));
        }
    }

    // score

    function test_score__wrongNumberOfWords__isZero() external view {
        uint256[] memory one = new uint256[](1);
        one[0] = _word([uint256(3), 3, 3, 2, 2, 2, 1, 1, 1]);
        uint256[] memory three = new uint256[](3);
        three[0] = one[0];
        assertEq(chrf.score(new uint256[](0)), 0);
        assertEq(chrf.score(one), 0);
        assertEq(chrf.score(three), 0);
    }

    function testFuzz_score__aboveTheNinthLane__isZero(uint256 high) external view {
        high = bound(high, 1, 15) << 252;
        uint256 word = _word([uint256(3), 3, 3, 2, 2, 2, 1, 1, 1]);
        assertEq(_score(word | high, 0), 0);
        assertEq(_score(word, high), 0);
    }

    function test_score__moreMatchesThanNgrams__isZero() external view {
        uint256 word = _word([uint256(3), 3, 3, 2, 2, 2, 1, 1, 1]);
        assertEq(_score(_word([uint256(3), 4, 4, 2, 2, 2, 1, 1, 1]), 0), 0);
        assertEq(_score(_word([uint256(4), 3, 4, 2, 2, 2, 1, 1, 1]), 0), 0);
        assertEq(_score(word, _word([uint256(0), 0, 1, 0, 0, 0, 0, 0, 0])), 0);
    }

    function test_score__noMatches__isZero() external view {
        assertEq(_score(_word([uint256(9), 9, 0, 8, 8, 0, 7, 7, 0]), 0), 0);
        assertEq(_score(0, 0), 0);
    }

    function test_score__orderOfOneSideOnly__isLeftOut() external view {
        uint256 alone = _score(_word([uint256(3), 2, 1, 0, 0, 0, 0, 0, 0]), 0);
        assertEq(alone, uint256(5e18) / 11); // precision 1/3, recall 1/2
        assertEq(_score(_word([uint256(3), 2, 1, 2, 0, 0, 0, 9, 0]), 0), alone);
    }

    function test_score__perfect__isOne() external view {
        uint256 all = (1 << 28) - 1;
        assertEq(_score(_word([uint256(3), 3, 3, 2, 2, 2, 1, 1, 1]), 0), 1e18);
        uint256 word = _word([all, all, all, all, all, all, all, all, all]);
        assertEq(_score(word, word), 1e18);
    }

    function testFuzz_score__anyWords__isAtMostOne(uint256 first, uint256 second) external view {
        assertLe(_score(first, second), 1e18);
        assertLe(_score(first >> 4, second >> 4), 1e18);
        // Below, every lane of matches is at most the other two of its order, so that the whole computation runs.
        assertLe(_score(_possible(first), _possible(second)), 1e18);
    }

    function test_score__vectors__equalTheMirror() external view {
        string memory json = vm.readFile("tests/vectors/chrf.json");
        uint256[] memory first = vm.parseJsonUintArray(json, ".totals_first");
        uint256[] memory second = vm.parseJsonUintArray(json, ".totals_second");
        uint256[] memory scores = vm.parseJsonUintArray(json, ".scores");
        for (uint256 i = 0; i < scores.length; ++i) {
            assertEq(_score(first[i], second[i]), scores[i]);
        }
    }

    function _assertMeasure(bytes memory response, bytes memory referenceText, uint256[18] memory lanes) private view {
        uint256[9] memory first;
        uint256[9] memory second;
        for (uint256 i = 0; i < 9; ++i) {
            (first[i], second[i]) = (lanes[i], lanes[i + 9]);
        }
        assertEq(chrf.measure(response, referenceText, "", 0), _pair(_word(first), _word(second)));
    }

    function _assertPlain(bytes memory response, bytes memory referenceText) private view {
        uint256[2] memory expected = PlainChrf.measure(response, referenceText);
        assertEq(chrf.measure(response, referenceText, "", 0), _pair(expected[0], expected[1]));
    }

    function _assertLimit(bytes memory letters) private view {
        bytes memory text = new bytes(chrf.maxBytes());
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = letters[uint256(keccak256(abi.encode(i))) % letters.length];
        }
        uint256 before = gasleft();
        chrf.measure(text, text, "", before);
        assertLt(before - gasleft(), LIMIT);
    }

    function _score(uint256 first, uint256 second) private view returns (uint256) {
        return chrf.score(_pair(first, second));
    }

    function _pair(uint256 first, uint256 second) private pure returns (uint256[] memory words) {
        words = new uint256[](2);
        (words[0], words[1]) = (first, second);
    }

    function _word(uint256[9] memory lanes) private pure returns (uint256 word) {
        for (uint256 i = 0; i < 9; ++i) {
            word |= lanes[i] << (28 * i);
        }
    }

    function _possible(uint256 word) private pure returns (uint256 possible) {
        for (uint256 order = 0; order < 3; ++order) {
            uint256 counted = (word >> (84 * order)) & 0xfffffff;
            uint256 wanted = (word >> (84 * order + 28)) & 0xfffffff;
            uint256 least = counted < wanted ? counted : wanted;
            uint256 matches = ((word >> (84 * order + 56)) & 0xfffffff) % (least + 1);
            possible |= (counted | wanted << 28 | matches << 56) << (84 * order);
        }
    }

    function _text(uint256 draw, uint256 longest) private view returns (bytes memory text) {
        uint256 count = uint256(keccak256(abi.encode(draw))) % (longest + 1);
        for (uint256 i = 0; i < count; ++i) {
            text = bytes.concat(text, pieces[uint256(keccak256(abi.encode(draw, i))) % pieces.length]);
        }
    }

    function _letters(uint256 draw, uint256 count, uint256 alphabet) private pure returns (bytes memory text) {
        text = new bytes(count);
        for (uint256 i = 0; i < count; ++i) {
            text[i] = bytes1(uint8(97 + uint256(keccak256(abi.encode(draw, i))) % alphabet));
        }
    }
}
