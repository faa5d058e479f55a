"""Joining: what accepting an invitation means, looked up on the chain, before a provider says yes to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from assay.chain import index
from assay.chain.client import Chain
from assay.chain.invitation import WINDOWS, Invitation, contracts_of
from assay.chain.minima import check_task
from assay.chain.stakes import lacks
from assay.errors import BadInput, Refused, TooLate, WrongChain
from assay.gateway.policy import Policy
from assay.gateway.upstreams.brief import brief_of
from assay.types import Phase, Round, Version, VersionId
from assay.units import date, in_ether


class Seating(Enum):
    """Whether a version can sit."""

    THIS_ROUND = "this round"
    LATER_ROUNDS = "rounds sealed from now on"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of this provider's, and what it lacks to be enrolled; `lacks` is empty where that is nothing.

    `eligible_from` is the first second whose seals it may sit: the one after its commitment.
    """

    version: VersionId
    committed_at: int
    eligible_from: int
    seating: Seating
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What joining would mean. Amounts in wei, times in Unix seconds; `locked_until` is None before a round is sealed.

    `locks_now` is what the round of the invitation locks, for all versions that can sit it. `windows` are seconds; `sealed`
    counts the rounds that this benchmarker sealed under the task so far, the last at `last_sealed_at` (0 for none). `refusal` is
    why today's policy says no, None where it admits such a round already; `notes` is what else to know.
    """

    invitation: Invitation
    version_bond: int
    locks_now: int
    windows: Mapping[str, int]
    sealed: int
    last_sealed_at: int
    locked_until: int | None
    refusal: str | None
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]


def look_up(chain: Chain, invitation: Invitation, policy: Policy, versions: Sequence[VersionId]) -> Prospect:
    """Check an invitation against the chain, and the provider against it.

    WrongChain, Refused for what is not as the chain has it or what no gateway sits, TooLate after its round; Unreachable.
    """
    _check_place(chain, invitation)
    sealed = _check_round(chain, invitation)
    if sealed is None:
        _check_sender(chain, invitation)
    items = sealed.items if sealed else invitation.params.max_items
    ends = invitation.deadlines
    found = [version for known in versions if (version := chain.models.version(known)) is not None]
    candidates = tuple(_candidate(chain, version, invitation, sealed) for version in found)
    seated = sum(candidate.seating is Seating.THIS_ROUND for candidate in candidates)
    seals = [chain.rounds.round(log.round) for log in index.sealed_rounds(chain, invitation.benchmarker, invitation.task)]
    return Prospect(
        invitation=invitation,
        version_bond=invitation.params.version_bond,
        locks_now=seated * invitation.params.version_bond,
        windows={name: getattr(invitation.params, name) for name in WINDOWS},
        sealed=len(seals),
        last_sealed_at=max((facts.sealed_at for facts in seals if facts), default=0),
        locked_until=ends.versions_released_at if ends else None,
        refusal=policy.refusal(invitation.benchmarker, invitation.task, invitation.params, items),
        candidates=candidates,
        notes=_notes(invitation),
    )


def demand_admissible(prospect: Prospect, policy: Policy) -> None:
    """Refused where joining would not make the gateway sign: the policy's limit of the bond is never raised from here."""
    if prospect.version_bond > policy.largest_version_bond:
        raise Refused(
            f"the version bond, {in_ether(prospect.version_bond)}, is above the policy's {in_ether(policy.largest_version_bond)}",
            "raise largest_version_bond in policy.toml if you mean to risk that much",
        )


