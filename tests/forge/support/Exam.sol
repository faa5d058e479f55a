// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test, Vm} from "forge-std/Test.sol";

import {Addresses, IDeployer} from "../../../contracts/interfaces/IDeployer.sol";
import {Demand, DemandState, IDisputes, SetOpening, SignedAnswer, SignedAsk} from "../../../contracts/interfaces/IDisputes.sol";
import {IJudge, Opening, Sibling, Verdict} from "../../../contracts/interfaces/IJudge.sol";
import {IMetric} from "../../../contracts/interfaces/IMetric.sol";
import {IModelRegistry, ModelId, Version, VersionId} from "../../../contracts/interfaces/IModelRegistry.sol";
import {
    Attestation,
    Deadlines,
    Fault,
    IRounds,
    Measurement,
    Phase,
    PostedAnswer,
    Round,
    RoundId,
    ScoreView,
    Skip,
    Standing
} from "../../../contracts/interfaces/IRounds.sol";
import {IStakeVault} from "../../../contracts/interfaces/IStakeVault.sol";
import {ITaskRegistry, TaskId, TaskParams} from "../../../contracts/interfaces/ITaskRegistry.sol";
import {Receipts} from "../../../contracts/libraries/Receipts.sol";
import {SealedItem, Seals} from "../../../contracts/libraries/Seals.sol";
import {SumTree} from "../../../contracts/libraries/SumTree.sol";
import {RoundTerms} from "../../../contracts/libraries/Terms.sol";
import {ByteMetric} from "./Metrics.sol";
import {Trees} from "./Trees.sol";

/// @notice One item on both sides of the exam: as it was sealed, and as it was answered and scored.
struct Item {
    uint8 kind;
    bytes prompt;
    bytes referenceText;
    bytes32 salt;
    uint8 outcome;
    bytes response;
    bytes answerSignature;
    bytes evidence;
    uint256[] sums;
}

