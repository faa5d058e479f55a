// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RoundId} from "./IRounds.sol";
import {VersionId} from "./IModelRegistry.sol";
import {Opening, Verdict} from "./IJudge.sol";
import {SealedItem} from "../libraries/Seals.sol";

/// @notice One sealed item, opened with its texts as hashes: only who has its salt can show it.
struct SetOpening {
    SealedItem item;
    bytes32[] path;
}

/// @notice An Ask as the round's operator signed it.
struct SignedAsk {
    VersionId version;
    uint32 position;
    bytes32 promptHash;
    uint40 answerUntil;
    bytes signature;
}

/// @notice An Answer as the version's operator signed it.
struct SignedAnswer {
    bytes32 promptHash;
    bytes32 responseHash;
    bytes signature;
}

/// @notice What became of a demand.
enum DemandState {
    None, // Nobody demanded this position.
    Open, // Demanded; the fee is locked. Past its deadline it can be expired.
    Answered, // A Sound opening was shown in time.
    Reclaimed // Never answered; the fee is its demander's again.
}

/// @notice A demand, in one slot. Unix seconds.
struct Demand {
    address demander;
    uint40 deadline;
    DemandState state;
}

/// @title IDisputes
/// @notice Turns proofs into faults, and keeps the demands. Anyone may bring a proof; half of the bond is the reward.
/// @dev A round is slashed once, by the first proof, before Final, and never while it is Void, Forfeited or Slashed: all proofs revert
/// then with what `IRounds.slash` reverts with. Proofs name nobody but their caller as the receiver of the reward.
/// @dev Warning: a proof in a public mempool can be copied. The guilty party pays all the same.
interface IDisputes {
    /// @notice An opening proved a fault.
    event Challenged(
        RoundId indexed round, VersionId indexed version, uint32 indexed position, Verdict verdict, address challenger
    );
    /// @notice Somebody wants to see a position; `deadline` is the new end of the round's queue.
    event Demanded(RoundId indexed round, VersionId indexed version, uint32 indexed position, address demander, uint40 deadline);
    /// @notice A Sound opening was shown in time: the answerer got `reward` of the fee, and `burned` is gone.
    event DemandAnswered(
        RoundId indexed round,
        VersionId indexed version,
        uint32 indexed position,
        address answerer,
        uint256 reward,
        uint256 burned
    );
    /// @notice No Sound opening was shown in time; the round is slashed.
    event DemandExpired(RoundId indexed round, VersionId indexed version, uint32 indexed position, address demander);
    /// @notice The fee of an unanswered demand is its demander's again.
    event FeeReclaimed(RoundId indexed round, VersionId indexed version, uint32 indexed position, address demander);

    /// @notice The opening proves no fault.
    error NoFault(Verdict verdict);
    /// @notice The leaf is not the Silent leaf of a Scored item.
    error NotSilent(RoundId round, VersionId version, uint32 position);
    /// @notice The Ask asks what is sealed at its position.
    error AskedAsSealed(RoundId round, uint32 position);
    /// @notice The opened item stands at another position than the Ask names.
    error OtherPosition(uint256 expected, uint256 got);
    /// @notice The item is no Scored item.
    error NotScored(RoundId round, uint32 position);
    /// @notice Two rounds are needed.
    error SameRound(RoundId round);
    /// @notice The rounds have different benchmarkers.
    error OtherBenchmarker(address one, address other);
    /// @notice The prompts differ.
    error OtherPrompt(bytes32 one, bytes32 other);
    /// @notice The round was sealed before the other one.
    error NotLater(RoundId round, RoundId other);
    /// @notice The two Answers are the same.
    error SameAnswer(bytes32 promptHash, bytes32 responseHash);
    /// @notice The position was demanded before.
    error AlreadyDemanded(RoundId round, VersionId version, uint32 position);
    /// @notice There is no such demand, or it was answered or reclaimed.
    error NoOpenDemand(RoundId round, VersionId version, uint32 position);
    /// @notice The opening is no answer: its verdict is not Sound.
    error NotSound(Verdict verdict);
    /// @notice The demand's deadline has passed.
    error AnswerTooLate(uint256 now_, uint256 deadline);
    /// @notice The demand's deadline has not passed.
    error ExpiredTooEarly(uint256 now_, uint256 deadline);

