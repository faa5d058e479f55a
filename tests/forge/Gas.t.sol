// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Exam, IMetric, Phase, RoundId, TaskParams, VersionId} from "./support/Exam.sol";

/// @notice Gas of whole transactions, intrinsic cost and calldata included, against ceilings: the receipts of contracts/README.md.
/// @dev A round of 1000 items under BLEU with ten versions.
/// forge-config: default.isolate = true
contract GasTest is Exam {
    uint256 internal constant BATCH = 10;

    VersionId[] internal strangers; // Each of its own owner and key: nothing is warm twice.
    VersionId[] internal siblings; // All of one owner and key.
    uint256[] internal keys;

    function setUp() public override {
        super.setUp();
        metric = IMetric(deployCode("Bleu.sol:Bleu"));
        TaskParams memory p = _params();
        (p.metricWords, p.maxBytes) = (1, 1000);
        task = tasks.register(p);
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

    function test_gas__seal__staysUnderItsCeiling() external {
        _seal();
        _report("seal", 1, 138_000);
    }

    function test_gas__enrolTenProviders__staysUnderItsCeiling() external {
        RoundId round = _seal();
        bytes[] memory signatures = new bytes[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            signatures[i] = _signEnrol(round, strangers[i], keys[i]);
        }
        _enrol(round, strangers, signatures);
        _report("enrol, ten providers, each", BATCH, 54_500);
    }

    function test_gas__enrolOneProvider__staysUnderItsCeiling() external {
        _enrolledSiblings();
        _report("enrol, one provider, each", BATCH, 48_000);
    }

    function test_gas__attestAndReveal__stayUnderTheirCeilings() external {
        RoundId round = _attestedSiblings();
        _report("attest, each", BATCH, 52_000);

        vm.prank(examiner.addr);
        rounds.reveal(round, keccak256("bundle"));
        _report("reveal", 1, 50_000);
        assertEq(rounds.phaseOf(round), Phase.Challenging);
        assertGt(rounds.scoreOf(round, siblings[0]).score, 0.2e18);
    }

    function test_gas__demand__staysUnderItsCeiling() external {
        _fund(challenger, challenger, 1 ether);
        RoundId round = _attestedSiblings();
        _reveal(round);
        vm.prank(challenger);
        disputes.demand(round, siblings[0], 2);
        _report("demand, the first of a round", 1, 120_000);
        vm.prank(challenger);
        disputes.demand(round, siblings[1], 3);
        _report("demand, each later one", 1, 105_000);
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
        return _seal(keccak256("root"), 1000);
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

    function _report(string memory what, uint256 units, uint256 ceiling) private {
        uint256 perUnit = vm.lastCallGas().gasTotalUsed / units;
        emit log_named_uint(what, perUnit);
        assertLe(perUnit, ceiling, what);
    }
}
