"""Posts answers through the one door for transactions."""

from assay.chain.client import Chain
from assay.chain.node import At
from assay.encoding.hashing import uint
from assay.gateway.messages import Place
from assay.gateway.poster import Mined
from assay.gateway.sending import Sender
from assay.types import PostedAnswer, RoundId


class ChainBoard:
    """A Board over a real chain."""

    def __init__(self, chain: Chain, sender: Sender) -> None:
        """`sender` signs with the gateway's operator key, or any other that has money for gas."""
        self._chain, self._sender = chain, sender

    def posted(self, place: Place, at: At = "latest") -> bool:
        """Whether an answer was posted there before, by anyone."""
        return self._chain.rounds.posted(*place, at=at) is not None

    def post(self, round_: RoundId, answer: PostedAnswer) -> Mined:
        """Post an answer, or bring the post to its end that a crash left behind. Any error of the door."""
        place = round_ + answer.version + uint(answer.position)
        receipt = self._sender.send(self._chain.rounds.post_answer(round_, answer), b"post" + place)
        return Mined(receipt.tx_hash, receipt.block)

    def head(self) -> int:
        """Number of the newest block."""
        return self._chain.head().number

    def final(self) -> int:
        """Number of the newest block that cannot be reorganised away."""
        return self._chain.finalized().number