    /// @notice Brings an opened item whose verdict is a fault; slashes the round.
    /// @dev Requirements: anyone; from the attestation until Final. Any verdict but Sound, NotSealed and NotAttested slashes.
    function challenge(RoundId round, VersionId version, Opening calldata opening) external returns (Verdict);

    /// @notice Brings the Silent leaf of a Scored item and an Ack for it; slashes the round.
    /// @dev Requirements: anyone; from the attestation until Final; the leaf stands under both roots; the Ack is the round's operator's.
    function challengeAck(
        RoundId round,
        VersionId version,
        Opening calldata opening,
        bytes32 responseHash,
        bytes calldata ackSignature
    ) external;

    /// @notice Brings an Ask that is not the sealed question, or is beyond the set; slashes the round.
    /// @dev Requirements: anyone; until Final; an enrolled version; the Ask is the round's operator's. `sealedItem` is the item at the Ask's
    /// position, and not looked at where that is beyond the set.
    function challengeAsk(RoundId round, SignedAsk calldata ask, SetOpening calldata sealedItem) external;

    /// @notice Brings one Scored prompt in two rounds of one benchmarker; slashes the later or, if that one is Final, the other.
    /// @dev Requirements: anyone; until the round to be slashed is Final; neither round is Void. Later is by `sealedAt`, then by id.
    function challengeReuse(RoundId one, SetOpening calldata inOne, RoundId other, SetOpening calldata inOther) external;

    /// @notice As `challengeReuse`, where the earlier round was Slashed or Forfeited: an Ask of it serves in place of its opening.
    /// @dev Requirements: anyone; until `round` is Final; the Ask is the earlier round's operator's, to a version enrolled there.
    function challengeReuseByAsk(RoundId round, SetOpening calldata sealedItem, RoundId earlier, SignedAsk calldata ask) external;

    /// @notice Brings an item of a set that is still secret; slashes the round. Only a leak can produce the salt.
    /// @dev Requirements: anyone; phase Answering.
    function challengeLeak(RoundId round, SetOpening calldata sealedItem) external;

    /// @notice Brings two different Answers for one position; takes the version's bond, a tenth of it for the caller.
    /// @dev Requirements: anyone; before `versionsReleasedAt`, whatever the phase; both are the version's operator's; once. Different is
    /// another prompt or another response. Score and phase stand.
    function challengeAnswers(
        RoundId round,
        VersionId version,
        uint32 position,
        SignedAnswer calldata one,
        SignedAnswer calldata other
    ) external;

    /// @notice Demands that a position be opened, for the task's fee, locked on the caller's account.
    /// @dev Requirements: anyone that allowed itself in the vault; the first half of the challenge window; an enrolled version; a position
    /// in the set; each once.
    /// @return deadline Before it a Sound opening must be shown.
    function demand(RoundId round, VersionId version, uint32 position) external returns (uint40 deadline);

    /// @notice Answers the demand of the opening's position; half of the fee to the caller, half burned.
    /// @dev Requirements: anyone; phase Challenging; before the demand's deadline; the verdict is Sound.
    function answerDemand(RoundId round, VersionId version, Opening calldata opening) external;

    /// @notice Slashes the round for a demand that passed its deadline unanswered; the reward is the demander's.
    /// @dev Requirements: anyone; from the demand's deadline until Final.
    function expire(RoundId round, VersionId version, uint32 position) external;

    /// @notice Frees the fee of an unanswered demand to its demander.
    /// @dev Requirements: anyone; phase Slashed, or Final where nobody expired the demand; once.
    function reclaim(RoundId round, VersionId version, uint32 position) external;

    /// @notice The demand of a position; all zero if there is none.
    function demandOf(RoundId round, VersionId version, uint32 position) external view returns (Demand memory);
}
