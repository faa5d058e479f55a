"""manifest.json: what a bundle says of its round, and size, line count and CID of each of its files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from typing import NamedTuple

from assay.encoding.ids import task_id
from assay.errors import BadInput
from assay.storage.fields import Fields, hexed
from assay.storage.lines import Record
from assay.types import Address, ModelId, RoundId, TaskId, TaskParams, VersionId

__all__ = ["SCHEMA", "FileFacts", "Manifest", "ManifestFacts", "VersionFacts", "manifest_of", "manifest_record"]

SCHEMA = 1
_KEYS = (
    "schema", "chain_id", "contracts", "round", "benchmarker", "operator", "task", "task_params", "description",
    "items", "set_root", "versions", "tools", "files",
)  # fmt: skip
_VERSION_KEYS = ("version", "model", "answered", "silent", "decoys")
_FILE_KEYS = ("cid", "bytes", "lines", "checks")
_MONEY = ("round_bond", "version_bond", "demand_fee")
_WORD = 32
_MAX_ITEMS = 1 << 32


class VersionFacts(NamedTuple):
    """Counts of one attested version."""

    version: VersionId
    model: ModelId
    answered: int
    silent: int
    decoys: int


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What the writer says of a round.

    `contracts` maps tasks, models, vault, rounds, judge, disputes to addresses; `tools` names of programs to their versions;
    `description` is the task's, whose canonical JSON hashes to `task_params.description_digest`.
    """

    chain_id: int
    contracts: Mapping[str, Address]
    round: RoundId
    benchmarker: Address
    operator: Address
    task_params: TaskParams
    description: Mapping[str, object]
    items: int
    set_root: bytes
    versions: tuple[VersionFacts, ...]
    tools: Mapping[str, str]

    @property
    def task(self) -> TaskId:
        """Id that these parameters have."""
        return task_id(self.task_params)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts of one file; `checks` has one entry a line for files that are not JSONL and is None for those that are."""

    cid: str
    size: int
    lines: int
    checks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read. `task` is the id it names, which need not be that of the parameters."""

    facts: ManifestFacts
    task: TaskId
    files: Mapping[str, FileFacts]


def _params_record(params: TaskParams) -> Record:
    record: Record = asdict(params)
    record["description_digest"] = hexed(params.description_digest)
    return record | {key: str(record[key]) for key in _MONEY}


def _params(record: object, where: str) -> TaskParams:
    names = [field.name for field in dataclass_fields(TaskParams)]
    fields = Fields(record, where, names)
    values: Record = {name: fields.integer(name) for name in names[2:] if name not in _MONEY}
    values |= {name: fields.decimal(name) for name in _MONEY}
    return TaskParams(description_digest=fields.hex("description_digest", _WORD), metric=fields.address("metric"), **values)


def manifest_record(facts: ManifestFacts, files: Mapping[str, FileFacts]) -> Record:
    """A manifest as a JSON object."""
    return {
        "schema": SCHEMA,
        "chain_id": facts.chain_id,
        "contracts": dict(facts.contracts),
        "round": hexed(facts.round),
        "benchmarker": facts.benchmarker,
        "operator": facts.operator,
        "task": hexed(facts.task),
        "task_params": _params_record(facts.task_params),
        "description": dict(facts.description),
        "items": facts.items,
        "set_root": hexed(facts.set_root),
        "versions": [
            {**entry._asdict(), "version": hexed(entry.version), "model": hexed(entry.model)} for entry in facts.versions
        ],
        "tools": dict(facts.tools),
        "files": {name: _file_record(entry) for name, entry in files.items()},
    }


def _file_record(entry: FileFacts) -> Record:
    record: Record = {"cid": entry.cid, "bytes": entry.size, "lines": entry.lines}
    return record if entry.checks is None else record | {"checks": list(entry.checks)}


def manifest_of(record: Record, where: str) -> Manifest:
    """A manifest from its JSON object. BadInput where a field is missing or wrong."""
    if record.get("schema") != SCHEMA:
        raise BadInput(f"schema {str(record.get('schema'))[:20]} is not {SCHEMA}", "Use the release that knows it.", where=where)
    fields = Fields(record, where, _KEYS)
    contracts = Fields(fields.mapping("contracts"), f"{where} contracts", fields.mapping("contracts"))
    tools = Fields(fields.mapping("tools"), f"{where} tools", fields.mapping("tools"))
    facts = ManifestFacts(
        chain_id=fields.integer("chain_id"),
        contracts={name: contracts.address(name) for name in fields.mapping("contracts")},
        round=RoundId(fields.hex("round", _WORD)),
        benchmarker=fields.address("benchmarker"),
        operator=fields.address("operator"),
        task_params=_params(fields.mapping("task_params"), f"{where} task_params"),
        description=fields.mapping("description"),
        items=fields.integer("items", _MAX_ITEMS),
        set_root=fields.hex("set_root", _WORD),
        versions=tuple(_version(entry, f"{where} versions") for entry in fields.sequence("versions")),
        tools={name: tools.string(name) for name in fields.mapping("tools")},
    )
    files = {name: _file(entry, f"{where} files {name[:80]}") for name, entry in fields.mapping("files").items()}
    return Manifest(facts, TaskId(fields.hex("task", _WORD)), files)


def _version(record: object, where: str) -> VersionFacts:
    fields = Fields(record, where, _VERSION_KEYS)
    return VersionFacts(
        VersionId(fields.hex("version", _WORD)),
        ModelId(fields.hex("model", _WORD)),
        fields.integer("answered", _MAX_ITEMS),
        fields.integer("silent", _MAX_ITEMS),
        fields.integer("decoys", _MAX_ITEMS),
    )


def _file(record: object, where: str) -> FileFacts:
    fields = Fields(record, where, _FILE_KEYS)
    checks = fields.strings("checks") if fields.has("checks") else None
    return FileFacts(fields.string("cid"), fields.integer("bytes"), fields.integer("lines"), checks)
