"""What every error, event and enum value of the contracts means, and what to do next. A table, by kind and name."""

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["ERRORS", "MEANINGS", "Meaning"]


class Meaning(NamedTuple):
    """One sentence of what it says, and one of what to do next."""

    says: str
    then: str


ERRORS = {
    "AlreadyDemanded": Meaning("This position was demanded before.", "nothing to do: one demand a position is enough"),
    "AnswerTooLate": Meaning("The deadline of this demand has passed.", "nothing to do: whoever demanded may let it expire"),
    "AskedAsSealed": Meaning("The Ask asks exactly what is sealed at its position.", "nothing to challenge: the Ask is right"),
    "DemandTooLate": Meaning(
        "The first half of the challenge window is over.",
        "too late: demands end with that half; open faults can still be challenged",
    ),
    "ExpiredTooEarly": Meaning("The deadline of this demand has not passed.", "wait for it; until then anyone may answer"),
    "NoOpenDemand": Meaning("There is no such demand, or it is settled.", "nothing to do: nobody waits for this position"),
    "NotLater": Meaning("The round was sealed before the other one.", "name the later round first: it is the one at fault"),
    "NotScored": Meaning("The item is no Scored item.", "nothing to challenge: decoys may come again"),
    "NotSealedHere": Meaning(
        "The item does not lead to the sealed root of the round.", "open it from the round's own bundle: assay open"
    ),
    "NotAttestedHere": Meaning(
        "The item does not lead to the attested root of the version.", "open it from the round's own bundle: assay open"
    ),
    "NotSilent": Meaning("The leaf is not the Silent leaf of a Scored item.", "nothing to challenge: the answer was not dropped"),
    "NotSound": Meaning(
        "The opening is no answer to a demand: its verdict is not Sound.", "open the item from the round's own bundle: assay open"
    ),
    "NothingToSlash": Meaning("The bond of the version was taken before, or is free.", "nothing to challenge any more"),
    "OtherBenchmarker": Meaning(
        "The rounds have different benchmarkers.", "nothing to challenge: only one's own questions may not come again"
    ),
    "OtherPosition": Meaning(
        "The opened item stands at another position than the Ask names.", "open the item at the position of the Ask"
    ),
    "OtherPrompt": Meaning("The prompts differ.", "nothing to challenge: the questions are not the same"),
    "SameAnswer": Meaning("The two Answers are the same.", "nothing to challenge: repeating an answer is right"),
    "StatisticsHold": Meaning(
        "Count and statistics of the item are what they must be.",
        "nothing to challenge there; another fault of the item goes by Disputes: assay challenge",
    ),
    "SameRound": Meaning("Two rounds are needed.", "name another round of the same benchmarker"),
    "AllDeployed": Meaning("All six contracts stand already.", "nothing to do: use the deployment as it is"),
    "AlreadyAttested": Meaning(
        "This version was attested in this round before.", "nothing to do: this version was attested before"
    ),
    "AlreadyPosted": Meaning(
        "An answer was posted at this position before.", "nothing to do: the first answer that was posted counts"
    ),
    "AlreadySealed": Meaning("The same seal exists.", "nothing to do: the round exists; see `assay bench show`"),
    "AmountTooLarge": Meaning(
        "A deposit would bring the account to 2^84 wei, a reward to 2^85, or the limit has more than 128 bits.",
        "check the amount: it is in wei unless a unit is named",
    ),
    "CapTooLarge": Meaning(
        "The text cap of the task is zero, or above what its metric can check.", "lower caps.max_bytes in the task file"
    ),
    "ChallengeWindowTooShort": Meaning(
        "The challenge window leaves no time to find a wrong inner sum by demands.",
        "lengthen windows.challenge in the task file to `least`, or shorten windows.demand",
    ),
    "CreationFailed": Meaning(
        "A contract could not be created: out of gas, or a chain without these opcodes.",
        "give more gas, or choose a chain at the Cancun rules or later",
    ),
    "Error": Meaning("The code gave a reason in words.", "read the reason; it comes from code that is not ours"),
    "InsufficientFree": Meaning(
        "The owner has less free stake than this locks or withdraws.",
        "deposit more: assay bench deposit (benchmarkers) or assay provider deposit (providers)",
    ),
    "LengthMismatch": Meaning("Each version needs one signature, and the counts differ.", "give as many signatures as versions"),
    "NoFault": Meaning("The opening proves no fault.", "nothing to challenge: the opening proves no fault"),
    "NoOperator": Meaning("A version needs an operator, and the zero address is none.", "name the key that signs: --operator"),
    "NotAllowed": Meaning(
        "The owner did not allow this operator to lock stake, or not so much; what it lost for good stays used of its limit.",
        "let the owner allow what would be used, at least: assay bench allow, or assay provider allow",
    ),
    "NotAuthorised": Meaning(
        "The caller is neither the model's owner nor an operator that the owner allowed.",
        "sign with the owner's key, or let the owner allow this operator: assay provider allow",
    ),
    "NotBenchmarker": Meaning(
        "Only the round's operator or its benchmarker may do this.", "sign with the round's operator key or its benchmarker's"
    ),
    "NotDisputes": Meaning("Only the contract Disputes marks a fault.", "bring the proof there: assay challenge"),
    "NotEnrolled": Meaning("The version is not enrolled in this round.", "name a version that is enrolled in this round"),
    "NotOperator": Meaning("Only the round's operator may do this.", "sign with the operator key that sealed the round"),
    "NotSettlement": Meaning(
        "Only Rounds and Disputes move locked stake.", "wait until it is free: assay bench release, or assay provider release"
    ),
    "NothingToRelease": Meaning(
        "The bond was settled before, or is not free yet.",
        "wait until the bond is free, or see whether it was released before",
    ),
    "Panic": Meaning("The code hit a defect of its own: the number is Solidity's panic code.", "report it with the call"),
    "PositionOutOfRange": Meaning("The set has no such position.", "count from zero, below the number of items"),
    "PostTooLate": Meaning(
        "The window in which this answer could be posted is over.", "too late: an answer is posted before the end of its window"
    ),
    "PostWindowTooLong": Meaning(
        "The post window is not shorter than the answer window, so no answer could ever be posted.",
        "shorten windows.post in the task file, or lengthen windows.answer",
    ),
    "RegistryFull": Meaning("All numbers of tasks are taken.", "use a task that is registered: assay task list"),
    "ScoreOutOfRange": Meaning("The metric's score is above a perfect one.", "do not use this task: its metric is broken"),
    "SilenceTooLarge": Meaning("All of a set may not be silence.", "lower caps.max_silence_bps below 10000"),
    "TextTooLong": Meaning("The text is over the task's cap.", "shorten the text to the task's max_bytes"),
    "TooMuchText": Meaning(
        "Items times bytes reach 2^28, or there are no items.", "lower caps.max_items or caps.max_bytes in the task file"
    ),
    "TransferFailed": Meaning("The receiver of a withdrawal refused the money.", "withdraw to another address: --to ADDRESS"),
    "UnknownModel": Meaning("The model was never registered.", "register the model first: assay provider register"),
    "UnknownNumber": Meaning("There is no task with this number.", "see which there are: assay task list"),
    "UnknownRound": Meaning("This chain knows no such round.", "check the round's id and the chain: --rpc and --deployment"),
    "UnknownTask": Meaning("The task was never registered.", "register the task first: assay task register"),
    "UnknownVersion": Meaning("The version was never committed.", "commit the version first: assay provider commit-version"),
    "WindowOutOfRange": Meaning(
        "A window of the task is below one second or above 180 days.", "mend the windows in the task file"
    ),
    "WrongCode": Meaning(
        "The creation code is not the one that the deployer pins.", "deploy with the code of this release: assay deploy"
    ),
    "WrongCounts": Meaning(
        "Answered, Silent and Decoy do not add up to the size of the set.", "score again: assay bench score, then attest"
    ),
    "WrongLength": Meaning(
        "A path or the sums of the opening have another length than the round asks for.",
        "make the opening from the round's own bundle: assay open",
    ),
    "WrongMetricWords": Meaning(
        "The metric has another number of words than the task says.", "register the task again with this release"
    ),
    "WrongPhase": Meaning(
        "The round is in another phase than this needs.",
        "wait for the right phase, or accept that it is over: assay bench show tells where the round stands",
    ),
    "WrongSigner": Meaning("The signature is not that of the named key.", "sign with that key, over exactly this exchange"),
    "WrongSize": Meaning(
        "A set has at least one item and at most the task's limit.", "import a smaller set, or choose a task with room for it"
    ),
    "WrongSums": Meaning(
        "The sums need one word of counts and the metric's words.", "score again: assay bench score, then attest"
    ),
}

