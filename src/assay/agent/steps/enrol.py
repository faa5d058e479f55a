"""enrol: ask providers for their consent, check it, keep it, and bring it to the chain.

Whoever is enrolled has to be attested.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from assay.agent.accept import check_enrol
from assay.agent.context import Agent
from assay.agent.gateways import Gateway, GatewayRefused
from assay.agent.records import Enrolment
from assay.agent.rounds import Standing, demand_not_over, send, settle, standing
from assay.chain.index import round_log
from assay.errors import AssayError, NotYet, TooLate
from assay.types import Phase, RoundId, Skip, Version, VersionId

STEP = "enrol"
BATCH = 10


@dataclass(frozen=True, slots=True)
class NotEnrolled:
    """A gateway or version that did not make it, and why. `version` is empty where the gateway did not get so far."""

    url: str
    version: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class EnrolReport:
    """Who is enrolled now, by this call or before, and who of those asked is not."""

    round: RoundId
    enrolled: tuple[VersionId, ...]
    refused: tuple[NotEnrolled, ...]


def run(agent: Agent, round_: RoundId, urls: Sequence[str], only: Sequence[VersionId] = ()) -> EnrolReport:
    """Enrol every version of the gateways, or only the named ones. Run it again at will: who is enrolled stays so.

    TooLate once the answers are over. The enrolment counts when it is final: see `demand_final`.
    """
    with agent.journal.alone():
        found = standing(agent, round_)
        demand_not_over(found)
        if found.phase is not Phase.ANSWERING:
            raise TooLate(f"enrolment ended at {found.deadlines.answer_by}", "go on with: assay bench score")
        settle(agent, round_, STEP)
        consents, refused = asyncio.run(_consents(agent, found, list(dict.fromkeys(urls)), frozenset(only)))
        for consent in consents:
            agent.journal.add_enrolment(consent)
        skipped = _send(agent, round_, consents)
        enrolled = tuple(entry.version for entry in round_log(agent.chain, round_).enrolled)
    return EnrolReport(round_, enrolled, (*refused, *skipped))


def demand_final(agent: Agent, round_: RoundId) -> None:
    """NotYet while an enrolment that the head shows is not final: nobody is asked before."""
    final = agent.chain.finalized()
    at_head = agent.chain.rounds.round(round_)
    at_final = agent.chain.rounds.round(round_, at=final.number)
    if at_head is not None and at_head.enrolled > (at_final.enrolled if at_final else 0):
        raise NotYet(f"the enrolment is not final yet (block {final.number} is)", "wait a few blocks")


async def _consents(
    agent: Agent, found: Standing, urls: list[str], only: frozenset[VersionId]
) -> tuple[list[Enrolment], list[NotEnrolled]]:
    """Every consent that could be had; a gateway that fails stops no other."""
    results = await asyncio.gather(*(_gateway(agent, found, url, only) for url in urls))
    consents = [consent for given, _ in results for consent in given]
    return consents, [refusal for _, refusals in results for refusal in refusals]


async def _gateway(
    agent: Agent, found: Standing, url: str, only: frozenset[VersionId]
) -> tuple[list[Enrolment], list[NotEnrolled]]:
    consents: list[Enrolment] = []
    refusals: list[NotEnrolled] = []
    try:
        async with Gateway(url) as gateway:
            for version in await _versions(agent, gateway, only):
                try:
                    consents.append(await _consent(agent, found, gateway, version))
                except AssayError as error:
                    refusals.append(NotEnrolled(url, version, error.message))
    except AssayError as error:
        refusals.append(NotEnrolled(url, b"", error.message))
    return consents, refusals


async def _versions(agent: Agent, gateway: Gateway, only: frozenset[VersionId]) -> list[VersionId]:
    info, deployment = await gateway.info(), agent.chain.deployment
    if (info.chain_id, info.rounds.lower()) != (deployment.chain_id, deployment.rounds.lower()):
        raise GatewayRefused(f"{gateway.url} serves chain {info.chain_id}, Rounds {info.rounds:.60}", slug="other-chain")
    return [version for version in info.versions if not only or version in only]


async def _consent(agent: Agent, found: Standing, gateway: Gateway, id_: VersionId) -> Enrolment:
    version = await asyncio.to_thread(_version, agent, found, id_)
    signature = await gateway.enrol(found.record.round, id_)
    check_enrol(agent.chain.domain, found.record.round, id_, version.operator, signature)
    return Enrolment(found.record.round, id_, version.model, version.operator, signature, gateway.url)


def _version(agent: Agent, found: Standing, id_: VersionId) -> Version:
    version = agent.chain.models.version(id_)
    if version is None:
        raise GatewayRefused("the chain knows no such version", slug="unknown-version")
    if version.committed_at >= found.facts.sealed_at:
        raise GatewayRefused("the version was committed after the seal", slug="committed-too-late")
    return version


def _send(agent: Agent, round_: RoundId, consents: Sequence[Enrolment]) -> list[NotEnrolled]:
    """Bring consents to the chain that are not there yet; who was skipped, with the chain's reason."""
    there = {entry.version for entry in round_log(agent.chain, round_).enrolled}
    new = [consent for consent in consents if consent.version not in there]
    skipped: list[NotEnrolled] = []
    for start in range(0, len(new), BATCH):
        batch = new[start : start + BATCH]
        call = agent.chain.rounds.enrol(round_, [c.version for c in batch], [c.signature for c in batch])
        receipt = send(agent, round_, STEP, call)
        log = round_log(agent.chain, round_, receipt.block)
        reasons = {entry.version: entry.reason for entry in log.skipped if entry.block == receipt.block}
        skipped += [NotEnrolled(c.url, c.version, _why(reasons[c.version])) for c in batch if c.version in reasons]
    return skipped


def _why(reason: Skip) -> str:
    return {
        Skip.UNKNOWN: "the chain knows no such version",
        Skip.COMMITTED_TOO_LATE: "the version was committed after the seal",
        Skip.ALREADY_ENROLLED: "it is enrolled already",
        Skip.WRONG_SIGNATURE: "the Enrol signature is not that of the version's operator",
        Skip.NO_STAKE: "the provider has too little free stake, or too little is left of its operator's limit",
    }[reason]
