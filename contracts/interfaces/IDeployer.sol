// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {IJudge} from "./IJudge.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {IRounds} from "./IRounds.sol";
import {IStakeVault} from "./IStakeVault.sol";
import {ITaskRegistry} from "./ITaskRegistry.sol";

/// @notice The six contracts, in the order in which they are deployed.
struct Addresses {
    ITaskRegistry tasks;
    IModelRegistry models;
    IStakeVault vault;
    IRounds rounds;
    IJudge judge;
    IDisputes disputes;
}

/// @title IDeployer
/// @notice Deploys the six contracts, which know each other from construction, without a key, a setter or an admin.
/// @dev The deployer comes through the common CREATE2 deployer with salt zero, so its address is a function of its own code and of the six
/// code hashes; the six addresses are a function of its address. They are the same on every chain, and nobody can put other code there.
interface IDeployer {
    /// @notice One of the six was deployed; `index` counts from zero.
    event ContractDeployed(uint256 indexed index, address indexed at);

    /// @notice The code is not the one that was fixed at construction.
    error WrongCode(uint256 index, bytes32 expected, bytes32 got);
    /// @notice All six are there.
    error AllDeployed();
    /// @notice The creation failed: out of gas, or a chain without these opcodes.
    error CreationFailed(uint256 index);

    /// @notice Deploys the next of the six contracts.
    /// @dev Requirements: anyone; the creation code fixed at construction, without constructor arguments.
    function deployNext(bytes calldata creationCode) external returns (address at);

    /// @notice Index of the contract to be deployed next; six when all are there.
    function next() external view returns (uint256);

    /// @notice Code hash that the contract with this index must have.
    function codeHashOf(uint256 index) external view returns (bytes32);

    /// @notice Where the six contracts are, or will be.
    function addresses() external view returns (Addresses memory);
}
