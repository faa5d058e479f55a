"""What every step works with, passed in and never looked up."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.agent.journal import Journal
from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.receipts import Signer
from assay.storage.store import Store

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


def silent(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def never() -> bool:
    """Nobody wants it to end early."""
    return False


@dataclass(frozen=True)
class Agent:
    """One benchmarker's operator on one chain. `secret` is the master secret of the salts, `tasks` the folder of descriptions,
    `nodes` the RPC addresses of the IPFS nodes that pin what was revealed.

    Once `stopping` is true, asking puts no further question and ends with what it has.
    """

    chain: Chain
    door: Door
    signer: Signer
    journal: Journal
    store: Store
    tasks: Path
    secret: bytes | None = None
    progress: Progress = silent
    stopping: Callable[[], bool] = never
    nodes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Agent({self.signer.address})"
