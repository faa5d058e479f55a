// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {VersionId} from "../interfaces/IModelRegistry.sol";
import {RoundId} from "../interfaces/IRounds.sol";

/// @title Receipts
/// @notice The four signed statements (EIP-712) and the one rule for signatures.
/// @dev Mirrored in Python; the two are tied by shared vectors.
library Receipts {
    bytes32 internal constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant ENROL = keccak256("Enrol(bytes32 round,bytes32 version)");
    bytes32 internal constant ASK =
        keccak256("Ask(bytes32 round,bytes32 version,uint32 position,bytes32 promptHash,uint40 answerUntil)");
    bytes32 internal constant ANSWER =
        keccak256("Answer(bytes32 round,bytes32 version,uint32 position,bytes32 promptHash,bytes32 responseHash)");
    bytes32 internal constant ACK = keccak256("Ack(bytes32 round,bytes32 version,uint32 position,bytes32 responseHash)");

    /// @dev Half of the order of secp256k1. Above it a signature has a twin below it.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Domain of the live chain and the contract `rounds`. Never cached, so that a split chain has its own.
    function domainSeparator(address rounds) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, keccak256("Assay"), keccak256("1"), block.chainid, rounds));
    }

    /// @notice What a provider's operator signs to sit a round.
    function enrolDigest(bytes32 domain, RoundId round, VersionId version) internal pure returns (bytes32) {
        return _digest(domain, keccak256(abi.encode(ENROL, round, version)));
    }

    /// @notice What a benchmarker's operator signs to ask.
    function askDigest(bytes32 domain, RoundId round, VersionId version, uint32 position, bytes32 promptHash, uint40 answerUntil)
        internal
        pure
        returns (bytes32)
    {
        return _digest(domain, keccak256(abi.encode(ASK, round, version, position, promptHash, answerUntil)));
    }

    /// @notice What a provider's operator signs to answer.
    function answerDigest(
        bytes32 domain,
        RoundId round,
        VersionId version,
        uint32 position,
        bytes32 promptHash,
        bytes32 responseHash
    ) internal pure returns (bytes32) {
        return _digest(domain, keccak256(abi.encode(ANSWER, round, version, position, promptHash, responseHash)));
    }

    /// @notice What a benchmarker's operator signs to acknowledge an answer.
    function ackDigest(bytes32 domain, RoundId round, VersionId version, uint32 position, bytes32 responseHash)
        internal
        pure
        returns (bytes32)
    {
        return _digest(domain, keccak256(abi.encode(ACK, round, version, position, responseHash)));
    }

    /// @notice Whether `signer` signed the digest, by the one rule: 65 bytes, v 27 or 28, low s, signer not zero.
    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        address recovered = recover(digest, signature);
        return recovered != address(0) && recovered == signer;
    }

    /// @notice Signer of a digest; zero where the signature breaks the rule.
    /// @dev A call that is starved of gas inside the precompile reverts, it does not return zero.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);

        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > MAX_S || (v != 27 && v != 28)) return address(0);

        return ecrecover(digest, v, r, s);
    }

    function _digest(bytes32 domain, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes2(0x1901), domain, structHash));
    }
}