/// @notice A funded benchmarker, a funded provider, a task, and the acts of a round; every test stands on it.
abstract contract Exam is Test {
    using Trees for Trees.SetTree;
    using Trees for Trees.ScoreTree;

    uint8 internal constant SCORED = 0;
    uint8 internal constant DECOY_KIND = 1;
    uint8 internal constant ANSWERED = 0;
    uint8 internal constant SILENT = 1;
    uint8 internal constant DECOY = 2;

    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant ANSWER = 1 days;
    uint256 internal constant POST = 1 hours;
    uint256 internal constant ATTEST = 2 days;
    uint256 internal constant REVEAL = 3 days;
    uint256 internal constant CHALLENGE = 4 days;
    uint256 internal constant ROUND_BOND = 10 ether;
    uint256 internal constant VERSION_BOND = 1 ether;
    uint256 internal constant DEMAND = 4 hours;
    uint256 internal constant DEMAND_FEE = 0.01 ether;

    ITaskRegistry internal tasks;
    IModelRegistry internal models;
    IStakeVault internal vault;
    IRounds internal rounds;
    IJudge internal judge;
    IDisputes internal disputes;
    IMetric internal metric;

    Vm.Wallet internal examiner; // The benchmarker's operator key.
    Vm.Wallet internal provider; // The provider's operator key.
    address internal benchmarker = makeAddr("benchmarker");
    address internal providerOwner = makeAddr("provider owner");
    address internal challenger = makeAddr("challenger");
    address internal stranger = makeAddr("stranger");

    TaskId internal task;
    ModelId internal model;
    VersionId internal version;

    function setUp() public virtual {
        vm.warp(START);
        examiner = vm.createWallet("examiner");
        provider = vm.createWallet("provider");
        _deploy();
        metric = new ByteMetric();
        task = tasks.register(_params());
        _fund(benchmarker, examiner.addr, 100 ether);
        _fund(providerOwner, provider.addr, 100 ether);
        (model, version) = _commit(providerOwner, "model", provider.addr);
        vm.warp(START + 1);
    }

    // Setting up

    /// @dev By name and not by import: so this file is compiled apart from them, and they as they ship (see foundry.toml).
    function _codes() internal view returns (bytes[6] memory) {
        return [
            vm.getCode("TaskRegistry.sol:TaskRegistry"),
            vm.getCode("ModelRegistry.sol:ModelRegistry"),
            vm.getCode("StakeVault.sol:StakeVault"),
            vm.getCode("Rounds.sol:Rounds"),
            vm.getCode("Judge.sol:Judge"),
            vm.getCode("Disputes.sol:Disputes")
        ];
    }

    function _deployer() internal returns (IDeployer) {
        return IDeployer(deployCode("Deployer.sol:Deployer", abi.encode(_codeHashes())));
    }

    function _codeHashes() internal view returns (bytes32[6] memory hashes) {
        bytes[6] memory codes = _codes();
        for (uint256 i = 0; i < 6; i++) {
            hashes[i] = keccak256(codes[i]);
        }
    }

    function _deploy() internal {
        IDeployer deployer = _deployer();
        bytes[6] memory codes = _codes();
        for (uint256 i = 0; i < 6; i++) {
            deployer.deployNext(codes[i]);
        }
        Addresses memory all = deployer.addresses();
        (tasks, models, vault, rounds, judge, disputes) = (all.tasks, all.models, all.vault, all.rounds, all.judge, all.disputes);
    }

    /// @dev What a proof of wrong statistics shows of an opening.
    function _measurement(Opening memory o) internal pure returns (Measurement memory m) {
        (m.position, m.kind, m.outcome, m.seed) = (o.position, o.kind, o.outcome, o.seed);
        (m.promptHash, m.salt, m.signatureHash) = (keccak256(o.prompt), o.salt, keccak256(o.answerSignature));
        (m.referenceText, m.response, m.evidence) = (o.referenceText, o.response, o.evidence);
        (m.setPath, m.sums, m.sumPath) = (o.setPath, o.sums, Trees.packed(o.sumPath));
    }

    function _params() internal view returns (TaskParams memory) {
        return TaskParams({
            descriptionDigest: keccak256("description"),
            metric: metric,
            metricWords: 2,
            maxItems: 1000,
            maxBytes: 200,
            maxSilenceBps: 2500,
            answerWindow: uint32(ANSWER),
            postWindow: uint32(POST),
            attestWindow: uint32(ATTEST),
            revealWindow: uint32(REVEAL),
            challengeWindow: uint32(CHALLENGE),
            demandWindow: uint32(DEMAND),
            roundBond: uint96(ROUND_BOND),
            versionBond: uint96(VERSION_BOND),
            demandFee: uint64(DEMAND_FEE)
        });
    }

    function _fund(address owner, address operator, uint256 amount) internal {
        vm.deal(owner, amount);
        vm.startPrank(owner);
        vault.deposit{value: amount}(owner);
        vault.allow(operator, amount);
        vm.stopPrank();
    }

    function _commit(address owner, string memory name, address operator) internal returns (ModelId m, VersionId v) {
        vm.startPrank(owner);
        m = models.registerModel(owner, keccak256(bytes(name)));
        v = models.commitVersion(m, keccak256(abi.encode(name, "commitment")), operator);
        vm.stopPrank();
    }

    // Acts of a round

    function _seal(bytes32 setRoot, uint32 n) internal returns (RoundId) {
        vm.prank(examiner.addr);
        return rounds.seal(benchmarker, task, setRoot, n, keccak256("card"));
    }

    function _seal(Item[] memory items) internal returns (RoundId) {
        return _seal(_setTree(items).root(), uint32(items.length));
    }

    function _enrol(RoundId round) internal {
        _enrol(round, version, provider.privateKey);
    }

    function _enrol(RoundId round, VersionId v, uint256 key) internal {
        vm.prank(examiner.addr);
        rounds.enrol(round, _one(v), _one(_signEnrol(round, v, key)));
    }

    function _attest(RoundId round, Attestation memory a) internal {
        Attestation[] memory list = new Attestation[](1);
        list[0] = a;
        vm.prank(examiner.addr);
        rounds.attest(round, list);
    }

    function _attest(RoundId round, Item[] memory items) internal {
        _attest(round, _attestation(version, items));
    }

    function _reveal(RoundId round) internal {
        vm.prank(examiner.addr);
        rounds.reveal(round, keccak256("bundle"));
    }

    /// @dev A sealed round with the version enrolled, still Answering.
    function _sit(Item[] memory items) internal returns (RoundId round) {
        round = _seal(items);
        _enrol(round);
        vm.warp(vm.getBlockTimestamp() + 1);
    }

    /// @dev An honest round of n items in phase Attesting, and its items answered and scored.
    function _toAttesting(uint256 n) internal returns (RoundId round, Item[] memory items) {
        items = _items(n);
        round = _sit(items);
        _answerAll(round, items);
        vm.warp(rounds.deadlinesOf(round).answerBy);
    }

    function _toRevealing(uint256 n) internal returns (RoundId round, Item[] memory items) {
        (round, items) = _toAttesting(n);
        _attest(round, items);
    }

    function _toChallenging(uint256 n) internal returns (RoundId round, Item[] memory items) {
        (round, items) = _toRevealing(n);
        _reveal(round);
    }

    // Items

    /// @dev Positions 3, 10, 17 ... are decoys, positions 5, 18, 31 ... will be silent, the rest is answered.
    function _items(uint256 n) internal pure returns (Item[] memory items) {
        items = new Item[](n);
        for (uint256 p = 0; p < n; p++) {
            items[p].kind = p % 7 == 3 ? DECOY_KIND : SCORED;
            items[p].prompt = abi.encodePacked("Translate sentence ", vm.toString(p));
            items[p].referenceText = abi.encodePacked("Reference of sentence ", vm.toString(p));
            items[p].salt = keccak256(abi.encode("salt", p));
            items[p].outcome = p % 7 == 3 ? DECOY : p % 13 == 5 ? SILENT : ANSWERED;
            if (items[p].outcome == ANSWERED) items[p].response = abi.encodePacked("Reference of a sentence ", vm.toString(p));
        }
    }

    /// @dev Signs and measures every item as an honest pair would.
    function _answerAll(RoundId round, Item[] memory items) internal view {
        for (uint256 p = 0; p < items.length; p++) {
            if (items[p].outcome == ANSWERED) {
                items[p].answerSignature = _signAnswer(round, version, p, items[p].prompt, items[p].response);
            }
            items[p].sums = _honestSums(items[p]);
        }
    }

    function _honestSums(Item memory item) internal view returns (uint256[] memory sums) {
        uint256[] memory statistics =
            item.outcome == DECOY ? new uint256[](2) : metric.measure(item.response, item.referenceText, item.evidence, 0);
        sums = new uint256[](1 + statistics.length);
        sums[0] = uint256(1) << (32 * item.outcome);
        for (uint256 w = 0; w < statistics.length; w++) {
            sums[1 + w] = statistics[w];
        }
    }

    function _setTree(Item[] memory items) internal view returns (Trees.SetTree memory) {
        bytes32[] memory leaves = new bytes32[](items.length);
        for (uint256 p = 0; p < items.length; p++) {
            SealedItem memory item = SealedItem(
                uint32(p), items[p].kind, keccak256(items[p].prompt), keccak256(items[p].referenceText), items[p].salt
            );
            leaves[p] = Seals.leaf(address(rounds), benchmarker, item);
        }
        return Trees.buildSet(leaves);
    }

    function _scoreTree(Item[] memory items) internal pure returns (Trees.ScoreTree memory) {
        bytes32[] memory leaves = new bytes32[](items.length);
        uint256[][] memory sums = new uint256[][](items.length);
        for (uint256 p = 0; p < items.length; p++) {
            leaves[p] = SumTree.leaf(
                uint32(p),
                items[p].outcome,
                keccak256(items[p].response),
                keccak256(items[p].answerSignature),
                keccak256(items[p].evidence)
            );
            sums[p] = items[p].sums;
        }
        return Trees.buildScores(leaves, sums);
    }

    function _attestation(VersionId v, Item[] memory items) internal pure returns (Attestation memory) {
        Trees.ScoreTree memory tree = _scoreTree(items);
        return Attestation(v, tree.rootHash(), tree.rootSums());
    }

    function _opening(Item[] memory items, uint256 p) internal view returns (Opening memory) {
        return _opening(items, _scoreTree(items), p);
    }

    function _opening(Item[] memory items, Trees.ScoreTree memory tree, uint256 p) internal view returns (Opening memory o) {
        o.position = uint32(p);
        o.kind = items[p].kind;
        o.prompt = items[p].prompt;
        o.referenceText = items[p].referenceText;
        o.salt = items[p].salt;
        o.setPath = _setTree(items).path(p);
        o.outcome = items[p].outcome;
        o.response = items[p].response;
        o.answerSignature = items[p].answerSignature;
        o.evidence = items[p].evidence;
        o.sums = items[p].sums;
        o.sumPath = tree.path(p);
        o.seed = uint256(keccak256("a reader's seed"));
    }

    /// @dev The sealed half of an item, its texts as hashes.
    function _setOpening(Item[] memory items, uint256 p) internal view returns (SetOpening memory s) {
        s.item =
            SealedItem(uint32(p), items[p].kind, keccak256(items[p].prompt), keccak256(items[p].referenceText), items[p].salt);
        s.path = _setTree(items).path(p);
    }

    // Signatures

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signEnrol(RoundId round, VersionId v, uint256 key) internal view returns (bytes memory) {
        return _sign(key, Receipts.enrolDigest(Receipts.domainSeparator(address(rounds)), round, v));
    }

    function _signAsk(RoundId round, VersionId v, uint256 p, bytes memory prompt, uint256 answerUntil)
        internal
        view
        returns (bytes memory)
    {
        bytes32 domain = Receipts.domainSeparator(address(rounds));
        bytes32 digest = Receipts.askDigest(domain, round, v, uint32(p), keccak256(prompt), uint40(answerUntil));
        return _sign(examiner.privateKey, digest);
    }

    function _signAnswer(RoundId round, VersionId v, uint256 p, bytes memory prompt, bytes memory response)
        internal
        view
        returns (bytes memory)
    {
        bytes32 domain = Receipts.domainSeparator(address(rounds));
        bytes32 digest = Receipts.answerDigest(domain, round, v, uint32(p), keccak256(prompt), keccak256(response));
        return _sign(provider.privateKey, digest);
    }

    function _signAck(RoundId round, VersionId v, uint256 p, bytes memory response) internal view returns (bytes memory) {
        bytes32 domain = Receipts.domainSeparator(address(rounds));
        return _sign(examiner.privateKey, Receipts.ackDigest(domain, round, v, uint32(p), keccak256(response)));
    }

    function _ask(RoundId round, uint256 p, bytes memory prompt) internal view returns (SignedAsk memory) {
        uint40 until = uint40(vm.getBlockTimestamp() + 60);
        return SignedAsk(version, uint32(p), keccak256(prompt), until, _signAsk(round, version, p, prompt, until));
    }

    function _answer(RoundId round, uint256 p, bytes memory prompt, bytes memory response)
        internal
        view
        returns (SignedAnswer memory)
    {
        return SignedAnswer(keccak256(prompt), keccak256(response), _signAnswer(round, version, p, prompt, response));
    }

    /// @dev An exchange at a position, signed by both sides, ready to be posted.
    function _posted(RoundId round, uint256 p, bytes memory prompt, bytes memory response, uint256 answerUntil)
        internal
        view
        returns (PostedAnswer memory)
    {
        return PostedAnswer({
            version: version,
            position: uint32(p),
            promptHash: keccak256(prompt),
            answerUntil: uint40(answerUntil),
            response: response,
            askSignature: _signAsk(round, version, p, prompt, answerUntil),
            answerSignature: _signAnswer(round, version, p, prompt, response)
        });
    }

    // Small things

    function _one(VersionId v) internal pure returns (VersionId[] memory list) {
        list = new VersionId[](1);
        list[0] = v;
    }

    function _one(bytes memory b) internal pure returns (bytes[] memory list) {
        list = new bytes[](1);
        list[0] = b;
    }

    function _free(address owner) internal view returns (uint256 free) {
        (free,) = vault.balanceOf(owner);
    }

    function _locked(address owner) internal view returns (uint256 locked) {
        (, locked) = vault.balanceOf(owner);
    }

    function assertEq(Phase left, Phase right) internal pure {
        assertEq(uint8(left), uint8(right), "phase");
    }

    function assertEq(Standing left, Standing right) internal pure {
        assertEq(uint8(left), uint8(right), "standing");
    }

    function assertEq(Verdict left, Verdict right) internal pure {
        assertEq(uint8(left), uint8(right), "verdict");
    }

    function assertEq(Fault left, Fault right) internal pure {
        assertEq(uint8(left), uint8(right), "fault");
    }

    function assertEq(RoundId left, RoundId right) internal pure {
        assertEq(RoundId.unwrap(left), RoundId.unwrap(right), "round");
    }

    function assertEq(TaskId left, TaskId right) internal pure {
        assertEq(TaskId.unwrap(left), TaskId.unwrap(right), "task");
    }

    function assertEq(ModelId left, ModelId right) internal pure {
        assertEq(ModelId.unwrap(left), ModelId.unwrap(right), "model");
    }

    function assertEq(VersionId left, VersionId right) internal pure {
        assertEq(VersionId.unwrap(left), VersionId.unwrap(right), "version");
    }
}
