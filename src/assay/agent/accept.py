"""What a gateway says is believed here or nowhere: the same rule for signatures as the chain's."""

from assay.agent.gateways import GatewayRefused, Reply
from assay.agent.records import Ask
from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain, recover
from assay.types import Address, RoundId, VersionId


def check_enrol(domain: Domain, round_: RoundId, version: VersionId, operator: Address, signature: bytes) -> None:
    """GatewayRefused unless this is the Enrol signature of the version's operator."""
    if recover(domain.enrol(round_, version), signature) != operator:
        raise GatewayRefused("the Enrol signature is not that of the version's operator", slug="wrong-signature")


def check_reply(domain: Domain, ask: Ask, operator: Address, reply: Reply, cap: int) -> None:
    """GatewayRefused unless this is the operator's Answer to exactly this Ask, within the cap.

    A response over the cap is no answer, whatever is signed: no leaf can carry it.
    """
    if (reply.round, reply.version, reply.position) != (ask.round, ask.version, ask.position):
        raise GatewayRefused("the answer is for another round, version or position", slug="other-place")
    if reply.prompt_hash != ask.prompt_hash:
        raise GatewayRefused("the answer is to another prompt", slug="other-prompt")
    if len(reply.response) > cap:
        raise GatewayRefused(f"the response has {len(reply.response)} bytes, the task allows {cap}", slug="over-cap")
    digest = domain.answer(ask.round, ask.version, ask.position, reply.prompt_hash, keccak(reply.response))
    if recover(digest, reply.signature) != operator:
        raise GatewayRefused("the Answer signature is not that of the version's operator", slug="wrong-signature")
