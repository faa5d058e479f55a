"""`assay bench evidence`: two different Answers of a provider, as a file for anybody who wants to bring the proof."""

from pathlib import Path

import click

from assay.cli.agents import chosen_round, journal_of
from assay.cli.common import connect, emit, pass_settings
from assay.errors import Refused
from assay.settings import Settings


@click.command()
@click.argument("round_", metavar="ROUND")
@click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="New file to write, mode 0600."
)
@pass_settings
def evidence(settings: Settings, round_: str, out: Path) -> None:
    """Write every two different Answers that a provider gave in ROUND.

    Each pair costs the provider its bond of the round: assay challenge answers ROUND --evidence FILE. Before `answerBy` the file
    would tell others what was asked: keep it until then.
    """
    from assay.agent import exchanges
    from assay.agent.records import Answer, Contradiction
    from assay.audit.evidence import Evidence, HeldAnswer, save

    with journal_of(settings) as journal:
        id_ = chosen_round(journal, round_)
        prompts = [item.prompt_hash for item in journal.placed_items(id_)]
        found = exchanges.contradictions(journal, id_)
        first = {version: exchanges.exchanges(journal, id_, version) for version in {one.version for one in found}}
    if not found:
        raise Refused("no provider gave two different Answers here", "posted ones are compared by: assay bench score ROUND")
    every: list[Answer | Contradiction] = [answer for one in found if (answer := first[one.version][one.position].answer)]
    every += found
    messages = [
        HeldAnswer(id_, one.version, one.position, prompts[one.position], one.response_hash, one.signature, one.response)
        for one in every
    ]
    deployment = connect(settings).deployment
    save(out, Evidence(deployment.chain_id, deployment.rounds, tuple(messages)))
    text = f"wrote {out}: {len(found)} pairs; next: assay challenge answers 0x{id_.hex()[:12]} --evidence {out}"
    emit(settings, {"round": id_, "file": out, "pairs": len(found)}, text)
