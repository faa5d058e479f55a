// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Exam, IModelRegistry, ModelId, Version, VersionId} from "./support/Exam.sol";

// ModelRegistry
// ├── registerModel
// │   ├── given a caller that is neither the owner nor allowed by it
// │   │   └── it reverts, also for a model that exists
// │   ├── given the owner, or an operator with a limit in the vault
// │   │   └── it registers the model under the hash of owner and name
// │   ├── when the limit is set back to zero
// │   │   └── the operator is a stranger again
// │   └── when registered a second time
// │       └── it changes nothing
// └── commitVersion
//     ├── given an unknown model, a stranger, or no operator key
//     │   └── it reverts
//     ├── given the owner or an allowed operator
//     │   └── it numbers the versions from one and pins operator and time
//     ├── when the same commitment comes with another operator key
//     │   └── it is another version
//     └── when another owner copies a commitment
//         └── the version has another id
contract ModelRegistryTest is Exam {
    bytes32 internal constant NAME = keccak256("salted name");
    bytes32 internal constant COMMITMENT = keccak256("salted commitment");

    function test_registerModel__stranger__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAuthorised.selector, providerOwner, stranger));
        vm.prank(stranger);
        models.registerModel(providerOwner, NAME);

        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAuthorised.selector, providerOwner, stranger));
        vm.prank(stranger);
        models.registerModel(providerOwner, keccak256("model"));
    }

    function test_registerModel__limitTakenBack__reverts() external {
        vm.prank(providerOwner);
        vault.allow(provider.addr, 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAuthorised.selector, providerOwner, provider.addr));
        vm.prank(provider.addr);
        models.registerModel(providerOwner, NAME);
    }

    function test_registerModel__operatorOfAnother__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAuthorised.selector, providerOwner, examiner.addr));
        vm.prank(examiner.addr);
        models.registerModel(providerOwner, NAME);
    }

    function test_registerModel__ownerOrOperator__registers() external {
        ModelId id = ModelId.wrap(keccak256(abi.encode(providerOwner, NAME)));
        assertEq(models.ownerOf(id), address(0));

        vm.expectEmit(address(models));
        emit IModelRegistry.ModelRegistered(id, providerOwner, NAME);
        vm.prank(provider.addr);
        assertEq(models.registerModel(providerOwner, NAME), id);
        assertEq(models.ownerOf(id), providerOwner);
        assertEq(models.versionsOf(id), 0);

        vm.prank(stranger);
        ModelId other = models.registerModel(stranger, NAME);
        assertEq(models.ownerOf(other), stranger);
        assertNotEq(ModelId.unwrap(other), ModelId.unwrap(id));
    }

    function test_registerModel__secondTime__changesNothing() external {
        vm.recordLogs();
        vm.prank(providerOwner);
        assertEq(models.registerModel(providerOwner, keccak256("model")), model);
        assertEq(vm.getRecordedLogs().length, 0);
        assertEq(models.versionsOf(model), 1);
    }

    function test_commitVersion__unknownModel__reverts() external {
        ModelId none = ModelId.wrap(keccak256("none"));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, none));
        vm.prank(providerOwner);
        models.commitVersion(none, COMMITMENT, provider.addr);
    }

    function test_commitVersion__stranger__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotAuthorised.selector, providerOwner, stranger));
        vm.prank(stranger);
        models.commitVersion(model, COMMITMENT, stranger);
    }

    function test_commitVersion__noOperator__reverts() external {
        vm.expectRevert(IModelRegistry.NoOperator.selector);
        vm.prank(providerOwner);
        models.commitVersion(model, COMMITMENT, address(0));
    }

    function testFuzz_commitVersion__ownerOrOperator__numbersAndPins(bytes32 commitment, address operator, bool byOwner)
        external
    {
        vm.assume(operator != address(0));
        VersionId id = VersionId.wrap(keccak256(abi.encode(model, uint32(2), commitment, operator)));

        vm.expectEmit(address(models));
        emit IModelRegistry.VersionCommitted(id, model, operator, 2, commitment);
        vm.prank(byOwner ? providerOwner : provider.addr);
        assertEq(models.commitVersion(model, commitment, operator), id);

        assertEq(models.versionsOf(model), 2);
        Version memory v = models.versionOf(id);
        assertEq(abi.encode(v), abi.encode(Version(model, providerOwner, operator, uint40(vm.getBlockTimestamp()), 2)));
        (address owner, address key, uint40 at) = models.partiesOf(id);
        assertEq(abi.encode(owner, key, at), abi.encode(v.owner, v.operator, v.committedAt));
    }

    function test_commitVersion__sameCommitmentNewKey__isAnotherVersion() external {
        vm.startPrank(providerOwner);
        VersionId first = models.commitVersion(model, COMMITMENT, provider.addr);
        VersionId second = models.commitVersion(model, COMMITMENT, stranger);
        VersionId third = models.commitVersion(model, COMMITMENT, stranger);
        vm.stopPrank();

        assertNotEq(VersionId.unwrap(first), VersionId.unwrap(second));
        assertNotEq(VersionId.unwrap(second), VersionId.unwrap(third));
        assertEq(models.versionOf(third).number, 4);
        assertEq(models.versionOf(first).operator, provider.addr);
    }

    function test_commitVersion__copiedCommitment__hasAnotherId() external {
        vm.prank(providerOwner);
        VersionId first = models.commitVersion(model, COMMITMENT, provider.addr);

        vm.startPrank(stranger);
        ModelId copy = models.registerModel(stranger, keccak256("model"));
        models.commitVersion(copy, keccak256("filler"), provider.addr);
        VersionId second = models.commitVersion(copy, COMMITMENT, provider.addr);
        vm.stopPrank();

        assertNotEq(VersionId.unwrap(first), VersionId.unwrap(second));
        assertEq(models.versionOf(second).owner, stranger);
    }

    function test_views__unknown__areZero() external view {
        VersionId none = VersionId.wrap(keccak256("none"));
        assertEq(models.versionOf(none).committedAt, 0);
        (address owner, address operator, uint40 at) = models.partiesOf(none);
        assertEq(abi.encode(owner, operator, at), abi.encode(0, 0, 0));
    }
}
