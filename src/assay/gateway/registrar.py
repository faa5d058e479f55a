"""Puts models and versions on chain under salted names, so that the provider may stay pseudonymous and prove either later.

Salts are kept before anything is sent, and a transaction is kept before it leaves: running a command again after a crash finds
what was done and does the rest.
"""

import secrets
from collections.abc import Sequence

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.encoding.ids import model_id, name_hash, version_commitment, version_id
from assay.errors import BadInput, NotYet
from assay.gateway.catalogue import Catalogue, Commitment, Model
from assay.gateway.sending import Sender
from assay.types import Address, ModelId, RoundId, Standing, VersionId

MAX_NAME = 200


class Registrar:
    """A provider's hand on the registry of models."""

    def __init__(self, chain: Chain, door: Door, catalogue: Catalogue) -> None:
        """`door` signs with the owner's key or with an operator's that the owner allowed."""
        self._chain, self._catalogue, self._sender = chain, catalogue, Sender(door, catalogue)

    def register(self, owner: Address, name: str) -> Model:
        """The owner's model of that name, registered now if it was not. BadInput, Reverted, NoFunds, Unreachable."""
        _check_text(name, "NAME")
        model = self._catalogue.model(owner, name)
        if model is None:
            salt = secrets.token_bytes(32)
            model = Model(model_id(owner, name_hash(name, salt)), owner, name, salt)
            self._catalogue.add_model(model)
        if self._chain.models.owner(model.id) is None:
            self._sender.send(self._chain.models.register_model(owner, name_hash(name, model.salt)), model.id)
        return model

    def commit(self, model: Model, label: str, artifact_digest: bytes, operator: Address) -> VersionId:
        """The version of a model with this label, artifact and key, committed now if it was not.

        A new key gets a new version of the same commitment. BadInput, Reverted, NoFunds, Unreachable.
        """
        _check_text(label, "--label")
        made = self._catalogue.commitment(model.id, label, artifact_digest)
        if made is None:
            salt = secrets.token_bytes(32)
            commitment = version_commitment(model.id, label, artifact_digest, salt)
            made = Commitment(commitment, model.id, label, artifact_digest, salt)
            self._catalogue.add_commitment(made)
        version = self._find(model.id, made.commitment, operator)
        if version is None:
            call = self._chain.models.commit_version(model.id, made.commitment, operator)
            self._sender.send(call, made.commitment + operator.encode())  # so that no version counts twice
            version = self._find(model.id, made.commitment, operator)
        if version is None:
            raise NotYet("the version is not on chain", "run the command again")
        self._catalogue.add_version(version, made.commitment, operator)
        return version

    def release(self, round_: RoundId, versions: Sequence[VersionId]) -> list[VersionId]:
        """Free the bonds of those of these versions that sit the round; which they were. NotYet before the time."""
        deadlines = self._chain.rounds.deadlines(round_)
        if deadlines is None:
            raise BadInput(f"the chain knows no round 0x{round_.hex()}", "check the id, --rpc and --deployment", where="ROUND")
        seated = [v for v in versions if self._chain.rounds.score(round_, v).standing is not Standing.NONE]
        if not seated:
            raise BadInput("none of this provider's versions sits this round", "see `assay provider list`", where="ROUND")
        free_at = deadlines.versions_released_at
        if self._chain.head().timestamp < free_at:
            raise NotYet(f"the version bonds become free at {free_at}", "run the command again then", at=free_at)
        call = self._chain.rounds.release_versions(round_, seated)
        self._sender.send(call, b"release" + keccak(call.data))
        return seated

    def _find(self, model: ModelId, commitment: bytes, operator: Address) -> VersionId | None:
        """The version with this commitment and key, newest first; a version's id says neither, so each number is tried."""
        for number in range(self._chain.models.versions(model), 0, -1):
            version = version_id(model, number, commitment, operator)
            if self._chain.models.version(version) is not None:
                return version
        return None


def named(catalogue: Catalogue, name: str) -> Model:
    """The one model of that name. BadInput for none, or for several owners' ones."""
    found = [model for model in catalogue.models() if model.name == name]
    if len(found) != 1:
        problem = "no model" if not found else "more than one owner's model"
        raise BadInput(f"{problem} has the name {name!r}", "see `assay provider list`, or register another name", where="NAME")
    return found[0]


def by_prefix(prefix: str, ids: Sequence[bytes], where: str) -> bytes:
    """The one id that begins with these hex digits; a full id need not be among them. BadInput otherwise."""
    digits = prefix.lower().removeprefix("0x")
    if len(digits) == 64 and not set(digits) - set("0123456789abcdef"):
        return bytes.fromhex(digits)
    found = {known for known in ids if digits and known.hex().startswith(digits)}
    if len(found) != 1:
        problem = "begins with" if not found else "is the only one that begins with"
        raise BadInput(f"no known id {problem} {prefix!r}", "give more digits; see `assay provider list`", where=where)
    return found.pop()


def _check_text(text: str, where: str) -> None:
    if not 0 < len(text) <= MAX_NAME or not text.isprintable():
        raise BadInput(f"1 to {MAX_NAME} printable characters are wanted", "choose another text", where=where)