EVENTS = {
    "DemandAnswered": Meaning(
        "A demanded position was opened in time: half of the fee is the answerer's, half is burned; it stays used of its limit.",
        "check the item: assay explain, assay open",
    ),
    "DemandExpired": Meaning(
        "A demanded position was not opened in time: the round is slashed.", "nothing to do: no score of this round counts"
    ),
    "Demanded": Meaning(
        "Somebody wants to see a position; without a Sound opening by the deadline the round is lost.",
        "answer it from the bundle, before the deadline",
    ),
    "FeeReclaimed": Meaning("The fee of an unanswered demand is its demander's again.", "use it again, or take it out: withdraw"),
    "VersionSlashed": Meaning(
        "Two different Answers took the bond of a version: a tenth is the challenger's, the rest burned. Score and phase stand.",
        "look for the two Answers in this transaction; to sit on, the owner allows its operator more: assay provider allow",
    ),
    "Allowed": Meaning(
        "The owner set how much stake this operator may have locked or lost in all.",
        "see what is used of it: assay bench balance --operator ADDRESS",
    ),
    "AnswerPosted": Meaning(
        "An answer was put on chain with its full text: nobody can say that it was withheld.",
        "the benchmarker takes it over by itself: assay bench score",
    ),
    "Attested": Meaning("The score tree of a version is fixed; the chain computed its score.", "wait for the reveal"),
    "Challenged": Meaning("An opening proved a fault in this round.", "see the item: assay verify ROUND"),
    "ContractDeployed": Meaning("One of the six contracts was deployed.", "nothing to do: the deployment goes on by itself"),
    "Deposited": Meaning("Stake came in for an owner.", "let an operator use it: assay bench allow, or assay provider allow"),
    "EnrolSkipped": Meaning("A version could not be enrolled; the reason is named.", "mend the reason, then enrol again"),
    "Enrolled": Meaning("A version sits this round: it will be attested, or the bond is lost.", "ask it: assay bench ask"),
    "ModelRegistered": Meaning("A model was registered under a salted name.", "commit a version: assay provider commit-version"),
    "Revealed": Meaning("The bundle was published; from now on anyone may challenge.", "check it: assay verify ROUND"),
    "RoundForfeited": Meaning(
        "A deadline was missed, and the round's bond is gone: half to the caller, half burned.",
        "no score of this round counts; to seal again, its owner allows its operator more: assay bench allow",
    ),
    "RoundReleased": Meaning("The round's bond is free.", "take it out: assay bench withdraw"),
    "RoundSlashed": Meaning(
        "A proven fault ended the round: half of the bond went to the challenger, half was burned.",
        "no score of this round counts; to seal again, its owner allows its operator more: assay bench allow",
    ),
    "Sealed": Meaning("A set was sealed and a round began.", "enrol models until answers are due: assay bench enrol"),
    "TaskRegistered": Meaning("A task was registered for the first time.", "see it: assay task show TASK"),
    "Unlocked": Meaning("A bond or a fee is free again.", "use it again, or take it out: withdraw"),
    "VersionCommitted": Meaning(
        "A version was committed: it can sit rounds that are sealed later.", "serve it: assay provider serve"
    ),
    "VersionReleased": Meaning("A version's bond is free.", "take it out: assay provider withdraw"),
    "Withdrawn": Meaning("Free stake was paid out.", "nothing to do"),
}

