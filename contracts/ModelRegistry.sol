// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IModelRegistry, ModelId, Version, VersionId} from "./interfaces/IModelRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Seals} from "./libraries/Seals.sol";

/// @title ModelRegistry
/// @notice Models and their committed versions; see IModelRegistry.
contract ModelRegistry is IModelRegistry {
    struct Model {
        address owner;
        uint32 versions;
    }

    /// @dev The owner is repeated here so that an enrolment reads two slots and not three.
    struct Record {
        address operator;
        uint40 committedAt;
        uint32 number;
        address owner;
        ModelId model;
    }

    IStakeVault private immutable _vault;

    mapping(ModelId => Model) private _models;
    mapping(VersionId => Record) private _records;

    constructor(Addresses memory all) {
        _vault = all.vault;
    }

    /// @inheritdoc IModelRegistry
    function registerModel(address owner, bytes32 nameHash) external returns (ModelId model) {
        model = Seals.modelId(owner, nameHash);

        _checkAuthorised(owner);
        if (_models[model].owner != address(0)) return model;

        _models[model].owner = owner;

        emit ModelRegistered(model, owner, nameHash);
    }

    /// @inheritdoc IModelRegistry
    function commitVersion(ModelId model, bytes32 commitment, address operator) external returns (VersionId version) {
        address owner = _models[model].owner;

        if (owner == address(0)) revert UnknownModel(model);
        _checkAuthorised(owner);
        if (operator == address(0)) revert NoOperator();

        uint32 number = ++_models[model].versions;
        version = Seals.versionId(model, number, commitment, operator);
        _records[version] = Record(operator, uint40(block.timestamp), number, owner, model);

        emit VersionCommitted(version, model, operator, number, commitment);
    }

    /// @inheritdoc IModelRegistry
    function ownerOf(ModelId model) external view returns (address) {
        return _models[model].owner;
    }

    /// @inheritdoc IModelRegistry
    function versionsOf(ModelId model) external view returns (uint32) {
        return _models[model].versions;
    }

    /// @inheritdoc IModelRegistry
    function versionOf(VersionId version) external view returns (Version memory) {
        Record storage record = _records[version];
        return Version(record.model, record.owner, record.operator, record.committedAt, record.number);
    }

    /// @inheritdoc IModelRegistry
    function operatorOf(VersionId version) external view returns (address) {
        return _records[version].operator;
    }

    /// @inheritdoc IModelRegistry
    function partiesOf(VersionId version) external view returns (address owner, address operator, uint40 committedAt) {
        Record storage record = _records[version];
        return (record.owner, record.operator, record.committedAt);
    }

    function _checkAuthorised(address owner) private view {
        if (msg.sender == owner) return;
        (uint256 limit,) = _vault.allowanceOf(owner, msg.sender);
        if (limit == 0) revert NotAuthorised(owner, msg.sender);
    }
}
