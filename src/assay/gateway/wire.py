"""The JSON bodies of the gateway, checked strictly: hex of the right length, numbers in range, nothing unknown."""

import base64
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assay.gateway.messages import Ack, Answer, Ask, Place, Seat
from assay.types import RoundId, VersionId

MAX_PROMPT_CHARACTERS = 262_144
MAX_ACKS = 500

Hash = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$"), Field(examples=["0x" + "5a" * 32])]
Signature = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{130}$"), Field(examples=["0x" + "1b" * 65])]
AddressText = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$"), Field(examples=["0x" + "7e" * 20])]
Position = Annotated[int, Field(ge=0, lt=1 << 32, description="Position in the sealed set, from 0.", examples=[0])]
Time = Annotated[int, Field(ge=0, lt=1 << 40, description="Unix seconds.", examples=[1_800_000_000])]
RoundField = Annotated[Hash, Field(description="Id of the round.")]
VersionField = Annotated[Hash, Field(description="Id of the version.")]


class Strict(BaseModel):
    """Types are not converted, and unknown members are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AckBody(Strict):
    """Acknowledgement of an Answer by the round's operator (EIP-712 `Ack`)."""

    round: RoundField
    version: VersionField
    position: Position
    response_hash: Annotated[Hash, Field(description="keccak256 of the response.")]
    signature: Annotated[Signature, Field(description="The operator's signature.")]

    def ack(self) -> Ack:
        """The fact."""
        return Ack(_place(self), _raw(self.response_hash), _raw(self.signature))


class EnrolBody(Strict):
    """Which version shall sit which round."""

    round: RoundField
    version: VersionField

    def seat(self) -> Seat:
        """The fact."""
        return Seat(RoundId(_raw(self.round)), VersionId(_raw(self.version)))


class AskBody(Strict):
    """A question, signed by the round's operator (EIP-712 `Ask`)."""

    round: RoundField
    version: VersionField
    position: Position
    prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARACTERS, description="The sealed text.", examples=["Good morning."])]
    answer_until: Annotated[Time, Field(description="Unix seconds; a new answer is given before this time only.")]
    signature: Annotated[Signature, Field(description="The operator's signature.")]
    acks: Annotated[list[AckBody], Field(default=[], max_length=MAX_ACKS, description="Acknowledgements of earlier answers.")]

    def ask(self) -> Ask:
        """The fact."""
        return Ask(_place(self), self.prompt, self.answer_until, _raw(self.signature))


class AcksBody(Strict):
    """A batch of acknowledgements."""

    acks: Annotated[list[AckBody], Field(max_length=MAX_ACKS)]


class GatewayView(Strict):
    """Who serves here, and what."""

    protocol: Annotated[int, Field(description="Version of this interface.", examples=[1])]
    chain_id: Annotated[int, Field(examples=[31337])]
    rounds: Annotated[AddressText, Field(description="The Rounds contract that signatures are bound to.")]
    operator: Annotated[AddressText, Field(description="The key that signs Enrol and Answer.")]
    versions: Annotated[list[VersionField], Field(description="Versions that are served.")]


class EnrolView(Strict):
    """Consent to sit a round (EIP-712 `Enrol`)."""

    round: RoundField
    version: VersionField
    signature: Annotated[Signature, Field(description="Signature of the version's operator.")]


class AnswerView(Strict):
    """An Answer (EIP-712 `Answer`): the text as `response`, or as `response_b64` where it is not valid UTF-8."""

    round: RoundField
    version: VersionField
    position: Position
    prompt_hash: Annotated[Hash, Field(description="keccak256 of the prompt.")]
    response: Annotated[str | None, Field(default=None, description="The response.", examples=["Bom dia."])]
    response_b64: Annotated[str | None, Field(default=None, description="The response in base64, if it is no UTF-8.")]
    signature: Annotated[Signature, Field(description="Signature of the version's operator.")]


class AcceptedView(Strict):
    """How many acknowledgements were kept."""

    accepted: Annotated[int, Field(examples=[1])]


class ProblemView(BaseModel):
    """RFC 9457 problem details."""

    type: Annotated[str, Field(examples=["urn:assay:window-over"])]
    title: str
    status: int
    detail: str


def answer_json(answer: Answer) -> dict[str, Any]:
    """The body of an AnswerView, with exactly one of both forms of the response."""
    body: dict[str, Any] = {
        "round": hex_of(answer.place.round),
        "version": hex_of(answer.place.version),
        "position": answer.place.position,
        "prompt_hash": hex_of(answer.prompt_hash),
        "signature": hex_of(answer.signature),
    }
    try:
        body["response"] = answer.response.decode()
    except UnicodeDecodeError:
        body["response_b64"] = base64.b64encode(answer.response).decode()
    return body


def hex_of(raw: bytes) -> str:
    """0x and lower-case hex."""
    return "0x" + raw.hex()


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _place(body: AckBody | AskBody) -> Place:
    return Place(RoundId(_raw(body.round)), VersionId(_raw(body.version)), body.position)
