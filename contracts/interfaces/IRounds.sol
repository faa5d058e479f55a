// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TaskId} from "./ITaskRegistry.sol";
import {VersionId} from "./IModelRegistry.sol";

/// @dev Hash of a round's chain, contract, benchmarker, task, set root, size and operator.
type RoundId is bytes32;

/// @notice Where a round stands. Derived from stored times at every call, never stored.
enum Phase {
    Unknown, // No such round.
    Answering, // Sealed: enrol, ask, answer, acknowledge, post.
    Attesting, // Past answerBy: the enrolled versions are being attested.
    Revealing, // All enrolled versions are attested; the bundle is due by revealBy.
    Challenging, // Revealed: anyone checks, challenges, demands.
    Final, // The scores stand.
    Void, // Nobody was enrolled by answerBy: the bond is free, nothing is revealed.
    Forfeited, // A deadline was missed.
    Slashed // A fault was proven.
}

/// @notice Why a round was slashed.
enum Fault {
    None, // No fault was proven.
    WrongKind, // A leaf's outcome contradicts the sealed kind.
    WrongReceipt, // An Answered leaf without the provider's signature over exactly this exchange.
    WrongStatistics, // A leaf's sums are not what the metric measures, or padding counts.
    TooLong, // A text over the cap.
    Malformed, // A Silent or Decoy leaf that carries something.
    Dropped, // A Silent leaf where an answer was posted.
    AckDropped, // A Silent leaf where the benchmarker had acknowledged an answer.
    WrongAsk, // Another question was asked than the sealed one, or one beyond the set.
    Reused, // A question that another round of the benchmarker had scored.
    Leaked, // A sealed item was opened before answerBy.
    Unanswered // A demand passed its deadline without a Sound opening.
}

/// @notice What a version has in a round.
enum Standing {
    None, // Not enrolled.
    Enrolled, // Bound to be attested.
    Scored, // Attested, with a score.
    Incomplete, // Attested with more silence than the task allows: no score.
    Struck // The round was slashed or forfeited: no score of it counts.
}

/// @notice Facts of a round.
struct Round {
    bytes32 setRoot;
    TaskId task;
    address benchmarker;
    address operator;
    uint32 items;
    uint40 sealedAt;
    uint40 revealedAt;
    uint32 enrolled;
    uint32 attested;
    Fault fault;
    bytes32 bundleDigest;
}

/// @notice What a round's seal fixed, in three slots: what a proof needs of it. `task` is the task's number.
struct Seal {
    bytes32 setRoot;
    address benchmarker;
    address operator;
    uint32 items;
    uint32 task;
    uint40 sealedAt;
}

/// @notice The deadlines of a round, all fixed at its seal. Unix seconds.
struct Deadlines {
    uint40 answerBy;
    uint40 attestBy;
    uint40 revealBy;
    uint40 versionsReleasedAt;
}

/// @notice A score with all that a reader needs to judge it.
/// @dev `score`: 1e18 is perfect; zero unless `standing` is Scored.
struct ScoreView {
    Phase phase;
    Standing standing;
    uint256 score;
    uint32 answered;
    uint32 silent;
    uint32 decoys;
}

/// @notice Claimed score tree of one version: hash and sums of its root.
struct Attestation {
    VersionId version;
    bytes32 rootHash;
    uint256[] sums;
}

/// @notice One attested item and all that its statistics follow from: what else it carries comes as hashes.
/// @dev `sumPath` holds, level by level, a sibling's hash and then its words of sums. `kind`, `outcome` and `seed` as in an Opening.
struct Measurement {
    uint32 position;
    uint8 kind;
    uint8 outcome;
    uint256 seed;
    bytes32 promptHash;
    bytes32 salt;
    bytes32 signatureHash;
    bytes referenceText;
    bytes response;
    bytes evidence;
    bytes32[] setPath;
    uint256[] sums;
    uint256[] sumPath;
}

/// @notice Why a version was not enrolled.
enum Skip {
    Unknown, // Never committed.
    CommittedTooLate, // Not committed before the seal.
    AlreadyEnrolled, // Enrolled before.
    WrongSignature, // Not the Enrol signature of the version's operator.
    NoStake // The provider lacks free money or allowance.
}

/// @notice A posted answer: an Ask, the Answer to it and its full text.
struct PostedAnswer {
    VersionId version;
    uint32 position;
    bytes32 promptHash;
    uint40 answerUntil;
    bytes response;
    bytes askSignature;
    bytes answerSignature;
}