NO_OPENING = "make the opening from the round's own bundle: assay open"
PROVE = "prove it and earn half of the bond: assay challenge ROUND"
VERDICTS = {
    "Sound": Meaning("The item is what was sealed, answered and attested.", "nothing to do: the score counts it rightly"),
    "NotSealed": Meaning("The set path does not lead to the sealed root: this item is not of this round.", NO_OPENING),
    "NotAttested": Meaning("The sum path does not lead to the attested root: this answer is not what was attested.", NO_OPENING),
    "WrongKind": Meaning("The outcome contradicts the sealed kind: a decoy was scored, or a scored item left out.", PROVE),
    "WrongReceipt": Meaning("The answer does not carry the provider's signature over exactly this exchange.", PROVE),
    "WrongStatistics": Meaning("The sums are not what the metric measures, or positions beyond the set count.", PROVE),
    "TooLong": Meaning("A text of the item is over the task's cap.", PROVE),
    "Malformed": Meaning("A silent item or a decoy carries something that it may not.", PROVE),
    "Dropped": Meaning("The item counts as silent, and its answer was posted on chain.", PROVE),
}

LOST = "nothing to do: the round is over, and no score of it counts"
FAULTS = {
    "None": Meaning("No fault was proven.", "check it yourself: assay verify ROUND"),
    **{name: Meaning(VERDICTS[name].says, LOST) for name in list(VERDICTS)[3:]},
    "AckDropped": Meaning("An item counts as silent, and the benchmarker had acknowledged an answer to it.", LOST),
    "WrongAsk": Meaning("The benchmarker asked another question than the sealed one, or one beyond the set.", LOST),
    "Reused": Meaning("A question was scored that another round of the benchmarker had scored before.", LOST),
    "Leaked": Meaning("A sealed item was opened before the answers were over: only a leak can do that.", LOST),
    "Unanswered": Meaning("A demanded position was not opened in time.", LOST),
}

