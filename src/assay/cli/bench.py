"""`assay bench`: the benchmarker's commands, from the import of a set to the release of its bond. Each names the next one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay import keys
from assay.cli import bench_evidence, inviting, pricing, running, stake
from assay.cli.agents import agent_of, chosen_round, journal_of, open_journal, ready
from assay.cli.bundles import node_option, places_of
from assay.cli.common import HASH, connect, emit, key_options, pass_settings, password_of, password_option, plain
from assay.cli.stake import address_of
from assay.encoding.hashing import keccak
from assay.errors import BadInput
from assay.settings import Settings
from assay.types import Phase, RoundId, TaskId, VersionId
from assay.units import date

if TYPE_CHECKING:  # the chain and sacreBLEU are imported by the commands that need them
    from assay.agent.overview import Overview

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
ROUND = click.argument("round_", metavar="ROUND")
FINALITY_PATIENCE = 3_600.0


def wait_option(function: Function) -> Function:
    """Adds --wait."""
    return click.option("--wait", is_flag=True, help="Wait until the chain is there, instead of saying when it will be.")(
        function
    )


@click.group("bench")
def command() -> None:
    """Examine models with questions that nobody has seen.

    \b
    Once:        init, then money to both keys, deposit, allow
    Each round:  import, seal, enrol, ask, score, attest, reveal, release
    Or all of it, for many rounds, by itself: run
    """


@command.command()
@click.option("--owner", default="owner", show_default=True, help="Name of the key that holds the stake.")
@click.option("--operator", default="operator", show_default=True, help="Name of the key that signs and sends.")
@click.option("--salts", default="salts", show_default=True, help="Name of the master secret of the salts.")
@click.option("--light", is_flag=True, help="Keys that open fast and protect little: for development chains.")
@password_option
@pass_settings
def init(settings: Settings, owner: str, operator: str, salts: str, light: bool, password_file: Path | None) -> None:
    """Make both keys and the master secret of the salts, where they are missing."""
    have = dict(keys.list_keys(settings.keys))
    missing = [name for name in dict.fromkeys((owner, operator, salts)) if name not in have]
    password = password_of(password_file, confirm=True) if missing else ""
    for name in missing:
        have[name] = keys.new_key(settings.keys, name, password, light=light)
    open_journal(settings).close()
    text = [
        f"owner     {have[owner]}",
        f"operator  {have[operator]}",
        f"Back up {settings.keys}: without {salts}.json no sealed question can be opened.",
        f'next: send money to both keys, then assay bench deposit "1 ether" --key {owner}',
        f'      and assay bench allow {operator} "1 ether" --key {owner}',
    ]
    emit(settings, {"owner": have[owner], "operator": have[operator], "made": missing}, text)


for shared in (
    stake.deposit,
    stake.withdraw,
    stake.allow,
    stake.balance,
    inviting.invite,
    bench_evidence.evidence,
    running.run,
    running.status,
    pricing.cost,
):
    command.add_command(shared)


# A round


@command.command("import")
@click.argument("file", type=FILE)
@click.option("--set", "name", required=True, help="Name of the set.")
@click.option("--decoys", metavar="FILE", type=FILE, help="More items, all of them decoys.")
@click.option(
    "--map", "renamed", metavar="COLUMN=FIELD", multiple=True, help="Use COLUMN as prompt, reference, group, tags or kind."
)
@click.option("--ignore", "ignored", metavar="COLUMN", multiple=True, help="Pass over COLUMN.")
@pass_settings
def import_(
    settings: Settings, file: Path, name: str, decoys: Path | None, renamed: tuple[str, ...], ignored: tuple[str, ...]
) -> None:
    """Import a test set from a CSV, TSV or JSONL FILE.

    Columns: prompt, reference, and if wanted group (the document of an item), tags, kind (scored or decoy).
    """
    from assay.agent.importer import read_set
    from assay.agent.records import SetItem
    from assay.agent.salts import set_digest

    if not name.isprintable() or not 0 < len(name) <= 100 or name.startswith("0x"):
        raise BadInput(f"{name!r:.40} is no name for a set", "use up to 100 printable characters", where="--set")
    source = read_set(file, decoys, columns=dict(_renaming(pair) for pair in renamed), ignored=frozenset(ignored))
    items = [SetItem(n, i.kind, i.prompt, i.reference, i.group, i.tags, keccak(i.prompt)) for n, i in enumerate(source)]
    with journal_of(settings) as journal:
        journal.add_set(name, set_digest(items), items)
        record = next(found for found in journal.sets() if found.name == name)
    text = [f"{name}: {record.scored} scored items, {record.decoys} decoys", f"next: assay bench seal {name} --task TASK"]
    emit(settings, record, text)


@command.command()
@click.argument("set_", metavar="SET")
@click.option("--task", required=True, type=HASH, help="Id of the task; see `assay task list`.")
@click.option("--owner", default="owner", show_default=True, metavar="KEY|ADDRESS", help="Whose stake backs the round.")
@click.option("--card", "card_file", metavar="FILE", type=FILE, help="Dataset card (JSON).")
@click.option("--salts", default="salts", show_default=True, help="Name of the master secret of the salts.")
@click.option("--yes", is_flag=True, help="Seal without being asked.")
@key_options("operator")
@pass_settings
def seal(
    settings: Settings,
    set_: str,
    task: TaskId,
    owner: str,
    card_file: Path | None,
    salts: str,
    yes: bool,
    key: str,
    password_file: Path | None,
) -> None:
    """Seal SET: its questions, references and decoys are fixed from now on.

    Shows first what it costs, what is locked until when, and how sure the scores will be; on a terminal it asks.
    """
    from assay.agent.card import read_card
    from assay.agent.steps import seal as step

    card, benchmarker = read_card(card_file) if card_file else None, address_of(settings, owner)
    pricing.confirm_seal(settings, set_, task, yes=yes)
    with agent_of(settings, key, password_file, salts=salts) as agent:
        report = step.run(agent, set_, task, benchmarker, card)
    text = [
        f"{'sealed' if report.sent else 'was sealed before:'} {_hex(report.round)}",
        f"{report.items - report.decoys} scored items, {report.decoys} decoys; answers until {date(report.deadlines.answer_by)}",
        f"next: assay bench enrol {_short(report.round)} GATEWAY...",
    ]
    emit(settings, report, text)


@command.command()
@ROUND
@click.argument("gateways", metavar="GATEWAY...", nargs=-1, required=True)
@click.option("--version", "versions", type=HASH, multiple=True, help="Only this version of theirs. May be repeated.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until the enrolment is final.")
@key_options("operator")
@pass_settings
def enrol(
    settings: Settings,
    round_: str,
    gateways: tuple[str, ...],
    versions: tuple[VersionId, ...],
    wait: bool,
    key: str,
    password_file: Path | None,
) -> int:
    """Enrol the models behind each GATEWAY in ROUND. Whoever is enrolled has to be scored.

    Ends with 1 if none of them is enrolled.
    """
    from assay.agent.gateways import checked_url
    from assay.agent.steps import enrol as step
    from assay.agent.waiting import until_ready

    urls = [checked_url(url) for url in gateways]
    with agent_of(settings, key, password_file) as agent:
        chosen = chosen_round(agent.journal, round_)
        report = step.run(agent, chosen, urls, versions)
        if wait:
            until_ready(lambda: step.demand_final(agent, chosen), FINALITY_PATIENCE)
    text = [f"enrolled      {_hex(version)}" for version in report.enrolled]
    text += [f"not enrolled  {refusal.url} {_hex(refusal.version)}: {refusal.reason}" for refusal in report.refused]
    following = f"assay bench ask {_short(chosen)}" if report.enrolled else "mend what is refused, then enrol again"
    emit(settings, report, [*text, f"next: {following}"])
    return 0 if report.enrolled else 1


@command.command()
@ROUND
@click.option("--answer-timeout", default=60, show_default=True, type=click.IntRange(1, 86_400), help="Seconds for one answer.")
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1, 256), help="Positions asked at a time.")
@click.option(
    "--attempts", default=3, show_default=True, type=click.IntRange(1, 100), help="Sweeps in a row that may bring nothing."
)
@wait_option
@key_options("operator")
@pass_settings
def ask(
    settings: Settings,
    round_: str,
    answer_timeout: int,
    concurrency: int,
    attempts: int,
    wait: bool,
    key: str,
    password_file: Path | None,
) -> None:
    """Ask every enrolled model every question of ROUND. Run it again while answers are missing."""
    from assay.agent.asking import AskOptions
    from assay.agent.steps import ask as step

    options = AskOptions(answer_timeout, concurrency, attempts)
    with agent_of(settings, key, password_file, what="answers") as agent:
        chosen = chosen_round(agent.journal, round_)
        report = ready(lambda: step.run(agent, chosen, options), wait=wait)
    text = []
    for version in report.versions:
        reasons = ", ".join(f"{count} {slug}" for slug, count in sorted(version.failures.items()))
        missing = f", {version.missing} missing" + f" ({reasons})" * bool(reasons) if version.missing else ""
        text.append(f"{_short(version.version)}  {version.answered} of {report.items} answered{missing}  {version.url}")
    again = f"again before {report.latest}: assay bench ask {_short(chosen)}"
    then = f"when the answers are over: assay bench score {_short(chosen)}"
    emit(settings, report, [*text, f"next: {then if report.complete else again}"])


@command.command()
@ROUND
@wait_option
@key_options("operator")
@pass_settings
def score(settings: Settings, round_: str, wait: bool, key: str, password_file: Path | None) -> None:
    """Measure every answer of ROUND and build the score trees. Sends nothing."""
    from assay.agent.steps import score as step

    with agent_of(settings, key, password_file, what="models") as agent:
        chosen = chosen_round(agent.journal, round_)
        report = ready(lambda: step.run(agent, chosen), wait=wait)
    text = [
        f"{_short(s.version)}  {s.shown:>10}  {s.answered} answered, {s.silent} silent, {s.decoys} decoys" for s in report.scores
    ]
    if report.contradictions:
        text.append(f"{report.contradictions} answers were given twice and differ: against the provider: assay bench evidence")
    emit(settings, report, [*text, f"next: assay bench attest {_short(chosen)}"])


@command.command()
@ROUND
@wait_option
@key_options("operator")
@pass_settings
def attest(settings: Settings, round_: str, wait: bool, key: str, password_file: Path | None) -> None:
    """Attest the score trees of ROUND; the chain computes the scores."""
    from assay.agent.steps import attest as step

    with agent_of(settings, key, password_file, what="models") as agent:
        chosen = chosen_round(agent.journal, round_)
        report = ready(lambda: step.run(agent, chosen), wait=wait)
    text = [f"{_short(version)}  {view.standing.name.lower()}  {view.score / 1e16:.2f}" for version, view in report.scores]
    emit(settings, report, [*text, f"next, before {report.reveal_by}: assay bench reveal {_short(chosen)}"])


@command.command()
@ROUND
@click.option("--salts", default="salts", show_default=True, help="Name of the master secret of the salts.")
@node_option
@wait_option
@key_options("operator")
@pass_settings
def reveal(
    settings: Settings, round_: str, salts: str, nodes: tuple[str, ...], wait: bool, key: str, password_file: Path | None
) -> None:
    """Write the bundle of ROUND, publish its digest, and pin it at your IPFS nodes. The set is spent.

    Safe to repeat: what was done is found again, and a node that was away gets the bundle then.
    """
    from assay.agent.steps import publish
    from assay.agent.steps import reveal as step

    places = places_of(nodes, ())
    with agent_of(settings, key, password_file, salts=salts) as agent:
        chosen = chosen_round(agent.journal, round_)
        report = ready(lambda: step.run(agent, chosen), wait=wait)
        pinned = publish.run(replace(agent, nodes=places.nodes), chosen) if places.nodes else None
    text = [
        f"{'revealed' if report.sent else 'was revealed before:'} {report.cid}",
        *([f"pinned at {address}" for address in places.nodes]),
        f"challenges until {date(report.challenge_until)}, later after demands; serve the bundle until then and after",
        f"next: assay verify {_hex(chosen)}; and in the end assay bench release {_short(chosen)}",
    ]
    emit(settings, {**plain(report), "ipfs": pinned} if pinned else report, text)


@command.command()
@ROUND
@wait_option
@key_options("operator")
@pass_settings
def release(settings: Settings, round_: str, wait: bool, key: str, password_file: Path | None) -> None:
    """Free the bonds of ROUND once it is over."""
    from assay.agent.steps import release as step

    with agent_of(settings, key, password_file) as agent:
        chosen = chosen_round(agent.journal, round_)
        report = ready(lambda: step.run(agent, chosen), wait=wait)
    text = [
        "the round bond is free" if report.round_bond else "the round bond was settled before",
        f"{len(report.versions)} version bonds are free" + f"; from {report.versions_from} on" * (not report.versions),
        'next: assay bench withdraw "1 ether" --key owner',
    ]
    emit(settings, report, text)


@command.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """Sets and rounds of this home."""
    with journal_of(settings) as journal:
        sets, rounds = journal.sets(), journal.rounds()
    phases: dict[RoundId, Phase] = {}
    if rounds:
        chain = connect(settings)
        phases = {record.round: chain.rounds.phase(record.round) for record in rounds}
    text = [f"set    {found.name}: {found.scored} scored items, {found.decoys} decoys" for found in sets]
    text += [f"round  {_short(r.round)}  {phases[r.round].name.lower():<11}  {r.set_name}" for r in rounds]
    found_rounds = [{"round": r.round, "set": r.set_name, "task": r.task, "phase": phases[r.round]} for r in rounds]
    emit(settings, {"sets": sets, "rounds": found_rounds}, text or ["nothing yet; next: assay bench import FILE --set NAME"])


@command.command()
@ROUND
@pass_settings
def show(settings: Settings, round_: str) -> None:
    """Where ROUND stands, and what it needs next."""
    from assay.agent.overview import overview
    from assay.agent.rounds import find_round

    with journal_of(settings) as journal:
        found = overview(connect(settings), journal, find_round(journal, round_))
    emit(settings, found, _overview_text(found))


def _overview_text(found: "Overview") -> Iterator[str]:
    yield f"round   {_hex(found.round)}"
    yield f"set     {found.set}: {found.items - found.decoys} scored items, {found.decoys} decoys"
    yield f"phase   {found.phase.name.lower()} at {date(found.now)}"
    if found.deadlines:
        ends = found.deadlines
        yield f"clock   answers until {date(ends.answer_by)}"
        yield f"        attest before {date(ends.attest_by)}, reveal before {date(ends.reveal_by)}"
    for version in found.versions:
        yield f"model   {_short(version.version)}  {version.shown:>10}  {version.received} answers here  {version.url}"
    if found.contradictions:
        yield f"        {found.contradictions} contradicting answers: assay bench evidence {_short(found.round)} --out FILE"
    if found.cid:
        yield f"bundle  {found.cid}"
    if found.next:
        yield f"next    assay bench {found.next} {found.set if found.next == 'seal' else _short(found.round)}"


def _renaming(pair: str) -> tuple[str, str]:
    column, separator, field = pair.partition("=")
    if not separator or not column:
        raise BadInput(f"{pair!r:.60} is no COLUMN=FIELD", "write it like --map source=prompt", where="--map")
    return column, field


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _short(raw: bytes) -> str:
    return "0x" + raw.hex()[:12]