def risk(invitation: Invitation) -> list[str]:
    """What joining signs, locks and risks, in words."""
    params, ends = invitation.params, invitation.deadlines
    total = params.answer_window + params.attest_window + params.reveal_window + params.challenge_window
    until = date(ends.versions_released_at) if ends else f"{total} seconds after the seal"
    return [
        "signs   Enrol(round, version) for each such round, then one Answer a question; nothing else",
        f"locks   {in_ether(params.version_bond)} of the owner's stake a round and version,",
        f"        until {until}",
        "risks   all of it, for one thing: two different Answers to one question, proven by anybody until then; a tenth goes to",
        "        whoever proves it, the rest is burned (never run one key in two places, never restore an old journal);",
        "        what is lost stays used of the limit that the owner gave the operator",
        f"free    bad answers; silence, which above {params.max_silence_bps / 100:g} % leaves the version without a score;",
        "        whatever the benchmarker does, whose own bond pays for it; gas is paid only for answers that have to be posted",
    ]


def clock(prospect: Prospect) -> list[str]:
    """The windows of such a round, and which seals the versions may sit, in words."""
    ends, windows = prospect.invitation.deadlines, prospect.windows
    spans = ", ".join(f"{name.removesuffix('_window')} {span(seconds)}" for name, seconds in windows.items())
    lines = [f"windows {spans}"]
    if ends:
        lines += [
            f"        asked until {date(ends.answer_by - windows['post_window'])}, posted until {date(ends.answer_by)}",
            f"        scores before {date(ends.attest_by)}, everything public before {date(ends.reveal_by)}",
        ]
    past = f"{prospect.sealed} so far, the last on {date(prospect.last_sealed_at)}" if prospect.sealed else "none so far"
    return [*lines, f"seals   of this benchmarker under the task: {past}"]


def span(seconds: int) -> str:
    """Seconds as people say them, exactly."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _check_place(chain: Chain, invitation: Invitation) -> None:
    deployment = chain.deployment
    if (invitation.chain_id, dict(invitation.contracts)) != (deployment.chain_id, contracts_of(deployment)):
        raise WrongChain(
            f"the invitation is for chain {invitation.chain_id}, Rounds at {invitation.contracts['rounds']}",
            "check --rpc and --deployment, or decline",
        )
    if chain.tasks.params(invitation.task) != invitation.params:
        raise Refused(f"the chain knows no task 0x{invitation.task.hex()}", "ask the benchmarker to register it first")
    check_task(chain, invitation.params)


def _check_round(chain: Chain, invitation: Invitation) -> Round | None:
    """The sealed round as the chain has it, None where the invitation names none."""
    if invitation.round is None:
        return None
    found = chain.rounds.round(invitation.round.id)
    if found is None or found.sealed_at != invitation.round.sealed_at:
        raise Refused(f"the chain knows no such round 0x{invitation.round.id.hex()}", "wait for its seal, or decline")
    if chain.rounds.phase(found.id) is not Phase.ANSWERING:
        raise TooLate("the round takes no enrolments any more", "ask for an invitation to the task, for rounds to come")
    return found


def _check_sender(chain: Chain, invitation: Invitation) -> None:
    """Before a seal nothing else ties the operator who signed to the benchmarker whom it names."""
    if not chain.vault.allowance(invitation.benchmarker, invitation.operator).limit:
        raise Refused(
            f"{invitation.operator}, who signed, may not seal for {invitation.benchmarker}",
            "ask the benchmarker: its owner allows its operator first",
        )


def _candidate(chain: Chain, version: Version, invitation: Invitation, sealed: Round | None) -> Candidate:
    in_time = sealed is not None and version.committed_at < sealed.sealed_at
    missing = lacks(chain, "provider", version.owner, version.operator, invitation.params.version_bond)
    return Candidate(
        version.id,
        version.committed_at,
        version.committed_at + 1,
        Seating.THIS_ROUND if in_time else Seating.LATER_ROUNDS,
        tuple(f"{lack.says}: {lack.then}" for lack in missing),
    )


def _notes(invitation: Invitation) -> tuple[str, ...]:
    try:
        brief = brief_of(invitation.description)
    except BadInput as error:
        return (f"an `openai` upstream cannot serve this task: {error.message}",)
    return ("decoding is left to the provider",) if brief.decoding is None else ()
