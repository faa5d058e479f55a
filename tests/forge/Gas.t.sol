// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attestation,
    Fault,
    IMetric,
    ModelId,
    Opening,
    Phase,
    PostedAnswer,
    RoundId,
    SignedAnswer,
    SignedAsk,
    TaskParams,
    VersionId
} from "./support/Exam.sol";
import {LoneItem} from "./support/LoneItem.sol";

/// @notice Gas of whole transactions, intrinsic cost and calldata included: the receipts of contracts/README.md, for rounds of 1000 items under
/// BLEU. Each is compared with golden/gas.json, which `make golden` writes anew, and those with a promise with their ceiling.
/// forge-config: default.isolate = true
contract GasTest is LoneItem {
    uint256 internal constant BATCH = 10;
    uint32 internal constant ITEMS = 1000;

    string internal constant REFERENCE_25 = "been emptying an ATM in the entertainment complex and preparing to deliver more money, Det. "
        "Dennis McCarthy wrote in the release. While";
    string internal constant RESPONSE_25 = "been emptying of ATM in the entertainment estimated and preparing to deliver more money, Det. "
        "Dennis said old in turn release. While";
    string internal constant REFERENCE_50 = "her long-term future that would see her through the next couple of decades. Her decision to "
        "pull out left everyone involved absolutely stunned. Nobody could believe what was happening on Tuesday, it was so close to the "
        "launch. There is a warehouse full of goods at";
    string internal constant RESPONSE_50 = "her long-term future that would see her through the next couple of Nations Her decision come "
        "pull out left everyone involved absolutely LGBT Nobody could believe what was Thursday on Tuesday, it was so close to can are "
        "There is a possible, full of goods at";
    string internal constant REFERENCE_100 = "the censure motion criticised me for disagreeing with Jeremy Corbyn. On the importance of a "
        "responsible economic policy, on national security, on Europe, ironically similar issues on which Jeremy disagreed with previous "
        "leaders. The notice for the Nottingham East Labour meeting on Friday stated that we want the meetings to be inclusive and "
        "productive. For most of my eight years as the local Labour MP, the Friday night GC meetings have been exactly that. Sadly today, "
        "it is not the tone of many meetings and the promise of";
    string internal constant RESPONSE_100 = "The censure motion criticised me were disagreeing with Jeremy Corbyn. On the importance of a "
        "responsible economic policy, and pig security, on Europe, ironically similar issues on David Jeremy disagreed with The leaders. "
        "The about for the Nottingham East Labour meeting species Friday stated that we want unseat more to be inclusive and productive. "
        "For most Citizen my eight (1967) as the local Labour MP, the spokesman. boot GC meetings have been exactly that. Sadly today, it "
        "Lombok not the tone of Director meetings and the promise of";

    VersionId[] internal strangers; // Each of its own owner and key: nothing is warm twice.
    VersionId[] internal siblings; // All of one owner and key.
    uint256[] internal keys;

    function setUp() public override {
        super.setUp();
        metric = IMetric(deployCode("Bleu.sol:Bleu"));
        task = tasks.register(_bleuParams());
        vm.warp(START);
        for (uint256 i = 0; i < BATCH; i++) {
            (address key, uint256 secret) = makeAddrAndKey(string.concat("provider ", vm.toString(i)));
            address owner = makeAddr(string.concat("owner ", vm.toString(i)));
            _fund(owner, key, 100 ether);
            (, VersionId v) = _commit(owner, "model", key);
            strangers.push(v);
            keys.push(secret);
            (, v) = _commit(providerOwner, vm.toString(i), provider.addr);
            siblings.push(v);
        }
        vm.warp(START + 1);
    }

    // Setting up

    function test_gas__tasksAndModels() external {
        TaskParams memory p = _bleuParams();
        p.descriptionDigest = keccak256("another");
        tasks.register(p);
        _report("register a task", 1, 0);
        vm.startPrank(providerOwner);
        ModelId m = models.registerModel(providerOwner, keccak256("another model"));
        _report("registerModel", 1, 0);
        models.commitVersion(m, keccak256("commitment"), provider.addr);
        _report("commitVersion", 1, 0);
        vm.stopPrank();
    }

    function test_gas__money() external {
        vm.deal(stranger, 2 ether);
        vm.startPrank(stranger);
        vault.deposit{value: 1 ether}(stranger);
        _report("deposit, the first", 1, 0);
        vault.deposit{value: 1 ether}(stranger);
        _report("deposit, each later one", 1, 0);
        vault.allow(examiner.addr, 1 ether);
        _report("allow", 1, 0);
        vault.withdraw(1 ether, stranger);
        _report("withdraw", 1, 0);
        vm.stopPrank();
    }

    // A round

    function test_gas__seal() external {
        _seal();
        _report("seal", 1, 135_000);
    }

    function test_gas__enrolTenProviders() external {
        RoundId round = _seal();
        bytes[] memory signatures = new bytes[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            signatures[i] = _signEnrol(round, strangers[i], keys[i]);
        }
        _enrol(round, strangers, signatures);
        _report("enrol, each of ten versions of ten providers", BATCH, 52_000);
    }

    function test_gas__enrolOneProvider() external {
        _enrolledSiblings();
        _report("enrol, each of ten versions of one provider", BATCH, 48_000);
    }

    function test_gas__attestRevealRelease() external {
        RoundId round = _attestedSiblings();
        _report("attest, each of ten versions, under BLEU", BATCH, 46_000);
        vm.prank(examiner.addr);
        rounds.reveal(round, keccak256("bundle"));
        _report("reveal", 1, 50_000);
        assertEq(rounds.phaseOf(round), Phase.Challenging);
        assertGt(rounds.scoreOf(round, siblings[0]).score, 0.2e18);
        vm.warp(rounds.deadlinesOf(round).versionsReleasedAt);
        rounds.release(round);
        _report("release", 1, 0);
        rounds.releaseVersions(round, siblings);
        _report("releaseVersions, each of ten versions of one provider", BATCH, 0);
    }

    function test_gas__postAnswer() external {
        RoundId round = _enrolledLone(_text(50));
        PostedAnswer memory a = _posted(round, 0, bytes(REFERENCE_50), bytes(RESPONSE_50), vm.getBlockTimestamp() + 60);
        rounds.postAnswer(round, a);
        _report("postAnswer, 50 tokens", 1, 0);
    }

    function test_gas__forfeit() external {
        _rewardOnce();
        RoundId round = _enrolledLone(_text(50));
        vm.warp(rounds.deadlinesOf(round).attestBy);
        vm.prank(challenger);
        rounds.forfeit(round);
        _report("forfeit", 1, 0);
    }

    // Demands

    function test_gas__demands() external {
        _rewardOnce();
        _fund(challenger, challenger, 1 ether);
        Opening memory o = _text(50);
        RoundId round = _attestedLone(o);
        _reveal(round);
        vm.startPrank(challenger);
        disputes.demand(round, version, 0);
        _report("demand, the first of a round", 1, 120_000);
        disputes.demand(round, version, 1);
        _report("demand, each later one", 1, 105_000);
        vm.stopPrank();
        vm.prank(benchmarker);
        disputes.answerDemand(round, version, o);
        _report("answerDemand, 50 tokens, depth 10", 1, 0);
        vm.warp(disputes.demandOf(round, version, 1).deadline);
        uint256 state = vm.snapshotState();
        disputes.expire(round, version, 1);
        _report("expire", 1, 0);
        vm.revertToState(state);
        (uint40 finalAt,) = rounds.closingOf(round);
        vm.warp(finalAt);
        disputes.reclaim(round, version, 1);
        _report("reclaim", 1, 0);
    }

    // Proofs

    /// @dev The challenger has an account: its slot is not new.
    function test_gas__challenge() external {
        _rewardOnce();
        uint256 state = vm.snapshotState();
        for (uint256 size = 25; size <= 100; size *= 2) {
            _challengeLone(_text(size), string.concat("challenge, ", vm.toString(size), " tokens, depth 10"));
            vm.revertToState(state);
        }
    }

    function test_gas__challengeStatistics() external {
        _rewardOnce();
        uint256 state = vm.snapshotState();
        for (uint256 size = 25; size <= 100; size *= 2) {
            _challengeMeasured(
                _text(size),
                string.concat("challengeStatistics, ", vm.toString(size), " tokens, depth 10"),
                size == 50 ? 160_000 : 0
            );
            vm.revertToState(state);
        }
    }

    /// @dev Who has no account in the vault yet.
    function test_gas__challengeByANewcomer() external {
        _challengeLone(_text(50), "challenge, 50 tokens, depth 10, by a newcomer");
    }

    function test_gas__challengeStatisticsByANewcomer() external {
        _challengeMeasured(_text(50), "challengeStatistics, 50 tokens, depth 10, by a newcomer", 0);
    }

    function test_gas__challengeAck() external {
        _rewardOnce();
        Opening memory o = _text(50);
        (o.outcome, o.response, o.sums[0]) = (SILENT, "", 1 << 32);
        o.sums[1] = metric.measure("", o.referenceText, "", 0)[0];
        RoundId round = _attestedLone(o);
        bytes memory ack = _signAck(round, version, 0, bytes(RESPONSE_50));
        vm.prank(challenger);
        disputes.challengeAck(round, version, o, keccak256(bytes(RESPONSE_50)), ack);
        _report("challengeAck, 50 tokens, depth 10", 1, 0);
        assertEq(rounds.roundOf(round).fault, Fault.AckDropped);
    }

    function test_gas__challengeAsk() external {
        _rewardOnce();
        Opening memory o = _text(50);
        RoundId round = _enrolledLone(o);
        SignedAsk memory ask = _ask(round, 0, "another question");
        vm.prank(challenger);
        disputes.challengeAsk(round, ask, _loneSet(o));
        _report("challengeAsk, depth 10", 1, 0);
        assertEq(rounds.roundOf(round).fault, Fault.WrongAsk);
    }

    function test_gas__challengeReuse() external {
        _rewardOnce();
        Opening memory one = _text(50);
        Opening memory other = _text(50);
        other.salt = keccak256("another salt");
        RoundId first = _attestedLone(one);
        RoundId second = _attestedLone(other);
        vm.prank(challenger);
        disputes.challengeReuse(first, _loneSet(one), second, _loneSet(other));
        _report("challengeReuse, depth 10 twice", 1, 0);
        assertEq(rounds.roundOf(second).fault, Fault.Reused);
    }

    function test_gas__challengeReuseByAsk() external {
        _rewardOnce();
        Opening memory one = _text(50);
        Opening memory other = _text(50);
        other.salt = keccak256("another salt");
        RoundId first = _enrolledLone(one);
        SignedAsk memory ask = _ask(first, 0, one.prompt);
        vm.warp(rounds.deadlinesOf(first).attestBy);
        RoundId second = _enrolledLone(other);
        vm.prank(challenger);
        disputes.challengeReuseByAsk(second, _loneSet(other), first, ask);
        _report("challengeReuseByAsk, depth 10", 1, 0);
        assertEq(rounds.roundOf(second).fault, Fault.Reused);
    }

    function test_gas__challengeLeak() external {
        _rewardOnce();
        Opening memory o = _text(50);
        RoundId round = _enrolledLone(o);
        vm.prank(challenger);
        disputes.challengeLeak(round, _loneSet(o));
        _report("challengeLeak, depth 10", 1, 0);
        assertEq(rounds.roundOf(round).fault, Fault.Leaked);
    }

    function test_gas__challengeAnswers() external {
        _rewardOnce();
        RoundId round = _enrolledLone(_text(50));
        SignedAnswer memory one = _answer(round, 0, "prompt", "one");
        SignedAnswer memory other = _answer(round, 0, "prompt", "other");
        vm.prank(challenger);
        disputes.challengeAnswers(round, version, 0, one, other);
        _report("challengeAnswers", 1, 0);
        assertEq(_free(challenger), 5.1 ether);
    }

    // Rounds

    function _bleuParams() private view returns (TaskParams memory p) {
        p = _params();
        (p.metricWords, p.maxBytes) = (1, 1000);
    }

    /// @dev Position 0 with a stretch of NTREX-128 as prompt and reference, a quarter of its words replaced in the response; neighbours that
    /// scored alike; its own sums true.
    function _text(uint256 tokens) private view returns (Opening memory o) {
        o = _lone(ITEMS, _typical());
        o.referenceText = bytes(tokens == 25 ? REFERENCE_25 : tokens == 50 ? REFERENCE_50 : REFERENCE_100);
        o.response = bytes(tokens == 25 ? RESPONSE_25 : tokens == 50 ? RESPONSE_50 : RESPONSE_100);
        o.prompt = o.referenceText;
        o.sums[1] = metric.measure(o.response, o.referenceText, "", 0)[0];
    }

    function _typical() private pure returns (uint256[] memory each) {
        uint256[9] memory lanes = [uint256(15), 8, 5, 3, 25, 24, 23, 22, 26];
        each = new uint256[](1);
        for (uint256 i = 0; i < 9; i++) {
            each[0] |= lanes[i] << (28 * i);
        }
    }

    function _enrolledLone(Opening memory o) private returns (RoundId round) {
        round = _seal(_loneSetRoot(o), ITEMS);
        _enrol(round);
    }

    function _attestedLone(Opening memory o) private returns (RoundId) {
        return _loneRound(o, ITEMS);
    }

    /// @dev One match too many is claimed.
    function _challengeMeasured(Opening memory o, string memory name, uint256 ceiling) private {
        o.sums[1]++;
        RoundId round = _attestedLone(o);
        vm.prank(challenger);
        rounds.challengeStatistics(round, version, _measurement(o));
        _report(name, 1, ceiling);
        assertEq(rounds.roundOf(round).fault, Fault.WrongStatistics);
    }

    function _challengeLone(Opening memory o, string memory name) private {
        o.sums[1]++;
        RoundId round = _attestedLone(o);
        vm.prank(challenger);
        disputes.challenge(round, version, o);
        _report(name, 1, 0);
        assertEq(rounds.roundOf(round).fault, Fault.WrongStatistics);
    }

    /// @dev A round that is slashed for a leak: the challenger has an account from then on.
    function _rewardOnce() private {
        Opening memory o = _text(25);
        o.salt = keccak256("leaked");
        RoundId round = _seal(_loneSetRoot(o), ITEMS);
        vm.prank(challenger);
        disputes.challengeLeak(round, _loneSet(o));
        vm.warp(vm.getBlockTimestamp() + 1);
    }

    function _attestedSiblings() private returns (RoundId round) {
        round = _enrolledSiblings();
        vm.warp(rounds.deadlinesOf(round).answerBy);
        Attestation[] memory list = new Attestation[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            list[i] = Attestation(siblings[i], keccak256(abi.encode(i)), new uint256[](2));
            list[i].sums[0] = 945 | 5 << 32 | 50 << 64;
            list[i].sums[1] = _bleuTotals();
        }
        vm.prank(examiner.addr);
        rounds.attest(round, list);
    }

    /// @dev Totals of a usual system on a thousand sentences: precisions of 60, 35, 22 and 14 percent.
    function _bleuTotals() private pure returns (uint256 word) {
        uint32[9] memory lanes = [uint32(15_000), 8_400, 5_060, 3_080, 25_000, 24_000, 23_000, 22_000, 26_000];
        for (uint256 i = 0; i < 9; i++) {
            word |= uint256(lanes[i]) << (28 * i);
        }
    }

    function _seal() private returns (RoundId) {
        return _seal(keccak256("root"), ITEMS);
    }

    function _enrolledSiblings() private returns (RoundId round) {
        round = _seal();
        bytes[] memory signatures = new bytes[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            signatures[i] = _signEnrol(round, siblings[i], provider.privateKey);
        }
        _enrol(round, siblings, signatures);
    }

    function _enrol(RoundId round, VersionId[] memory versions, bytes[] memory signatures) private {
        vm.prank(examiner.addr);
        rounds.enrol(round, versions, signatures);
    }

    /// @dev A ceiling of zero is none.
    function _report(string memory what, uint256 units, uint256 ceiling) private {
        uint256 perUnit = vm.lastCallGas().gasTotalUsed / units;
        emit log_named_uint(what, perUnit);
        vm.snapshotValue("gas", what, perUnit);
        if (ceiling != 0) assertLe(perUnit, ceiling, what);
    }
}
