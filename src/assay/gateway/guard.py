"""The gateway's journal without the gateway: posts what waits too long, for as long as the process that answers may be down."""

import asyncio
from collections.abc import Sequence

from assay.chain.client import Chain
from assay.gateway.board import ChainBoard
from assay.gateway.chainview import CachedChain
from assay.gateway.journal import Journal
from assay.gateway.messages import Place, Seat
from assay.gateway.poster import Poster
from assay.gateway.sending import Sender

NO_LIMIT = 1 << 62
"""A journal alone stops nothing at any number of waiting answers, so that no number is a reason to post early."""


class JournalSeats:
    """Where answers wait, by the journal's account alone."""

    def __init__(self, journal: Journal) -> None:
        """Over an open journal; a gateway may write it at the same time."""
        self._journal = journal
        self._posted: set[Place] = set()

    def seats(self) -> Sequence[Seat]:
        """All seats, oldest first."""
        return self._journal.seats()

    def unsettled(self, seat: Seat) -> list[int]:
        """As the journal has them, without what was posted meanwhile."""
        return [position for position in self._journal.unsettled(seat) if Place(*seat, position) not in self._posted]

    def posted(self, place: Place) -> None:
        """The journal hears of it once it is final."""
        self._posted.add(place)

    def stop(self, seat: Seat, why: str | None) -> None:
        """Nobody answers here."""


class Guard:
    """A poster over a journal."""

    def __init__(self, chain: Chain, journal: Journal, sender: Sender) -> None:
        """`sender` pays for the posts. Close it when done."""
        self._view, self._runner = CachedChain(chain), asyncio.Runner()
        self._poster = Poster(JournalSeats(journal), journal, self._view, ChainBoard(chain, sender), limit=NO_LIMIT)

    def post(self) -> int:
        """Post all answers that are due; how many are settled by that.

        Any error of the door; NoFunds or Refused where none could be posted for want of money or beyond a budget.
        """
        return self._runner.run(self._all())

    def close(self) -> None:
        """End its threads."""
        self._runner.close()
        self._poster.close()
        self._view.close()

    async def _all(self) -> int:
        done = 0
        while await self._poster.cycle():
            done += 1
        if not done and self._poster.refusals:
            raise next(iter(self._poster.refusals.values()))
        return done