/// @title IRounds
/// @notice Keeps the facts of every round and derives its phase. Money moves in the vault, faults come from Disputes, but for wrong
/// statistics, which are judged where the scores are.
interface IRounds {
    /// @notice A set was sealed and a round began.
    event Sealed(
        RoundId indexed round,
        address indexed benchmarker,
        TaskId indexed task,
        address operator,
        bytes32 setRoot,
        uint32 items,
        bytes32 cardDigest
    );
    /// @notice A version was enrolled: it will be attested, or the bond is lost.
    event Enrolled(RoundId indexed round, VersionId indexed version);
    /// @notice A version could not be enrolled.
    event EnrolSkipped(RoundId indexed round, VersionId indexed version, Skip reason);
    /// @notice An answer was posted with its full text, so that nobody can say it was withheld.
    event AnswerPosted(
        RoundId indexed round,
        VersionId indexed version,
        uint32 indexed position,
        bytes32 promptHash,
        bytes response,
        bytes answerSignature
    );
    /// @notice The score tree of a version was attested.
    event Attested(
        RoundId indexed round, VersionId indexed version, bytes32 rootHash, uint256[] sums, uint256 score, bool complete
    );
    /// @notice The bundle was revealed; the CID is version 1, dag-pb, sha2-256 over this digest.
    event Revealed(RoundId indexed round, bytes32 bundleDigest);
    /// @notice A missed deadline was paid for: the caller got `reward` of the bond, and `burned` is gone.
    event RoundForfeited(RoundId indexed round, address indexed caller, uint256 reward, uint256 burned);
    /// @notice A proven fault ended the round: the challenger got `reward` of the bond, and `burned` is gone.
    event RoundSlashed(RoundId indexed round, Fault fault, address indexed challenger, uint256 reward, uint256 burned);
    /// @notice The round bond became free.
    event RoundReleased(RoundId indexed round);
    /// @notice A version bond became free.
    event VersionReleased(RoundId indexed round, VersionId indexed version);
    /// @notice Two different Answers took a version bond: the challenger got `reward`, and `burned` is gone. Score and phase stand.
    event VersionSlashed(
        RoundId indexed round, VersionId indexed version, address indexed challenger, uint256 reward, uint256 burned
    );

    /// @notice No such round.
    error UnknownRound(RoundId round);
    /// @notice The same seal exists already.
    error AlreadySealed(RoundId round);
    /// @notice A set has at least one item and at most the task's limit.
    error WrongSize(uint256 items, uint256 maxItems);
    /// @notice Only the round's operator may do this.
    error NotOperator(RoundId round, address caller);
    /// @notice Only the round's operator or its benchmarker may do this.
    error NotBenchmarker(RoundId round, address caller);
    /// @notice Only Disputes may mark a fault, take a version bond or queue a demand.
    error NotDisputes(address caller);
    /// @notice The round is in another phase than this needs.
    error WrongPhase(RoundId round, Phase phase);
    /// @notice As many signatures as versions are needed.
    error LengthMismatch(uint256 versions, uint256 signatures);
    /// @notice The version is not enrolled in this round.
    error NotEnrolled(RoundId round, VersionId version);
    /// @notice The version was attested before.
    error AlreadyAttested(RoundId round, VersionId version);
    /// @notice Sums have one word of counts and the metric's words.
    error WrongSums(uint256 expected, uint256 got);
    /// @notice Answered, Silent and Decoy do not add up to the set, or the word of counts holds more than them.
    error WrongCounts(uint256 counts, uint256 items);
    /// @notice The metric's score is above 1e18.
    error ScoreOutOfRange(uint256 score);
    /// @notice The position is not in the set.
    error PositionOutOfRange(uint256 position, uint256 items);
    /// @notice A path or the sums have another length than the round asks for.
    error WrongLength(uint256 expected, uint256 got);
    /// @notice The item does not lead to the round's sealed root.
    error NotSealedHere(RoundId round, uint32 position);
    /// @notice The item does not lead to the version's attested root.
    error NotAttestedHere(RoundId round, VersionId version, uint32 position);
    /// @notice Count and statistics of the item are what they must be.
    error StatisticsHold(RoundId round, VersionId version, uint32 position);
    /// @notice The text is over the task's cap.
    error TextTooLong(uint256 bytes_, uint256 maxBytes);
    /// @notice The answer was posted after its window.
    error PostTooLate(uint256 now_, uint256 deadline);
    /// @notice An answer was posted there before; the first counts.
    error AlreadyPosted(RoundId round, VersionId version, uint32 position);
    /// @notice The signature is not that of the named key.
    error WrongSigner(address expected);
    /// @notice The first half of the challenge window is over.
    error DemandTooLate(uint256 now_, uint256 deadline);
    /// @notice The version bond was taken before, or is free.
    error NothingToSlash(RoundId round, VersionId version);
    /// @notice The bond was settled before, or is not yet free.
    error NothingToRelease(RoundId round);

