// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";

import {Sibling} from "../../contracts/interfaces/IJudge.sol";
import {ModelId, VersionId} from "../../contracts/interfaces/IModelRegistry.sol";
import {RoundId} from "../../contracts/interfaces/IRounds.sol";
import {TaskId, TaskParams} from "../../contracts/interfaces/ITaskRegistry.sol";
import {Receipts} from "../../contracts/libraries/Receipts.sol";
import {SealedItem, Seals} from "../../contracts/libraries/Seals.sol";
import {SumTree} from "../../contracts/libraries/SumTree.sol";
import {Harness} from "./support/Harness.sol";
import {Trees} from "./support/Trees.sol";

/// @notice Every value in the vectors that Python wrote, computed again by the libraries of the contracts.
contract VectorsTest is Test {
    using Trees for Trees.SetTree;
    using Trees for Trees.ScoreTree;

    string internal json = vm.readFile("tests/vectors/protocol.json");
    Harness internal harness = new Harness();
    address internal rounds;
    bytes32 internal domain;

    function setUp() external {
        vm.chainId(_uint(".chainId"));
        rounds = _address(".rounds");
        domain = _bytes32(".domainSeparator");
    }

    function test_vectors__tagsAndDomain__agree() external view {
        assertEq(Seals.SET_LEAF, _bytes32(".tags.SET_LEAF"));
        assertEq(Seals.SET_NODE, _bytes32(".tags.SET_NODE"));
        assertEq(SumTree.SCORE_LEAF, _bytes32(".tags.SCORE_LEAF"));
        assertEq(SumTree.NODE, _bytes32(".tags.NODE"));
        assertEq(Receipts.domainSeparator(rounds), domain);
    }

    function test_vectors__task__agrees() external view {
        bytes memory encoded = vm.parseJsonBytes(json, ".task.encoded");
        TaskParams memory p = abi.decode(encoded, (TaskParams));
        assertEq(abi.encode(p), encoded);
        assertEq(TaskId.unwrap(Seals.taskId(p)), _bytes32(".task.id"));

        assertEq(p.descriptionDigest, _bytes32(".task.params.description_digest"));
        assertEq(address(p.metric), _address(".task.params.metric"));
        assertEq(p.metricWords, _uint(".task.params.metric_words"));
        assertEq(p.maxItems, _uint(".task.params.max_items"));
        assertEq(p.maxBytes, _uint(".task.params.max_bytes"));
        assertEq(p.maxSilenceBps, _uint(".task.params.max_silence_bps"));
        assertEq(p.answerWindow, _uint(".task.params.answer_window"));
        assertEq(p.postWindow, _uint(".task.params.post_window"));
        assertEq(p.attestWindow, _uint(".task.params.attest_window"));
        assertEq(p.revealWindow, _uint(".task.params.reveal_window"));
        assertEq(p.challengeWindow, _uint(".task.params.challenge_window"));
        assertEq(p.demandWindow, _uint(".task.params.demand_window"));
        assertEq(p.roundBond, _uint(".task.params.round_bond"));
        assertEq(p.versionBond, _uint(".task.params.version_bond"));
        assertEq(p.demandFee, _uint(".task.params.demand_fee"));
    }

    function test_vectors__ids__agree() external view {
        assertEq(ModelId.unwrap(Seals.modelId(_address(".model.owner"), _bytes32(".model.nameHash"))), _bytes32(".model.id"));
        assertEq(
            keccak256(
                abi.encode(
                    _bytes32(".model.id"),
                    _bytes32(".version.labelHash"),
                    _bytes32(".version.artifactDigest"),
                    _bytes32(".version.salt")
                )
            ),
            _bytes32(".version.commitment")
        );
        VersionId version = Seals.versionId(
            ModelId.wrap(_bytes32(".model.id")),
            uint32(_uint(".version.number")),
            _bytes32(".version.commitment"),
            _address(".version.operator")
        );
        assertEq(VersionId.unwrap(version), _bytes32(".version.id"));
        RoundId round = Seals.roundId(
            rounds,
            _address(".round.benchmarker"),
            TaskId.wrap(_bytes32(".task.id")),
            _bytes32(".round.setRoot"),
            uint32(_uint(".round.items")),
            _address(".round.operator")
        );
        assertEq(RoundId.unwrap(round), _bytes32(".round.id"));
    }

    function test_vectors__setLeaves__agree() external view {
        bytes32[] memory leaves = vm.parseJsonBytes32Array(json, ".setTrees[6].leaves");
        assertEq(leaves.length, 8);
        for (uint256 p = 0; p < leaves.length; p++) {
            string memory at = string.concat(".setItems[", vm.toString(p), "]");
            SealedItem memory item = SealedItem({
                position: uint32(_uint(string.concat(at, ".position"))),
                kind: uint8(_uint(string.concat(at, ".kind"))),
                promptHash: keccak256(vm.parseJsonBytes(json, string.concat(at, ".prompt"))),
                referenceHash: keccak256(vm.parseJsonBytes(json, string.concat(at, ".reference"))),
                salt: _bytes32(string.concat(at, ".salt"))
            });
            assertEq(Seals.leaf(rounds, _address(".round.benchmarker"), item), leaves[p]);
        }
    }

    function test_vectors__setTrees__agree() external view {
        uint256 count = _count(".setTrees");
        assertGt(count, 10);
        for (uint256 i = 0; i < count; i++) {
            string memory at = string.concat(".setTrees[", vm.toString(i), "]");
            uint256 n = _uint(string.concat(at, ".n"));
            bytes32 root = _bytes32(string.concat(at, ".root"));
            bytes32[] memory leaves = vm.parseJsonBytes32Array(json, string.concat(at, ".leaves"));
            bytes32[] memory first = vm.parseJsonBytes32Array(json, string.concat(at, ".firstPath"));
            bytes32[] memory last = vm.parseJsonBytes32Array(json, string.concat(at, ".lastPath"));
            Trees.SetTree memory tree = Trees.buildSet(leaves);

            assertEq(leaves.length, n);
            assertEq(Seals.depth(n), _uint(string.concat(at, ".depth")));
            assertEq(tree.root(), root);
            assertEq(tree.path(0), first);
            assertEq(tree.path(n - 1), last);
            assertEq(harness.climbSet(leaves[0], 0, first), root);
            assertEq(harness.climbSet(leaves[n - 1], n - 1, last), root);
        }
    }

    function test_vectors__scoreTrees__agree() external view {
        uint256 count = _count(".scoreTrees");
        assertGt(count, 10);
        for (uint256 i = 0; i < count; i++) {
            _checkScoreTree(string.concat(".scoreTrees[", vm.toString(i), "]"));
        }
    }

    function test_vectors__typedData__agrees() external view {
        RoundId round = RoundId.wrap(_bytes32(".round.id"));
        VersionId version = VersionId.wrap(_bytes32(".version.id"));
        uint32 position = uint32(_uint(".typed.position"));
        bytes32 prompt = _bytes32(".typed.promptHash");
        bytes32 response = _bytes32(".typed.responseHash");
        uint40 until = uint40(_uint(".typed.answerUntil"));

        _checkSigned("Enrol", Receipts.enrolDigest(domain, round, version));
        _checkSigned("Ask", Receipts.askDigest(domain, round, version, position, prompt, until));
        _checkSigned("Answer", Receipts.answerDigest(domain, round, version, position, prompt, response));
        _checkSigned("Ack", Receipts.ackDigest(domain, round, version, position, response));
    }

    function _checkScoreTree(string memory at) private view {
        uint256 n = _uint(string.concat(at, ".n"));
        bytes32[] memory leaves = vm.parseJsonBytes32Array(json, string.concat(at, ".leafHashes"));
        uint256[][] memory sums = _sums(vm.parseJsonBytesArray(json, string.concat(at, ".leafSums")));
        uint256[] memory rootSums = _words(vm.parseJsonBytes(json, string.concat(at, ".rootSums")));
        bytes32 rootHash = _bytes32(string.concat(at, ".rootHash"));
        Trees.ScoreTree memory tree = Trees.buildScores(leaves, sums);

        assertEq(leaves.length, n);
        assertEq(rootSums.length, _uint(string.concat(at, ".words")));
        for (uint256 p = 0; p < n; p++) {
            assertEq(leaves[p], _scoreLeaf(p));
            assertEq(sums[p][0], 1 << (32 * (p % 3)));
        }
        assertEq(tree.rootHash(), rootHash);
        assertEq(tree.rootSums(), rootSums);
        assertEq(SumTree.commitment(rootHash, rootSums), _bytes32(string.concat(at, ".commitment")));

        Sibling[] memory path = _path(at);
        assertEq(abi.encode(tree.path(n - 1)), abi.encode(path));
        bytes32 commitment = _bytes32(string.concat(at, ".commitment"));
        assertEq(harness.climbScores(leaves[n - 1], sums[n - 1], n - 1, path), commitment);
        assertEq(harness.climbPacked(leaves[n - 1], sums[n - 1], n - 1, Trees.packed(path)), commitment);
        assertTrue(harness.paddingIsEmpty(n, n - 1, path));
    }

    /// @dev The vectors answer every third position, keep silent at the next, and have a decoy at the one after.
    function _scoreLeaf(uint256 p) private pure returns (bytes32) {
        bool answered = p % 3 == 0;
        bytes memory at = abi.encodePacked("/", vm.toString(p));
        return SumTree.leaf(
            uint32(p),
            uint8(p % 3),
            keccak256(answered ? abi.encodePacked(keccak256(abi.encodePacked("vector/r", at))) : bytes("")),
            keccak256(answered ? abi.encodePacked(keccak256(abi.encodePacked("vector/s", at))) : bytes("")),
            keccak256("")
        );
    }

    function _path(string memory at) private view returns (Sibling[] memory path) {
        bytes32[] memory hashes = vm.parseJsonBytes32Array(json, string.concat(at, ".lastPathHashes"));
        bytes[] memory packed = vm.parseJsonBytesArray(json, string.concat(at, ".lastPathSums"));
        path = new Sibling[](hashes.length);
        for (uint256 k = 0; k < hashes.length; k++) {
            path[k] = Sibling(hashes[k], _words(packed[k]));
        }
    }

    function _checkSigned(string memory name, bytes32 digest) private view {
        string memory at = string.concat(".typed.", name);
        bytes memory signature = vm.parseJsonBytes(json, string.concat(at, ".signature"));
        address signer = _address(string.concat(at, ".signer"));
        assertEq(digest, _bytes32(string.concat(at, ".digest")));
        assertEq(harness.recover(digest, signature), signer);
    }

    function _sums(bytes[] memory packed) private pure returns (uint256[][] memory sums) {
        sums = new uint256[][](packed.length);
        for (uint256 p = 0; p < packed.length; p++) {
            sums[p] = _words(packed[p]);
        }
    }

    function _words(bytes memory packed) private pure returns (uint256[] memory words) {
        words = new uint256[](packed.length / 32);
        for (uint256 w = 0; w < words.length; w++) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(packed, 32), mul(32, w)))
            }
            words[w] = word;
        }
    }

    function _count(string memory list) private view returns (uint256 n) {
        while (vm.keyExistsJson(json, string.concat(list, "[", vm.toString(n), "]"))) n++;
    }

    function _uint(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, key);
    }

    function _bytes32(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, key);
    }

    function _address(string memory key) private view returns (address) {
        return vm.parseJsonAddress(json, key);
    }
}
