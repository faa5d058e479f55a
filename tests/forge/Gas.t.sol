// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestation, Exam, Item, ModelId, Opening, Phase, RoundId, Trees, VersionId} from "./support/Exam.sol";

/// @notice Gas of whole transactions, intrinsic cost and calldata included, against the ceilings of the protocol.
/// @dev Every provider has its own owner, so nothing is warm twice: the dearest honest case.
/// forge-config: default.isolate = true
contract GasTest is Exam {
    uint256 internal constant BATCH = 10;

    VersionId[] internal versions;
    uint256[] internal keys;

    function setUp() public override {
        super.setUp();
        vm.warp(START);
        for (uint256 i = 0; i < BATCH; i++) {
            (address key, uint256 secret) = makeAddrAndKey(string.concat("provider ", vm.toString(i)));
            address owner = makeAddr(string.concat("owner ", vm.toString(i)));
            _fund(owner, key, 100 ether);
            (, VersionId v) = _commit(owner, "model", key);
            versions.push(v);
            keys.push(secret);
        }
        vm.warp(START + 1);
    }

    function test_gas__wholeRound__staysUnderTheCeilings() external {
        Item[] memory items = _items(8);
        _answerAll(RoundId.wrap(0), items);
        bytes32 root = Trees.root(_setTree(items));

        vm.prank(examiner.addr);
        RoundId round = rounds.seal(benchmarker, task, root, 8, keccak256("card"));
        _report("seal", 1, 160_000);

        bytes[] memory signatures = new bytes[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            signatures[i] = _signEnrol(round, versions[i], keys[i]);
        }
        VersionId[] memory all = versions;
        vm.prank(examiner.addr);
        rounds.enrol(round, all, signatures);
        _report("enrol", BATCH, 54_500);

        vm.warp(rounds.deadlinesOf(round).answerBy);
        Attestation[] memory attestations = new Attestation[](BATCH);
        for (uint256 i = 0; i < BATCH; i++) {
            attestations[i] = _attestation(versions[i], items);
        }
        vm.prank(examiner.addr);
        rounds.attest(round, attestations);
        _report("attest", BATCH, 46_000);

        vm.prank(examiner.addr);
        rounds.reveal(round, keccak256("bundle"));
        _report("reveal", 1, 50_000);

        assertEq(rounds.phaseOf(round), Phase.Challenging);
    }

    function _report(string memory what, uint256 units, uint256 ceiling) private {
        uint256 perUnit = vm.lastCallGas().gasTotalUsed / units;
        emit log_named_uint(what, perUnit);
        assertLe(perUnit, ceiling, what);
    }
}
