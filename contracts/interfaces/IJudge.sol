// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RoundId} from "./IRounds.sol";
import {VersionId} from "./IModelRegistry.sol";

/// @notice What the chain says of an opened item.
enum Verdict {
    Sound, // All of it holds.
    NotSealed, // The set path does not lead to the sealed root.
    NotAttested, // The sum path does not lead to the attested root.
    WrongKind, // The outcome is Decoy without a Decoy kind, or the other way round, or there is no such kind or outcome.
    WrongReceipt, // The signature is not the provider's over exactly this exchange.
    WrongStatistics, // Counts or statistics are not what the metric measures, or padding counts.
    TooLong, // A text is over the cap.
    Malformed, // A Silent or Decoy leaf that carries something.
    Dropped // Silent, and an answer was posted.
}

/// @notice One sibling on the path through a score tree, from the leaf up.
struct Sibling {
    bytes32 hash;
    uint256[] sums;
}

/// @notice One item of a round, opened: the sealed leaf with its path, the attested leaf with its path.
/// @dev `kind`: 0 Scored, 1 Decoy. `outcome`: 0 Answered, 1 Silent, 2 Decoy. `seed` is the reader's own and changes no result.
struct Opening {
    uint32 position;
    uint8 kind;
    bytes prompt;
    bytes referenceText;
    bytes32 salt;
    bytes32[] setPath;
    uint8 outcome;
    bytes response;
    bytes answerSignature;
    bytes evidence;
    uint256[] sums;
    Sibling[] sumPath;
    uint256 seed;
}

/// @title IJudge
/// @notice One function with three uses: a reader's check, a challenger's proof, a demand's answer.
interface IJudge {
    /// @notice Judges an opened item of an enrolled version.
    /// @dev Reverts on positions beyond the set and on wrong lengths. Then NotSealed, then NotAttested: only what stands under both roots
    /// can be a fault. Then, in this order: WrongKind, Malformed, TooLong, WrongReceipt, WrongStatistics, Dropped.
    function judge(RoundId round, VersionId version, Opening calldata opening) external view returns (Verdict);
}
