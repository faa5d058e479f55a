// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RoundId} from "./IRounds.sol";
import {VersionId} from "./IModelRegistry.sol";
import {Opening, Verdict} from "./IJudge.sol";

/// @title IDisputes
/// @notice Turns proofs into faults. Anyone may bring one; half of the bond is the reward.
interface IDisputes {
    /// @notice An opening proved a fault.
    event Challenged(
        RoundId indexed round, VersionId indexed version, uint32 indexed position, Verdict verdict, address challenger
    );

    /// @notice The opening proves no fault.
    error NoFault(Verdict verdict);

    /// @notice Brings an opened item whose verdict is a fault; slashes the round.
    /// @dev Requirements: anyone; from the attestation until Final. Any verdict but Sound, NotSealed and NotAttested slashes.
    function challenge(RoundId round, VersionId version, Opening calldata opening) external returns (Verdict);
}
