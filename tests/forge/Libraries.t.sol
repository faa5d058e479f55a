// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Sibling} from "../../contracts/interfaces/IJudge.sol";
import {Receipts} from "../../contracts/libraries/Receipts.sol";
import {SealedItem, Seals} from "../../contracts/libraries/Seals.sol";
import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {Harness} from "./support/Harness.sol";
import {Trees} from "./support/Trees.sol";

// Seals
// ├── depth: the least d with 2^d >= n
// ├── leaf: another chain, contract, benchmarker, position, kind, text or salt is another leaf
// └── climb: every leaf of a whole tree leads to its root, and to no other place
// SumTree
// ├── climb, climbPacked: every leaf of a whole tree leads to the commitment to root hash and sums, which wrap modulo 2^256
// ├── node: binds both sums, and neither child can borrow from the other
// └── paddingIsEmpty: looks at siblings from n on and at nothing else
// Receipts
// ├── recover: 65 bytes, v 27 or 28, low s; zero otherwise
// └── isSignedBy: never true for the zero address
contract LibrariesTest is Test {
    using Trees for Trees.SetTree;
    using Trees for Trees.ScoreTree;

    uint256 internal constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    Harness internal harness = new Harness();

    // Seals

    function test_depth__edges__areExact() external pure {
        assertEq(Seals.depth(1), 0);
        for (uint256 d = 0; d < 28; d++) {
            uint256 n = 1 << d;
            assertEq(Seals.depth(n), d);
            assertEq(Seals.depth(n + 1), d + 1);
            if (d > 1) assertEq(Seals.depth(n - 1), d);
        }
    }

    function testFuzz_depth__anySize__isLeast(uint32 n) external pure {
        n = n == 0 ? 1 : n;
        uint256 d = Seals.depth(n);
        assertLe(n, 1 << d);
        if (d > 0) assertGt(n, 1 << (d - 1));
    }

    function testFuzz_leaf__anyField__changesIt(SealedItem memory item, address rounds, address owner) external {
        bytes32 leaf = Seals.leaf(rounds, owner, item);
        bytes32 tag = keccak256("assay.SET_LEAF");
        assertEq(
            leaf,
            keccak256(
                bytes.concat(
                    abi.encode(tag, block.chainid, rounds, owner, item.position),
                    abi.encode(item.kind, item.promptHash, item.referenceHash, item.salt)
                )
            )
        );
        unchecked {
            assertNotEq(leaf, Seals.leaf(address(uint160(rounds) + 1), owner, item));
            assertNotEq(leaf, Seals.leaf(rounds, address(uint160(owner) + 1), item));
            item.position++;
            assertNotEq(leaf, Seals.leaf(rounds, owner, item));
            item.position--;
            item.kind++;
            assertNotEq(leaf, Seals.leaf(rounds, owner, item));
            item.kind--;
        }
        item.promptHash = ~item.promptHash;
        assertNotEq(leaf, Seals.leaf(rounds, owner, item));
        item.promptHash = ~item.promptHash;
        item.referenceHash = ~item.referenceHash;
        assertNotEq(leaf, Seals.leaf(rounds, owner, item));
        item.referenceHash = ~item.referenceHash;
        item.salt = ~item.salt;
        assertNotEq(leaf, Seals.leaf(rounds, owner, item));
        item.salt = ~item.salt;
        assertEq(leaf, Seals.leaf(rounds, owner, item));
        vm.chainId(block.chainid + 1);
        assertNotEq(leaf, Seals.leaf(rounds, owner, item));
    }

    function testFuzz_climbSet__wholeTree__leadsToTheRoot(uint256 n, bytes32 seed) external view {
        n = bound(n, 1, 70);
        bytes32[] memory leaves = _hashes(n, seed);
        Trees.SetTree memory tree = Trees.buildSet(leaves);
        for (uint256 p = 0; p < n; p++) {
            assertEq(harness.climbSet(leaves[p], p, tree.path(p)), tree.root());
            if (n > 1) assertNotEq(harness.climbSet(leaves[p], p ^ 1, tree.path(p)), tree.root());
        }
    }

    // SumTree

    function testFuzz_climbScores__wholeTree__leadsToTheRoot(uint256 n, uint256 words, bytes32 seed) external view {
        n = bound(n, 1, 40);
        words = bound(words, 1, 4);
        bytes32[] memory leaves = _hashes(n, seed);
        uint256[][] memory sums = _sums(n, words, seed);
        Trees.ScoreTree memory tree = Trees.buildScores(leaves, sums);
        for (uint256 p = 0; p < n; p++) {
            Sibling[] memory path = tree.path(p);
            assertEq(harness.climbScores(leaves[p], sums[p], p, path), tree.commitment());
            assertEq(harness.climbPacked(leaves[p], sums[p], p, Trees.packed(path)), tree.commitment());
            if (n > 1) assertNotEq(harness.climbPacked(leaves[p], sums[p], p ^ 1, Trees.packed(path)), tree.commitment());
        }
        for (uint256 w = 0; w < words; w++) {
            uint256 total;
            for (uint256 p = 0; p < n; p++) {
                unchecked {
                    total += sums[p][w];
                }
            }
            assertEq(tree.rootSums()[w], total);
        }
    }

    function test_node__words__arePacked() external pure {
        uint256[] memory left = new uint256[](2);
        uint256[] memory right = new uint256[](2);
        (left[0], left[1], right[0], right[1]) = (1, 2, 3, 4);
        bytes32 expected = keccak256(
            abi.encodePacked(keccak256("assay.NODE"), bytes32("l"), uint256(1), uint256(2), bytes32("r"), uint256(3), uint256(4))
        );
        assertEq(SumTree.node("l", left, "r", right), expected);
        assertNotEq(SumTree.node("r", left, "l", right), expected);
        assertNotEq(SumTree.node("l", right, "r", left), expected);
        (left[1], right[1]) = (3, 3);
        assertNotEq(SumTree.node("l", left, "r", right), expected);
    }

    function testFuzz_leaf__words__areEncoded(uint32 p, uint8 outcome, bytes32 r, bytes32 s, bytes32 e) external pure {
        assertEq(
            SumTree.leaf(p, outcome, r, s, e),
            keccak256(abi.encode(keccak256("assay.SCORE_LEAF"), uint256(p), uint256(outcome), r, s, e))
        );
    }

    function testFuzz_commitment__words__arePacked(bytes32 root, uint256 a, uint256 b) external pure {
        uint256[] memory sums = new uint256[](2);
        (sums[0], sums[1]) = (a, b);
        assertEq(SumTree.commitment(root, sums), keccak256(abi.encodePacked(root, a, b)));
    }

    function testFuzz_paddingIsEmpty__anyPosition__looksOnlyBeyondN(uint256 n, uint256 p, uint256 level) external view {
        n = bound(n, 2, 70);
        p = bound(p, 0, n - 1);
        uint256 depth = Seals.depth(n);
        level = bound(level, 0, depth - 1);
        Sibling[] memory path = new Sibling[](depth);
        for (uint256 k = 0; k < depth; k++) {
            path[k].sums = new uint256[](2);
            path[k].hash = keccak256(abi.encode(k));
        }
        assertTrue(harness.paddingIsEmpty(n, p, path));

        path[level].sums[n % 2] = 1;
        uint256 first = ((p >> level) ^ 1) << level;
        assertEq(harness.paddingIsEmpty(n, p, path), first < n);
    }

    // Receipts

    function testFuzz_recover__anyKey__findsIt(uint256 key, bytes32 digest) external view {
        key = bound(key, 1, ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes memory signature = abi.encodePacked(r, s, v);
        assertEq(harness.recover(digest, signature), vm.addr(key));
        assertTrue(harness.isSignedBy(vm.addr(key), digest, signature));
        assertFalse(harness.isSignedBy(address(uint160(vm.addr(key)) ^ 1), digest, signature));

        bytes memory twin = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        assertEq(harness.recover(digest, twin), address(0));
    }

    function testFuzz_recover__oddForms__isZero(bytes32 digest, uint8 v, bytes calldata noise) external view {
        (uint8 good, bytes32 r, bytes32 s) = vm.sign(1, digest);
        if (v != 27 && v != 28) assertEq(harness.recover(digest, abi.encodePacked(r, s, v)), address(0));
        if (noise.length != 65) assertEq(harness.recover(digest, noise), address(0));
        if (noise.length != 0) assertEq(harness.recover(digest, abi.encodePacked(r, s, good, noise)), address(0));
        assertEq(harness.recover(digest, abi.encodePacked(r, s)), address(0));
        assertEq(harness.recover(digest, abi.encodePacked(r, type(uint256).max, good)), address(0));
    }

    function test_recover__edgeOfLowS__isExact() external view {
        uint256 half = ORDER / 2;
        bytes32 r = bytes32(uint256(0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798));
        assertNotEq(harness.recover("digest", abi.encodePacked(r, half, uint8(27))), address(0));
        assertEq(harness.recover("digest", abi.encodePacked(r, half + 1, uint8(27))), address(0));
    }

    function testFuzz_isSignedBy__zeroAddress__isFalse(bytes32 digest, bytes32 s) external view {
        assertFalse(harness.isSignedBy(address(0), digest, abi.encodePacked(bytes32(0), s, uint8(27))));
        assertFalse(harness.isSignedBy(address(0), digest, ""));
    }

    function _hashes(uint256 n, bytes32 seed) private pure returns (bytes32[] memory list) {
        list = new bytes32[](n);
        for (uint256 p = 0; p < n; p++) {
            list[p] = keccak256(abi.encode(seed, p));
        }
    }

    function _sums(uint256 n, uint256 words, bytes32 seed) private pure returns (uint256[][] memory list) {
        list = new uint256[][](n);
        for (uint256 p = 0; p < n; p++) {
            list[p] = new uint256[](words);
            for (uint256 w = 0; w < words; w++) {
                list[p][w] = uint256(keccak256(abi.encode(seed, p, w)));
            }
        }
    }
}
