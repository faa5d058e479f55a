// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev All that a round's phase and its end need of a task, in one word, as the registry stores it: the windows to answer, post, attest,
/// reveal and challenge, 32 bits each, lowest first, and then the round bond.
type RoundTerms is uint256;

using Terms for RoundTerms global;

/// @title Terms
/// @notice Reads RoundTerms. Windows are in seconds, the bond is in wei.
/// @dev A word and not a struct: every question about a phase hands it from contract to contract, and a struct costs five times as much.
library Terms {
    function answerWindow(RoundTerms terms) internal pure returns (uint256) {
        return uint32(RoundTerms.unwrap(terms));
    }

    function postWindow(RoundTerms terms) internal pure returns (uint256) {
        return uint32(RoundTerms.unwrap(terms) >> 32);
    }

    function attestWindow(RoundTerms terms) internal pure returns (uint256) {
        return uint32(RoundTerms.unwrap(terms) >> 64);
    }

    function revealWindow(RoundTerms terms) internal pure returns (uint256) {
        return uint32(RoundTerms.unwrap(terms) >> 96);
    }

    function challengeWindow(RoundTerms terms) internal pure returns (uint256) {
        return uint32(RoundTerms.unwrap(terms) >> 128);
    }

    function bond(RoundTerms terms) internal pure returns (uint256) {
        return RoundTerms.unwrap(terms) >> 160;
    }
}