    /// @notice Seals a set and begins a round; the caller becomes its operator for ever.
    /// @dev Requirements: an operator that the benchmarker allowed in the vault; a registered task; a new round id.
    function seal(address benchmarker, TaskId task, bytes32 setRoot, uint32 items, bytes32 cardDigest) external returns (RoundId);

    /// @notice Enrols versions with their providers' Enrol signatures. One that cannot be enrolled is skipped with an event.
    /// @dev Requirements: the round's operator; phase Answering.
    function enrol(RoundId round, VersionId[] calldata versions, bytes[] calldata signatures) external;

    /// @notice Posts an answer with its Ask and full text, where acknowledgements stay away.
    /// @dev Requirements: anyone; before min(answerUntil + postWindow, answerBy); an enrolled version; nothing posted there before.
    function postAnswer(RoundId round, PostedAnswer calldata answer) external;

    /// @notice Attests score trees of enrolled versions, each once; the metric computes the scores.
    /// @dev Requirements: the round's operator or benchmarker; phase Attesting.
    function attest(RoundId round, Attestation[] calldata attestations) external;

    /// @notice Publishes the bundle's digest and opens the challenge window.
    /// @dev Requirements: the round's operator or benchmarker; phase Revealing.
    function reveal(RoundId round, bytes32 bundleDigest) external;

    /// @notice Takes the bond of a round that missed a deadline: half to the caller, half burned.
    /// @dev Requirements: anyone; phase Forfeited; once.
    function forfeit(RoundId round) external;

    /// @notice Frees the round bond.
    /// @dev Requirements: anyone; phase Final or Void; once.
    function release(RoundId round) external;

    /// @notice Frees version bonds; versions whose bond is already settled are passed over.
    /// @dev Requirements: anyone; from `versionsReleasedAt` on, whatever the phase.
    function releaseVersions(RoundId round, VersionId[] calldata versions) external;

    /// @notice Brings an attested item whose count or statistics are wrong; slashes the round: half of the bond to the caller, half burned.
    /// @dev Requirements: anyone; from the attestation until Final; the item stands under both roots. What the item is signed with does not
    /// matter here: wrong statistics are a fault beside any other.
    function challengeStatistics(RoundId round, VersionId version, Measurement calldata measurement) external;

    /// @notice Marks a proven fault and takes the round bond: half to the challenger, half burned.
    /// @dev Requirements: Disputes; phase before Final, not Void, Forfeited or Slashed.
    function slash(RoundId round, Fault fault, address challenger) external;

    /// @notice Takes the bond of a version for one round: a tenth to the challenger, the rest burned. Score and phase stand.
    /// @dev Requirements: Disputes; an enrolled version; before `versionsReleasedAt`; once.
    function slashVersion(RoundId round, VersionId version, address challenger) external;

    /// @notice Puts a demand at the end of the round's queue, which moves Final with it.
    /// @dev Requirements: Disputes; phase Challenging, in the first half of the challenge window; an enrolled version; a position in the set.
    /// @return deadline max(now + demandWindow, end of the queue + 60 s), the new end of the queue.
    /// @return fee The task's fee for a demand.
    function queueDemand(RoundId round, VersionId version, uint32 position) external returns (uint40 deadline, uint64 fee);

    /// @notice Where a round stands now.
    function phaseOf(RoundId round) external view returns (Phase);

    /// @notice A version's score in a round, with phase and counts.
    function scoreOf(RoundId round, VersionId version) external view returns (ScoreView memory);

    /// @notice Facts of a round; all zero if unknown.
    function roundOf(RoundId round) external view returns (Round memory);

    /// @notice What a proof needs of a round; reverts for an unknown one.
    function sealOf(RoundId round) external view returns (Seal memory);

    /// @notice Whether a version is enrolled in a round, whatever became of it.
    function isEnrolled(RoundId round, VersionId version) external view returns (bool);

    /// @notice Deadlines of a round; reverts for an unknown one.
    function deadlinesOf(RoundId round) external view returns (Deadlines memory);

    /// @notice When the challenge window closes, and the last deadline of its demands; zeros before the reveal, and zero without a demand.
    /// @dev finalAt = max(revealedAt + challengeWindow, queueEnd + challengeWindow / 2, rounded down). A demand moves it.
    function closingOf(RoundId round) external view returns (uint40 finalAt, uint40 queueEnd);

    /// @notice Commitment to an attested root: keccak256(abi.encodePacked(rootHash, sums)); zero before it is attested.
    function commitmentOf(RoundId round, VersionId version) external view returns (bytes32);

    /// @notice Hash of the response posted first at a position, and whether one was posted.
    function postedOf(RoundId round, VersionId version, uint32 position) external view returns (bool posted, bytes32 responseHash);

    /// @notice EIP-712 domain separator of the live chain.
    function domainSeparator() external view returns (bytes32);
}
