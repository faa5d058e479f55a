"""What has to be in order before an agent is left alone: each check is one line, with a remedy where it is not well. No key."""

import asyncio
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from assay.agent.costs import gas_of
from assay.agent.cycle import Job, all_jobs, facts_of
from assay.agent.deciding import Facts, decide
from assay.agent.gateways import Gateway
from assay.agent.journal import Journal
from assay.chain.client import Chain
from assay.chain.minima import check_task
from assay.chain.stakes import lacks
from assay.errors import AssayError
from assay.types import Address, Phase
from assay.units import in_ether

LATE_SECONDS, STALE_SECONDS = 60, 600
LEAST_FREE, LOW_FREE = 200 << 20, 2 << 30
BEFORE_REVEAL = (Phase.UNKNOWN, Phase.ANSWERING, Phase.ATTESTING, Phase.REVEALING)
STEPS = ("seal", "enrol", "attest", "reveal", "release")
FEE_RESERVE = 3
"""Gas may become dearer until the last deadline: this many times the present price has to be there."""


class Health(Enum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """One check. The remedy is empty where nothing has to be done."""

    check: str
    health: Health
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Line:
    """All is well."""
    return Line(check, Health.OK, message)


def guarded(check: str, look: Callable[[], Iterator[Line]]) -> list[Line]:
    """The lines of a check; what it raises on purpose is its last line, failed."""
    lines: list[Line] = []
    try:
        lines.extend(look())
    except AssayError as error:
        lines.append(Line(check, Health.FAILED, error.message, error.remedy))
    return lines


def clock(chain: Chain) -> Iterator[Line]:
    """The head against the local clock. On a development chain, whose clock is moved, only said."""
    head = chain.head()
    yield ok("chain", f"chain {chain.deployment.chain_id}, block {head.number}, final {chain.finalized().number}")
    behind = int(time.time()) - head.timestamp
    health = Health.OK if abs(behind) <= LATE_SECONDS else Health.WARNING
    if abs(behind) > STALE_SECONDS and chain.deployment.chain_id != 31337:
        health = Health.FAILED
    remedy = "" if health is Health.OK else "set this machine's clock by NTP, and see that the node is in sync"
    yield Line("clock", health, f"the newest block is {behind} s behind the local clock", remedy)


def metrics(chain: Chain, jobs: Sequence[Job]) -> Iterator[Line]:
    """The tasks of all jobs: known, with a shipped metric's code, windows within bounds."""
    for task in sorted({job.plan.task for job in jobs}):
        params = chain.tasks.params(task)
        if params is None:
            yield Line(
                "metric", Health.FAILED, f"the chain knows no task 0x{task.hex()}", "register it: assay task register FILE"
            )
            continue
        check_task(chain, params)
        yield ok("metric", f"{chain.metric(params.metric).signature()} at {params.metric} is of this release")


def funds(chain: Chain, journal: Journal, named: Sequence[Job], operator: Address) -> Iterator[Line]:
    """Gas for every step that is still ahead, and stake and allowance for every seal."""
    jobs, block = all_jobs(chain, journal, named, operator), chain.head()
    price, gas = chain.node.gas_price(), 0
    bonds: dict[Address, int] = {}
    for job in jobs:
        _, facts = facts_of(chain, journal, job, block)
        gas += _gas_ahead(facts, len(job.plan.gateways), decide(facts, job.plan.enrol_within).step)
        params = chain.tasks.params(job.plan.task)
        if facts.phase is Phase.UNKNOWN and params is not None:
            bonds[job.benchmarker] = bonds.get(job.benchmarker, 0) + params.round_bond
    balance, needed = chain.node.balance(operator), gas * price * FEE_RESERVE
    remedy = f"send {in_ether(max(0, needed - balance))} to {operator}"
    words = f"{in_ether(balance)} for {gas:,} gas ahead: {in_ether(needed)} at {FEE_RESERVE} times the present price"
    enough = balance >= needed
    health = Health.OK if enough else Health.WARNING if balance >= gas * price else Health.FAILED
    yield Line("gas", health, words, "" if enough else remedy)
    for owner, bond in bonds.items():
        yield from _stake(chain, owner, operator, bond)


def _gas_ahead(facts: Facts, gateways: int, step: str) -> int:
    if step in ("score", ""):
        step = "attest" if step else ""
    first = STEPS.index("enrol" if step == "ask" else step) if step else len(STEPS)
    return sum(gas_of(name, max(facts.enrolled, gateways, 1)) for name in STEPS[first:])


def _stake(chain: Chain, owner: Address, operator: Address, bond: int) -> Iterator[Line]:
    missing = list(lacks(chain, "bench", owner, operator, bond))
    yield from (Line("stake", Health.FAILED, lack.says, lack.then) for lack in missing)
    if not missing:
        yield ok("stake", f"{in_ether(bond)} of {in_ether(chain.vault.balance(owner).free)} free will be locked")


def gateways(chain: Chain, journal: Journal, named: Sequence[Job]) -> Iterator[Line]:
    """Whether each gateway that is still needed answers, and for this chain."""
    urls: dict[str, None] = {}
    block = chain.head()
    for job in all_jobs(chain, journal, named):
        round_, facts = facts_of(chain, journal, job, block)
        if facts.phase in (Phase.UNKNOWN, Phase.ANSWERING):
            known = [e.url for e in journal.enrolments(round_)] if round_ else []
            urls |= dict.fromkeys([*job.plan.gateways, *known])
    yield from asyncio.run(_reach(chain, list(urls)))


async def _reach(chain: Chain, urls: Sequence[str]) -> list[Line]:
    return list(await asyncio.gather(*(_gateway(chain, url) for url in urls)))


async def _gateway(chain: Chain, url: str) -> Line:
    remedy = "ask the provider; its answers count as silence while it is away"
    try:
        async with Gateway(url) as gateway:
            info = await gateway.info()
    except AssayError as error:
        return Line("gateway", Health.WARNING, error.message, remedy)
    if (info.chain_id, info.rounds.lower()) != (chain.deployment.chain_id, chain.deployment.rounds.lower()):
        return Line("gateway", Health.FAILED, f"{url} serves chain {info.chain_id}, other contracts", remedy)
    return ok("gateway", f"{url} serves {len(info.versions)} versions")


def disk(home: Path) -> Iterator[Line]:
    """Space for journal and bundles."""
    free = shutil.disk_usage(home).free
    health = Health.FAILED if free < LEAST_FREE else Health.WARNING if free < LOW_FREE else Health.OK
    yield Line("disk", health, f"{free >> 20} MiB are free in {home}", "" if health is Health.OK else "make room")


def store(folder: Path) -> Iterator[Line]:
    """A file written, read and removed where the bundles will be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"assay")
            file.flush()
            os.fsync(file.fileno())
            whole = Path(file.name).read_bytes() == b"assay"
    except OSError as error:
        yield Line("store", Health.FAILED, f"{folder}: {error.strerror}", "make it writable for this user alone")
        return
    yield (
        ok("store", f"{folder} can be written and read")
        if whole
        else Line("store", Health.FAILED, "it loses bytes", "replace it")
    )


def modes(home: Path, others: Sequence[Path] = ()) -> Iterator[Line]:
    """Keys, journals and passwords that others could read."""
    private = [home / "keys", *sorted((home / "keys").glob("*.json")), *sorted(home.glob("*.sqlite")), home / "store", *others]
    found = [path for path in private if path.exists()]
    open_ = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_:
        yield Line("modes", Health.FAILED, f"others may read {path}", f"chmod {'700' if path.is_dir() else '600'} {path}")
    if not open_:
        yield ok("modes", f"{len(found)} private files and folders are this user's alone")
