// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses, IDeployer} from "./interfaces/IDeployer.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IJudge} from "./interfaces/IJudge.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IRounds} from "./interfaces/IRounds.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ITaskRegistry} from "./interfaces/ITaskRegistry.sol";

/// @title Deployer
/// @notice Deploys the six contracts; see IDeployer.
contract Deployer is IDeployer {
    uint256 private constant COUNT = 6;

    /// @inheritdoc IDeployer
    uint256 public next;

    bytes32[6] private _codeHashes;

    /// @param codeHashes keccak256 of the creation codes of TaskRegistry, ModelRegistry, StakeVault, Rounds, Judge, Disputes.
    constructor(bytes32[6] memory codeHashes) {
        _codeHashes = codeHashes;
    }

    /// @inheritdoc IDeployer
    function deployNext(bytes calldata creationCode) external returns (address at) {
        uint256 index = next;
        bytes32 got = keccak256(creationCode);

        if (index == COUNT) revert AllDeployed();
        if (got != _codeHashes[index]) revert WrongCode(index, _codeHashes[index], got);

        next = index + 1;

        emit ContractDeployed(index, _addressAt(index));

        // The one that needs no sibling has no constructor, and does not see the words behind its code.
        bytes memory initCode = abi.encodePacked(creationCode, abi.encode(addresses()));
        // Solidity has no expression that creates a contract from bytes.
        assembly ("memory-safe") {
            at := create(0, add(initCode, 32), mload(initCode))
        }
        if (at == address(0)) revert CreationFailed(index);
    }

    /// @inheritdoc IDeployer
    function codeHashOf(uint256 index) external view returns (bytes32) {
        return _codeHashes[index];
    }

    /// @inheritdoc IDeployer
    function addresses() public view returns (Addresses memory) {
        return Addresses({
            tasks: ITaskRegistry(_addressAt(0)),
            models: IModelRegistry(_addressAt(1)),
            vault: IStakeVault(_addressAt(2)),
            rounds: IRounds(_addressAt(3)),
            judge: IJudge(_addressAt(4)),
            disputes: IDisputes(_addressAt(5))
        });
    }

    /// @dev Address of the contract that this one creates with nonce index + 1: the RLP of (address, nonce below 128), hashed.
    function _addressAt(uint256 index) private view returns (address) {
        bytes32 digest = keccak256(abi.encodePacked(bytes2(0xd694), address(this), uint8(index + 1)));
        return address(uint160(uint256(digest)));
    }
}
