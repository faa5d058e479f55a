// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Bleu} from "../../../contracts/metrics/Bleu.sol";
import {PlainBleu} from "./PlainBleu.sol";

/// @dev The tree is in Bleu.tree.
contract BleuTest is Test {
    uint256 private constant LIMIT = 11_400_000;

    Bleu private bleu;
    bytes[] private pieces;

    function setUp() public {
        bleu = new Bleu();
        string[44] memory all = [
            "a",
            "b",
            "a b",
            "cat",
            "1",
            "2",
            "10",
            " ",
            "  ",
            "\t",
            "\n",
            ".",
            ",",
            "..",
            "...",
            ",.",
            "-",
            "--",
            "-\n",
            "\r\n",
            "'",
            "!",
            "(",
            "]",
            "{",
            "~",
            ";",
            "&",
            "&amp;",
            "&lt;",
            "&gt;",
            "&quot;",
            "&amp;lt;",
            "&amp;amp;",
            "amp;",
            "lt;",
            "<skipped>",
            "<skip",
            "ped>",
            "<",
            ">",
            unicode"é",
            unicode"።",
            unicode"　"
        ];
        for (uint256 i = 0; i < all.length; ++i) {
            pieces.push(bytes(all[i]));
        }
    }

    function test_signature__always__isSacrebleus() external view {
        assertEq(bleu.signature(), "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp");
        assertEq(bleu.words(), 1);
        assertEq(bleu.maxBytes(), 4096);
    }

    // measure

    function test_measure__sameTextTwice__matchesEverything() external view {
        assertEq(_measure("a b c d e", "a b c d e"), _word([uint256(5), 4, 3, 2, 5, 4, 3, 2, 5]));
    }

    function test_measure__emptyResponse__countsReference() external view {
        assertEq(_measure("", "a b c"), _word([uint256(0), 0, 0, 0, 0, 0, 0, 0, 3]));
    }

    function test_measure__emptyReference__countsResponse() external view {
        assertEq(_measure("a b c", " \n"), _word([uint256(0), 0, 0, 0, 3, 2, 1, 0, 0]));
    }

    function test_measure__nothing__isZero() external view {
        assertEq(_measure("", ""), 0);
    }

    function test_measure__repeatedTokens__areClipped() external view {
        assertEq(_measure("the the the the the", "the cat the"), _word([uint256(2), 0, 0, 0, 5, 4, 3, 2, 3]));
        assertEq(_measure("a b a b a b", "a b a b"), _word([uint256(4), 3, 2, 1, 6, 5, 4, 3, 4]));
    }

    function testFuzz_measure__grammar__equalsPlain(uint256 draw) external view {
        (bytes memory response, bytes memory referenceText) = (_text(draw, 24), _text(draw >> 16, 24));
        assertEq(_measure(response, referenceText), PlainBleu.measure(response, referenceText));
    }

    function testFuzz_measure__anyBytes__equalsPlain(bytes calldata response, bytes calldata referenceText) external view {
        assertEq(_measure(response, referenceText), PlainBleu.measure(response, referenceText));
    }

    function testFuzz_measure__anyEvidence__isIgnored(bytes calldata response, bytes calldata evidence) external view {
        assertEq(bleu.measure(response, "a b", evidence, 0)[0], bleu.measure(response, "a b", "", 0)[0]);
    }

    function test_measure__oneTokenAround63Times__matchesTheShorter() external view {
        for (uint256 left = 61; left <= 66; ++left) {
            for (uint256 right = 61; right <= 66; ++right) {
                assertEq(_measure(_words(0, left, 1), _words(0, right, 1)), _prefix(left, right));
            }
        }
    }

    function test_measure__distinctTokensAround63__matchTheShorter() external view {
        for (uint256 left = 61; left <= 66; ++left) {
            for (uint256 right = 61; right <= 66; ++right) {
                assertEq(_measure(_numbers(left), _numbers(right)), _prefix(left, right));
            }
        }
    }

    /// forge-config: default.fuzz.runs = 24
    function testFuzz_measure__around63Tokens__equalsPlain(uint256 draw, uint8 left, uint8 right, uint8 vocabulary)
        external
        view
    {
        uint256 kinds = bound(vocabulary, 1, 60);
        bytes memory response = _words(draw, bound(left, 60, 66), kinds);
        bytes memory referenceText = _words(~draw, bound(right, 60, 66), kinds);
        assertEq(_measure(response, referenceText), PlainBleu.measure(response, referenceText));
    }

    /// forge-config: default.fuzz.runs = 6
    function testFuzz_measure__64To256Tokens__equalsPlain(uint256 draw, uint8 left, uint8 vocabulary) external view {
        uint256 kinds = bound(vocabulary, 1, 60);
        bytes memory response = _words(draw, bound(left, 64, 256), kinds);
        bytes memory referenceText = _words(~draw, 150, kinds);
        assertEq(_measure(response, referenceText), PlainBleu.measure(response, referenceText));
    }

    /// forge-config: default.fuzz.runs = 4
    function testFuzz_measure__over256Tokens__equalsPlain(uint256 draw) external view {
        (bytes memory response, bytes memory referenceText) = (_words(draw, 270, 60), _words(~draw, 258, 60));
        assertEq(_measure(response, referenceText), PlainBleu.measure(response, referenceText));
    }

    function testFuzz_measure__anySeed__isTheSame(uint256 draw, uint256 seed) external view {
        (bytes memory response, bytes memory referenceText) = (_text(draw, 24), _text(draw >> 16, 24));
        assertEq(bleu.measure(response, referenceText, "", seed)[0], _measure(response, referenceText));
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_measure__anySeedOver63Tokens__isTheSame(uint256 draw, uint256 seed) external view {
        (bytes memory response, bytes memory referenceText) = (_words(draw, 120, 40), _words(~draw, 90, 40));
        assertEq(bleu.measure(response, referenceText, "", seed)[0], _measure(response, referenceText));
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_measure__anySeedOver256Tokens__isTheSame(uint256 draw, uint256 seed) external view {
        (bytes memory response, bytes memory referenceText) = (_words(draw, 400, 40), _words(~draw, 300, 40));
        assertEq(bleu.measure(response, referenceText, "", seed)[0], _measure(response, referenceText));
    }

    function test_measure__longestText__staysUnderTheLimit() external view {
        string[6] memory dear = ["t;", ",,,,,,,,,,1", "....1", "<!", "!", ";>"];
        for (uint256 i = 0; i < dear.length; ++i) {
            bytes memory text = new bytes(bleu.maxBytes());
            for (uint256 k = 0; k < text.length; ++k) {
                text[k] = bytes(dear[i])[k % bytes(dear[i]).length];
            }
            uint256 before = gasleft();
            bleu.measure(text, text, "", i);
            assertLt(before - gasleft(), LIMIT, dear[i]);
        }
    }

    /// @dev Something has to be removed, so that the end is stripped apart from the tokens.
    function test_measure__spacesBehindWhatIsRemoved__equalsPlain() external view {
        bytes[5] memory spaces = [bytes(hex"c2a0"), hex"c285", hex"e38080", hex"e28083", hex"e280a8"];
        for (uint256 i = 0; i < spaces.length; ++i) {
            bytes memory text = abi.encodePacked("one <skipped>two -\n", spaces[i], " ", spaces[i]);
            assertEq(_measure(text, "one two"), PlainBleu.measure(text, "one two"));
        }
    }

    function test_measure__vectors__equalSacrebleu() external view {
        string memory json = vm.readFile("tests/vectors/metrics.json");
        bytes[] memory responses = vm.parseJsonBytesArray(json, ".bleu.responses");
        bytes[] memory references = vm.parseJsonBytesArray(json, ".bleu.references");
        uint256[] memory words = vm.parseJsonUintArray(json, ".bleu.words");
        for (uint256 i = 0; i < words.length; ++i) {
            assertEq(_measure(responses[i], references[i]), words[i]);
        }
    }

    // score

    function test_score__wrongNumberOfWords__isZero() external view {
        uint256 word = _word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 9]);
        assertEq(bleu.score(new uint256[](0)), 0);
        uint256[] memory totals = new uint256[](2);
        totals[0] = word;
        assertEq(bleu.score(totals), 0);
    }

    function testFuzz_score__aboveTheNinthLane__isZero(uint256 high) external view {
        high = bound(high, 1, 15);
        assertEq(_score(_word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 9]) | high << 252), 0);
    }

    function test_score__moreMatchesThanNgrams__isZero() external view {
        assertEq(_score(_word([uint256(10), 8, 7, 6, 9, 8, 7, 6, 9])), 0);
        assertEq(_score(_word([uint256(9), 8, 7, 7, 9, 8, 7, 6, 9])), 0);
    }

    function test_score__noMatches__isZero() external view {
        assertEq(_score(_word([uint256(0), 0, 0, 0, 9, 8, 7, 6, 9])), 0);
        assertEq(_score(0), 0);
    }

    function test_score__orderWithoutNgrams__isZero() external view {
        assertEq(_score(_word([uint256(3), 2, 1, 0, 3, 2, 1, 0, 3])), 0);
    }

    function test_score__perfect__isOne() external view {
        assertEq(_score(_word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 9])), 1e18);
        uint256 all = (1 << 28) - 1;
        assertEq(_score(_word([all, all, all, all, all, all, all, all, all])), 1e18);
    }

    function test_score__shortResponse__isPenalised() external view {
        uint256 long = _score(_word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 9]));
        uint256 short = _score(_word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 10]));
        assertLt(short, long);
        assertEq(_score(_word([uint256(9), 8, 7, 6, 9, 8, 7, 6, 1 << 27])), 0);
    }

    function testFuzz_score__anyWord__isAtMostOne(uint256 word) external view {
        assertLe(_score(word), 1e18);
        assertLe(_score(word >> 4), 1e18);
        // Below, every lane of matches is at most its lane of n-grams, so that the whole computation runs.
        assertLe(_score((word >> 4) | (((word >> 4) & ((1 << 112) - 1)) << 112)), 1e18);
    }

    function test_score__vectors__equalTheMirror() external view {
        string memory json = vm.readFile("tests/vectors/metrics.json");
        uint256[] memory totals = vm.parseJsonUintArray(json, ".score.totals");
        uint256[] memory scores = vm.parseJsonUintArray(json, ".score.scores");
        for (uint256 i = 0; i < totals.length; ++i) {
            assertEq(_score(totals[i]), scores[i]);
        }
    }

    function _measure(bytes memory response, bytes memory referenceText) private view returns (uint256) {
        uint256[] memory statistics = bleu.measure(response, referenceText, "", 0);
        assertEq(statistics.length, 1);
        return statistics[0];
    }

    function _score(uint256 word) private view returns (uint256) {
        uint256[] memory totals = new uint256[](1);
        totals[0] = word;
        return bleu.score(totals);
    }

    function _word(uint256[9] memory lanes) private pure returns (uint256 word) {
        for (uint256 i = 0; i < 9; ++i) {
            word |= lanes[i] << (28 * i);
        }
    }

    /// @dev The statistics of two texts of which one is the beginning of the other.
    function _prefix(uint256 left, uint256 right) private pure returns (uint256 word) {
        uint256 shorter = left < right ? left : right;
        for (uint256 i = 0; i < 4; ++i) {
            word |= (shorter - i) << (28 * i) | (left - i) << (28 * (i + 4));
        }
        word |= right << 224;
    }

    function _numbers(uint256 count) private pure returns (bytes memory text) {
        for (uint256 i = 0; i < count; ++i) {
            text = bytes.concat(text, " ", bytes(vm.toString(i)));
        }
    }

    function _text(uint256 draw, uint256 longest) private view returns (bytes memory text) {
        uint256 count = uint256(keccak256(abi.encode(draw))) % (longest + 1);
        for (uint256 i = 0; i < count; ++i) {
            text = bytes.concat(text, pieces[uint256(keccak256(abi.encode(draw, i))) % pieces.length]);
        }
    }

    function _words(uint256 draw, uint256 count, uint256 vocabulary) private pure returns (bytes memory text) {
        for (uint256 i = 0; i < count; ++i) {
            text = bytes.concat(text, " w", bytes1(uint8(48 + uint256(keccak256(abi.encode(draw, i))) % vocabulary)));
        }
    }
}
