// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Hash of a model's owner and salted name.
type ModelId is bytes32;

/// @dev Hash of a version's model, number, commitment and operator.
type VersionId is bytes32;

/// @notice A committed version of a model.
struct Version {
    ModelId model;
    address owner;
    address operator;
    uint40 committedAt;
    uint32 number;
}

/// @title IModelRegistry
/// @notice Models of providers and their numbered, committed versions. Nothing is ever removed.
/// @dev A model owner acts itself or through an operator that it allowed in the vault.
interface IModelRegistry {
    /// @notice A model was registered.
    event ModelRegistered(ModelId indexed model, address indexed owner, bytes32 nameHash);
    /// @notice A version was committed; `number` counts from one within the model.
    event VersionCommitted(
        VersionId indexed version, ModelId indexed model, address indexed operator, uint32 number, bytes32 commitment
    );

    /// @notice The caller is neither the owner nor an operator that the owner allowed.
    error NotAuthorised(address owner, address caller);
    /// @notice The model was never registered.
    error UnknownModel(ModelId model);
    /// @notice The version was never committed.
    error UnknownVersion(VersionId version);
    /// @notice A version needs an operator.
    error NoOperator();

    /// @notice Registers a model of an owner under a salted name hash. A second time is harmless.
    /// @dev Requirements: the owner, or an operator it allowed.
    function registerModel(address owner, bytes32 nameHash) external returns (ModelId model);

    /// @notice Commits the next version of a model.
    /// @dev Requirements: the model's owner, or an operator it allowed. A new operator key is a new version with the same commitment.
    /// @param commitment keccak256(abi.encode(model, versionLabel, artifactDigest, salt)).
    /// @param operator The key that will sign Enrol and Answer for this version.
    function commitVersion(ModelId model, bytes32 commitment, address operator) external returns (VersionId version);

    /// @notice Owner of a model, zero if unknown.
    function ownerOf(ModelId model) external view returns (address);

    /// @notice How many versions a model has.
    function versionsOf(ModelId model) external view returns (uint32);

    /// @notice A committed version; all zero if unknown.
    function versionOf(VersionId version) external view returns (Version memory);

    /// @notice The key that signs Enrol and Answer for a version; zero if unknown.
    function operatorOf(VersionId version) external view returns (address);

    /// @notice What an enrolment needs of a version, in two slots; all zero if unknown.
    function partiesOf(VersionId version) external view returns (address owner, address operator, uint40 committedAt);
}