DEMANDS = {
    "None": Meaning("Nobody demanded this position.", "nothing to do"),
    "Open": Meaning("Somebody waits for this position.", "answer it from the bundle, before its deadline"),
    "Answered": Meaning("The position was opened in time.", "nothing to do"),
    "Reclaimed": Meaning("The round ended first, and the demander took the fee back.", "nothing to do"),
}

PHASES = {
    "Unknown": Meaning("There is no such round.", "check the round's id and the chain: --rpc and --deployment"),
    "Answering": Meaning(
        "The questions are sealed; models are enrolled, asked and answer.", "assay bench enrol, then assay bench ask"
    ),
    "Attesting": Meaning(
        "Answers are over; every enrolled version has to be attested in time, or the bond is lost.",
        "assay bench score, then assay bench attest",
    ),
    "Revealing": Meaning(
        "Everything is attested; the bundle has to be revealed in time, or the bond is lost.", "assay bench reveal"
    ),
    "Challenging": Meaning("The bundle is out; anyone may check and challenge.", "assay verify ROUND"),
    "Final": Meaning("The scores stand.", "rank them: assay rank ROUND; the benchmarker frees its bond: assay bench release"),
    "Void": Meaning("Nobody was enrolled in time; nothing is revealed and the bond is free.", "assay bench release"),
    "Forfeited": Meaning("A deadline was missed: the bond is lost, and no score counts.", "nothing more can happen to the round"),
    "Slashed": Meaning("A fault was proven: the bond is lost, and no score counts.", "nothing more can happen to the round"),
}

STANDINGS = {
    "None": Meaning("The version does not sit this round.", "nothing to do"),
    "Enrolled": Meaning("The version sits the round and is to be attested.", "wait for the attestation"),
    "Scored": Meaning("The version was attested and has a score; it stands once the round is Final.", "assay verify ROUND"),
    "Incomplete": Meaning(
        "More questions were silent than the task allows: there is no score.",
        "see which are missing: assay verify ROUND",
    ),
    "Struck": Meaning("The round was slashed or forfeited: no score of it counts.", "nothing to do: sit another round"),
}

SKIPS = {
    "Unknown": Meaning("The version was never committed.", "commit it: assay provider commit-version"),
    "CommittedTooLate": Meaning(
        "The version was not committed before the seal.", "it can sit rounds that are sealed from now on"
    ),
    "AlreadyEnrolled": Meaning("The version is enrolled in this round.", "nothing to do"),
    "WrongSignature": Meaning(
        "The consent is not signed by the version's operator.", "serve the version with its own key, then enrol again"
    ),
    "NoStake": Meaning(
        "The provider lacks free stake, or what is left of its operator's limit is less than the version's bond.",
        "assay provider deposit, or assay provider allow: what was lost stays used of the limit",
    ),
}

MEANINGS: Mapping[str, Mapping[str, Meaning]] = {
    "error": ERRORS,
    "event": EVENTS,
    "verdict": VERDICTS,
    "fault": FAULTS,
    "phase": PHASES,
    "standing": STANDINGS,
    "skip": SKIPS,
    "demandstate": DEMANDS,
}
"""Kind, then the name as the contracts spell it."""
