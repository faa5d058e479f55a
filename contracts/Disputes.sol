// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses} from "./interfaces/IDeployer.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {IJudge, Opening, Verdict} from "./interfaces/IJudge.sol";
import {VersionId} from "./interfaces/IModelRegistry.sol";
import {Fault, IRounds, RoundId} from "./interfaces/IRounds.sol";

/// @title Disputes
/// @notice Turns proofs into faults; see IDisputes.
contract Disputes is IDisputes {
    IRounds private immutable _rounds;
    IJudge private immutable _judge;

    constructor(Addresses memory all) {
        _rounds = all.rounds;
        _judge = all.judge;
    }

    /// @inheritdoc IDisputes
    function challenge(RoundId round, VersionId version, Opening calldata opening) external returns (Verdict verdict) {
        verdict = _judge.judge(round, version, opening);

        Fault fault = _faultOf(verdict);

        emit Challenged(round, version, opening.position, verdict, msg.sender);

        _rounds.slash(round, fault, msg.sender);
    }

    /// @dev The verdicts after NotAttested are the faults after None, in the same order.
    function _faultOf(Verdict verdict) private pure returns (Fault) {
        if (verdict <= Verdict.NotAttested) revert NoFault(verdict);
        return Fault(uint8(verdict) - uint8(Verdict.NotAttested));
    }
}
