"""`assay provider evidence`: what this provider holds of a round, as a file for anybody who verifies it."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.common import connect, emit, pass_settings
from assay.cli.provider.home import database_of
from assay.errors import BadInput
from assay.settings import Settings
from assay.types import RoundId

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.audit.evidence import Message
    from assay.gateway.journal import Journal


@click.command()
@click.argument("round_", metavar="ROUND")
@click.option(
    "--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="New file to write, mode 0600."
)
@click.option("--texts/--no-texts", default=True, show_default=True, help="With the texts of the responses.")
@pass_settings
def evidence(settings: Settings, round_: str, out: Path, texts: bool) -> None:
    """Write all Asks, Answers and Acks of ROUND that this gateway kept.

    Give the file to whoever verifies the round (`assay verify ROUND --evidence FILE`), or to a watchtower; or bring the proof
    yourself (`assay challenge ROUND --evidence FILE`). Before `answerBy` it would tell others what was asked: keep it until then.
    """
    from assay.audit.evidence import Evidence, save
    from assay.audit.sources import find_round
    from assay.gateway.journal import Journal

    chain = connect(settings)
    id_ = find_round(chain, round_)
    with database_of(settings) as database:
        messages = messages_of(Journal(database), id_, texts=texts)
    if not messages:
        raise BadInput(f"this gateway kept nothing of round 0x{id_.hex()}", "Check the id and --home.", where="ROUND")
    save(out, Evidence(chain.deployment.chain_id, chain.deployment.rounds, messages))
    counted = Counter(type(message).__name__ for message in messages)
    counts = {"asks": counted["HeldAsk"], "answers": counted["HeldAnswer"], "acks": counted["HeldAck"]}
    emit(settings, {"round": id_, "file": out, **counts})


def messages_of(journal: "Journal", round_: RoundId, *, texts: bool) -> "tuple[Message, ...]":
    """All Asks, Answers and Acks of a round that a gateway's journal keeps."""
    from assay.audit.evidence import HeldAck, HeldAnswer, HeldAsk

    asks = [HeldAsk(*ask.place, ask.prompt_hash, ask.answer_until, ask.signature) for ask in journal.asks(round_)]
    answers = [
        HeldAnswer(*kept.place, kept.prompt_hash, kept.response_hash, kept.signature, kept.response if texts else None)
        for kept in journal.answers(round_)
    ]
    acks = [HeldAck(*ack.place, ack.response_hash, ack.signature) for ack in journal.acks(round_)]
    return (*asks, *answers, *acks)
