"""A provider's own names, labels and salts, which open its commitments on chain: lost, nobody can show what a version is."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from assay.chain.transactions import SignedTx
from assay.gateway.database import Database
from assay.types import ModelId, VersionId


class Model(NamedTuple):
    """A registered model; its id hashes owner, name and salt."""

    id: ModelId
    owner: str
    name: str
    salt: bytes


class Commitment(NamedTuple):
    """What versions of a model were committed with; whoever holds it can prove what they are."""

    commitment: bytes
    model: ModelId
    label: str
    artifact_digest: bytes
    salt: bytes


class Listed(NamedTuple):
    """A version on chain with its names."""

    version: VersionId
    model: ModelId
    name: str
    label: str
    operator: str


class Catalogue:
    """Names and versions, in the same file as the journal. Kept before anything of them goes on chain."""

    def __init__(self, database: Database) -> None:
        """Over an open file."""
        self._database = database

    def model(self, owner: str, name: str) -> Model | None:
        """A model by its owner and name."""
        rows = self._database.rows("SELECT model, owner, name, salt FROM models WHERE owner=? AND name=?", owner, name)
        return Model(*rows[0]) if rows else None

    def models(self) -> list[Model]:
        """All models, oldest first."""
        return [Model(*row) for row in self._database.rows("SELECT model, owner, name, salt FROM models ORDER BY at")]

    def add_model(self, model: Model) -> None:
        """Keep a model."""
        with self._database.writing() as db:
            db.execute("INSERT INTO models VALUES (?,?,?,?,?)", (*model, time.time()))

    def commitment(self, model: ModelId, label: str, artifact_digest: bytes) -> Commitment | None:
        """The commitment to a label and an artifact, if it was made before: a new key gets a new version of the same one."""
        query = """SELECT commitment, model, label, artifact_digest, salt FROM commitments
          WHERE model=? AND label=? AND artifact_digest=?"""
        rows = self._database.rows(query, model, label, artifact_digest)
        return Commitment(*rows[0]) if rows else None

    def add_commitment(self, made: Commitment) -> None:
        """Keep a commitment."""
        with self._database.writing() as db:
            db.execute("INSERT INTO commitments VALUES (?,?,?,?,?,?)", (*made, time.time()))

    def add_version(self, version: VersionId, commitment: bytes, operator: str) -> None:
        """Keep the id that a commitment got on chain; the same again is harmless."""
        with self._database.writing() as db:
            db.execute("INSERT OR IGNORE INTO versions VALUES (?,?,?,?)", (version, commitment, operator, time.time()))

    def versions(self) -> list[Listed]:
        """All versions, oldest first."""
        query = """SELECT v.version, c.model, m.name, c.label, v.operator FROM versions v
          JOIN commitments c USING (commitment) JOIN models m USING (model) ORDER BY v.at"""
        return [Listed(*row) for row in self._database.rows(query)]

    def add_transaction(self, purpose: bytes, tx_hash: bytes, raw: bytes, nonce: int, what: str) -> None:
        """Keep a signed transaction before it is sent."""
        with self._database.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO transactions VALUES (?,?,?,?,?,?)", (tx_hash, purpose, raw, nonce, what, time.time())
            )

    def sent_since(self, at: float, purposes: Sequence[bytes]) -> list[tuple[bytes, SignedTx]]:
        """Transactions kept since a time, in seconds, whose purpose begins so, with it; oldest first."""
        rows = self._database.rows("SELECT purpose, tx_hash, raw, nonce, what FROM transactions WHERE at >= ? ORDER BY at", at)
        return [(purpose, SignedTx(*tx)) for purpose, *tx in rows if purpose.startswith(tuple(purposes))]

    def transactions(self, purpose: bytes) -> list[tuple[bytes, bytes, int, str]]:
        """Hash, bytes, nonce and purpose in words of all transactions for a purpose, oldest first."""
        query = "SELECT tx_hash, raw, nonce, what FROM transactions WHERE purpose=? ORDER BY at"
        return [tuple(row) for row in self._database.rows(query, purpose)]
