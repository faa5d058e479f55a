// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exam, IRounds, ModelId, Phase, RoundId, Skip, Standing, TaskParams, VersionId} from "./support/Exam.sol";

// Rounds: enrol
// ├── given an unknown round, another caller than its operator, or unequal lists
// │   └── it reverts
// ├── given another phase than Answering, one second before, at and after answerBy
// │   └── it reverts
// ├── given a version that was never committed, or not before the seal
// │   └── it skips it
// ├── given a version enrolled before, also twice in one call
// │   └── it skips it
// ├── given a signature that is not the Enrol signature of the version's operator
// │   └── it skips it: another key, another round, another version, another chain, another contract, malleable, odd
// ├── given a provider without free money or allowance
// │   └── it skips it
// └── given a good version among bad ones
//     └── it locks its bond, counts it and says so
contract RoundsEnrolTest is Exam {
    RoundId internal round;

    function setUp() public override {
        super.setUp();
        round = _seal(keccak256("root"), 8);
    }

    function test_enrol__unknownRound__reverts() external {
        RoundId none = RoundId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IRounds.UnknownRound.selector, none));
        rounds.enrol(none, _one(version), _one(""));
    }

    function test_enrol__notOperator__reverts() external {
        address[3] memory callers = [stranger, benchmarker, provider.addr];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(IRounds.NotOperator.selector, round, callers[i]));
            vm.prank(callers[i]);
            rounds.enrol(round, _one(version), _one(""));
        }
    }

    function test_enrol__unequalLists__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IRounds.LengthMismatch.selector, 1, 0));
        vm.prank(examiner.addr);
        rounds.enrol(round, _one(version), new bytes[](0));
    }

    function test_enrol__lastSecond__enrols() external {
        vm.warp(rounds.deadlinesOf(round).answerBy - 1);
        _enrol(round);
        assertEq(rounds.roundOf(round).enrolled, 1);
    }

    function test_enrol__atAndAfterAnswerBy__reverts() external {
        for (uint256 late = 0; late < 2; late++) {
            vm.warp(rounds.deadlinesOf(round).answerBy + late);
            vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Void));
            vm.prank(examiner.addr);
            rounds.enrol(round, _one(version), _one(""));
        }
    }

    function test_enrol__whileAttesting__reverts() external {
        _enrol(round);
        vm.warp(rounds.deadlinesOf(round).answerBy);
        vm.expectRevert(abi.encodeWithSelector(IRounds.WrongPhase.selector, round, Phase.Attesting));
        vm.prank(examiner.addr);
        rounds.enrol(round, _one(version), _one(""));
    }

    function test_enrol__unknownVersion__skips() external {
        VersionId none = VersionId.wrap(keccak256("none"));
        _expectSkip(none, _signEnrol(round, none, provider.privateKey), Skip.Unknown);
    }

    function test_enrol__committedAtOrAfterTheSeal__skips() external {
        (, VersionId late) = _commit(providerOwner, "late", provider.addr);
        _expectSkip(late, _signEnrol(round, late, provider.privateKey), Skip.CommittedTooLate);
        vm.warp(vm.getBlockTimestamp() + 1);
        (, VersionId later) = _commit(providerOwner, "later", provider.addr);
        _expectSkip(later, _signEnrol(round, later, provider.privateKey), Skip.CommittedTooLate);
    }

    function test_enrol__committedOneSecondBeforeTheSeal__enrols() external {
        vm.warp(vm.getBlockTimestamp() + 1);
        (, VersionId fresh) = _commit(providerOwner, "fresh", provider.addr);
        vm.warp(vm.getBlockTimestamp() + 1);
        round = _seal(keccak256("another root"), 8);
        _enrol(round, fresh, provider.privateKey);
        assertEq(rounds.roundOf(round).enrolled, 1);
    }

    function test_enrol__enrolledBefore__skips() external {
        _enrol(round);
        _expectSkip(version, _signEnrol(round, version, provider.privateKey), Skip.AlreadyEnrolled);
        assertEq(rounds.roundOf(round).enrolled, 1);
    }

    function test_enrol__twiceInOneCall__countsOnce() external {
        VersionId[] memory versions = new VersionId[](2);
        bytes[] memory signatures = new bytes[](2);
        (versions[0], versions[1]) = (version, version);
        signatures[0] = signatures[1] = _signEnrol(round, version, provider.privateKey);
        vm.prank(examiner.addr);
        rounds.enrol(round, versions, signatures);
        assertEq(rounds.roundOf(round).enrolled, 1);
        assertEq(_locked(providerOwner), VERSION_BOND);
    }

    function test_enrol__withoutConsent__skips() external {
        _expectSkip(version, _signEnrol(round, version, examiner.privateKey), Skip.WrongSignature);
        _expectSkip(version, _signEnrol(round, VersionId.wrap(0), provider.privateKey), Skip.WrongSignature);
        RoundId other = _seal(keccak256("another root"), 8);
        _expectSkip(version, _signEnrol(other, version, provider.privateKey), Skip.WrongSignature);
    }

    function test_enrol__consentForAnotherChain__skips() external {
        bytes memory here = _signEnrol(round, version, provider.privateKey);
        vm.chainId(block.chainid + 1);
        _expectSkip(version, here, Skip.WrongSignature);

        vm.prank(examiner.addr);
        rounds.enrol(round, _one(version), _one(_signEnrol(round, version, provider.privateKey)));
        assertEq(rounds.roundOf(round).enrolled, 1);
    }

    function test_enrol__consentForAnotherContract__skips() external {
        bytes memory here = _signEnrol(round, version, provider.privateKey);
        RoundId sameId = round;
        _deploy();
        task = tasks.register(_params());
        _fund(benchmarker, examiner.addr, 100 ether);
        vm.warp(START);
        _fund(providerOwner, provider.addr, 100 ether);
        _commit(providerOwner, "model", provider.addr);
        vm.warp(START + 1);
        round = _seal(keccak256("root"), 8);
        assertNotEq(RoundId.unwrap(round), RoundId.unwrap(sameId));
        _expectSkip(version, here, Skip.WrongSignature);
    }

    function test_enrol__oddSignatures__skips() external {
        bytes memory good = _signEnrol(round, version, provider.privateKey);
        (uint8 v, bytes32 r, bytes32 s) = _parts(good);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory twin = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        bytes memory compact = abi.encodePacked(r, bytes32(uint256(s) | uint256(v - 27) << 255));

        _expectSkip(version, "", Skip.WrongSignature);
        _expectSkip(version, twin, Skip.WrongSignature);
        _expectSkip(version, compact, Skip.WrongSignature);
        _expectSkip(version, abi.encodePacked(r, s, v - 27), Skip.WrongSignature);
        _expectSkip(version, abi.encodePacked(good, uint8(0)), Skip.WrongSignature);
        _expectSkip(version, abi.encodePacked(bytes32(0), s, v), Skip.WrongSignature);
        _expectSkip(version, abi.encodePacked(r, bytes32(0), v), Skip.WrongSignature);
    }

    function test_enrol__noAllowance__skips() external {
        vm.prank(providerOwner);
        vault.allow(provider.addr, VERSION_BOND - 1);
        _expectSkip(version, _signEnrol(round, version, provider.privateKey), Skip.NoStake);
    }

    function test_enrol__noMoney__skips() external {
        vm.prank(providerOwner);
        vault.withdraw(100 ether - VERSION_BOND + 1, providerOwner);
        _expectSkip(version, _signEnrol(round, version, provider.privateKey), Skip.NoStake);
    }

    function test_enrol__noBondButNotAllowed__skips() external {
        TaskParams memory p = _params();
        p.versionBond = 0;
        task = tasks.register(p);
        round = _seal(keccak256("root"), 8);
        vm.prank(providerOwner);
        vault.allow(provider.addr, 0);
        _expectSkip(version, _signEnrol(round, version, provider.privateKey), Skip.NoStake);
    }

    function test_enrol__goodAmongBad__locksCountsAndEmits() external {
        VersionId[] memory versions = new VersionId[](3);
        bytes[] memory signatures = new bytes[](3);
        versions[0] = VersionId.wrap(keccak256("none"));
        (versions[1], signatures[1]) = (version, _signEnrol(round, version, provider.privateKey));
        versions[2] = version;

        vm.expectEmit(address(rounds));
        emit IRounds.EnrolSkipped(round, versions[0], Skip.Unknown);
        vm.expectEmit(address(rounds));
        emit IRounds.Enrolled(round, version);
        vm.expectEmit(address(rounds));
        emit IRounds.EnrolSkipped(round, version, Skip.AlreadyEnrolled);
        vm.prank(examiner.addr);
        rounds.enrol(round, versions, signatures);

        assertEq(rounds.roundOf(round).enrolled, 1);
        assertEq(rounds.scoreOf(round, version).standing, Standing.Enrolled);
        assertEq(rounds.scoreOf(round, versions[0]).standing, Standing.None);
        assertEq(_locked(providerOwner), VERSION_BOND);
    }

    function test_enrol__manyInTheLastSecond__enrolsAllThatConsent() external {
        uint256 count = 60;
        vm.warp(START);
        VersionId[] memory versions = new VersionId[](count);
        for (uint256 i = 0; i < count; i++) {
            (, versions[i]) = _commit(providerOwner, vm.toString(i), provider.addr);
        }
        vm.warp(START + 1);
        round = _seal(keccak256("another root"), 8);
        vm.warp(rounds.deadlinesOf(round).answerBy - 1);
        bytes[] memory signatures = new bytes[](count);
        for (uint256 i = 0; i < count; i += 2) {
            signatures[i] = _signEnrol(round, versions[i], provider.privateKey);
        }
        vm.prank(examiner.addr);
        rounds.enrol(round, versions, signatures);
        assertEq(rounds.roundOf(round).enrolled, count / 2);
    }

    function _expectSkip(VersionId v, bytes memory signature, Skip reason) private {
        uint32 before = rounds.roundOf(round).enrolled;
        vm.expectEmit(address(rounds));
        emit IRounds.EnrolSkipped(round, v, reason);
        vm.prank(examiner.addr);
        rounds.enrol(round, _one(v), _one(signature));
        assertEq(rounds.roundOf(round).enrolled, before);
    }

    function _parts(bytes memory signature) private pure returns (uint8 v, bytes32 r, bytes32 s) {
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
    }
}
