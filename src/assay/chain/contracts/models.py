"""ModelRegistry: models of providers and their committed versions."""

from assay.chain.contracts.base import Call, Contract
from assay.chain.node import At
from assay.types import Address, ModelId, Version, VersionId

NOBODY = "0x" + "00" * 20


class Models(Contract):
    """The registry of models."""

    artifact = "ModelRegistry"

    def version(self, version: VersionId, *, at: At = "latest") -> Version | None:
        """A committed version, None for an unknown one."""
        ((model, owner, operator, committed_at, number),) = self._read("versionOf", version, at=at)
        return Version(version, ModelId(model), owner, operator, committed_at, number) if committed_at else None

    def owner(self, model: ModelId, *, at: At = "latest") -> Address | None:
        """Owner of a model, None for an unknown one."""
        (owner,) = self._read("ownerOf", model, at=at)
        return None if owner == NOBODY else owner

    def versions(self, model: ModelId, *, at: At = "latest") -> int:
        """How many versions a model has."""
        (count,) = self._read("versionsOf", model, at=at)
        return int(count)

    def register_model(self, owner: Address, name_hash: bytes) -> Call:
        """Register a model under a salted name hash; a second time is harmless."""
        return self._call("registerModel", owner, name_hash, what="register the model")

    def commit_version(self, model: ModelId, commitment: bytes, operator: Address) -> Call:
        """Commit the next version of a model."""
        return self._call("commitVersion", model, commitment, operator, what="commit the version")
