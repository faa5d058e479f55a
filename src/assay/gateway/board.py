"""Posts answers through the one door for transactions."""

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.gateway.messages import Place
from assay.types import PostedAnswer, RoundId


class ChainBoard:
    """A Board over a real chain."""

    def __init__(self, chain: Chain, door: Door) -> None:
        """`door` signs with the gateway's operator key, or any other that has money for gas."""
        self._chain, self._door = chain, door

    def posted(self, place: Place) -> bool:
        """Whether an answer was posted there before, by anyone."""
        return self._chain.rounds.posted(*place) is not None

    def post(self, round_: RoundId, answer: PostedAnswer) -> bytes:
        """Post an answer; hash of the mined transaction. Any error of the door."""
        return self._door.send(self._chain.rounds.post_answer(round_, answer)).tx_hash
