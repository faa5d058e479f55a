"""What a provider would hold of an exam, and trees with a wrong sum inside."""

from assay.audit.evidence import HeldAck, HeldAnswer, HeldAsk
from assay.encoding.hashing import keccak
from assay.encoding.receipts import LocalSigner
from assay.encoding.sumtree import SumTree, add_sums, parent
from assay.types import Node
from unit.audit.exam import Exam


def held_ask(exam: Exam, position: int, prompt: bytes | None = None, signer: LocalSigner | None = None) -> HeldAsk:
    """An Ask of the first version; the sealed one unless a prompt is given."""
    prompt = exam.items[position].prompt if prompt is None else prompt
    until = exam.started + 1000
    digest = exam.domain.ask(exam.round, exam.first, position, keccak(prompt), until)
    return HeldAsk(exam.round, exam.first, position, keccak(prompt), until, (signer or exam.operator).sign(digest), prompt)


def held_answer(exam: Exam, position: int, response: bytes, signer: LocalSigner | None = None) -> HeldAnswer:
    prompt_hash = keccak(exam.items[position].prompt)
    signature = exam.sign_answer(exam.first, position, response, signer)
    return HeldAnswer(exam.round, exam.first, position, prompt_hash, keccak(response), signature, response)


def held_ack(exam: Exam, position: int, response: bytes, signer: LocalSigner | None = None) -> HeldAck:
    digest = exam.domain.ack(exam.round, exam.first, position, keccak(response))
    return HeldAck(exam.round, exam.first, position, keccak(response), (signer or exam.operator).sign(digest))


class ForgedTree(SumTree):
    """True leaves, and one inner node whose sums are another's: nothing below it leads to the root any more."""

    def __init__(self, leaves: list[Node], level: int, index: int, delta: tuple[int, ...]) -> None:
        super().__init__(leaves)
        node = self._levels[level][index]
        self._levels[level][index] = Node(node.hash, add_sums(node.sums, delta))
        for above in range(level + 1, self.depth + 1):
            index >>= 1
            below = self._levels[above - 1]
            right = below[2 * index + 1] if 2 * index + 1 < len(below) else self.path(len(leaves) - 1)[above - 1]
            self._levels[above][index] = parent(below[2 * index], right)
