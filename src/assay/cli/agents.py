"""What the commands of `assay bench` work with: the journal of this home, and an agent with its keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from assay import keys
from assay.cli.common import connect, load_signer, password_of, progress
from assay.encoding.receipts import LocalSigner
from assay.settings import Settings, home_folder, private_folder
from assay.types import RoundId

if TYPE_CHECKING:  # the chain and sacreBLEU are imported by the commands that need them
    from assay.agent.context import Agent
    from assay.agent.journal import Journal

T = TypeVar("T")
PATIENCE = 180 * 86_400.0
STEPS = 1_000


def open_journal(settings: Settings) -> "Journal":
    """The journal of this home; whoever opens it closes it."""
    from assay.agent.journal import Journal

    return Journal(home_folder(settings.home) / "bench.sqlite")


@contextmanager
def journal_of(settings: Settings) -> "Iterator[Journal]":
    """The journal of this home, for a while."""
    journal = open_journal(settings)
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def agent_of(
    settings: Settings, key: str, password_file: Path | None, *, salts: str | None = None, what: str = "steps"
) -> "Iterator[Agent]":
    """Everything that a step works with, built once."""
    from assay.agent.context import Agent
    from assay.chain.door import Door
    from assay.storage.store import Store

    signer, secret = _secrets(settings, key, password_file, salts)
    with journal_of(settings) as journal, progress(what, STEPS) as count:
        chain = connect(settings)
        done = [0]

        def advance(now: int, total: int) -> None:
            reached = STEPS * now // total
            count(reached - done[0])
            done[0] = reached

        store = Store(private_folder(settings.store))
        yield Agent(chain, Door(chain, signer), signer, journal, store, settings.tasks, secret, advance)


def _secrets(settings: Settings, key: str, password_file: Path | None, salts: str | None) -> tuple[LocalSigner, bytes | None]:
    """The signer and, where it is wanted, the master secret; both open with the same password."""
    if salts is None:
        return load_signer(settings, key, password_file), None
    keys.address_of_key(settings.keys, key)
    keys.address_of_key(settings.keys, salts)
    password = password_of(password_file)
    return keys.open_key(settings.keys, key, password), keys.open_secret(settings.keys, salts, password)


def ready(step: Callable[[], T], *, wait: bool) -> T:
    """What a step returns; with `wait` it is called again until the chain is there."""
    from assay.agent.waiting import until_ready

    return until_ready(step, PATIENCE if wait else 0.0)


def chosen_round(journal: "Journal", text: str) -> RoundId:
    """The round that a person means."""
    from assay.agent.rounds import find_round

    return find_round(journal, text).round
