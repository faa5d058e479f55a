"""The bundle of a round: a folder that the agent writes and anyone reads.

    manifest.json            one line: round, task, counts, and CID, size and line count of every other file
    card.json  card.md       dataset card; sha256 of card.json was named at the seal
    items.jsonl              one `ItemLine` a position, in order
    answers/<version>.jsonl  one `AnswerLine` a position, in order; the name is the version id in hex

The same input gives the same bytes, and so the same CID. Reader and writer stream: memory does not grow with the set.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import orjson

from assay.errors import BadInput, Tampered
from assay.storage.cids import file_cid, folder_cid
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.lines import Record, checked_line, parse_line, read_lines, text_checks
from assay.storage.manifest import FileFacts, Manifest, ManifestFacts, VersionFacts, manifest_of, manifest_record
from assay.storage.records import AnswerLine, AskPart, ItemLine, answer_line, answer_record, item_line, item_record
from assay.types import VersionId

__all__ = [
    "CARD",
    "CARD_TEXT",
    "ITEMS",
    "MANIFEST",
    "AnswerLine",
    "AskPart",
    "Bundle",
    "FileFacts",
    "ItemLine",
    "Manifest",
    "ManifestFacts",
    "VersionFacts",
    "answers_name",
    "parsed",
    "write",
]

MANIFEST, CARD, CARD_TEXT, ITEMS = "manifest.json", "card.json", "card.md", "items.jsonl"
_FOLDER = "answers"
_REMEDY = "Fetch the bundle again and compare its CID with the chain's."
Line = TypeVar("Line", ItemLine, AnswerLine)
Build = Callable[[Record, str], Line]


def answers_name(version: VersionId) -> str:
    """Name of a version's file inside the bundle."""
    return f"{_FOLDER}/{version.hex()}.jsonl"


def write(
    folder: Path,
    manifest: ManifestFacts,
    card: bytes,
    card_md: str,
    items: Iterable[ItemLine],
    answers: Mapping[VersionId, Iterable[AnswerLine]],
) -> None:
    """Writes a whole bundle into `folder`, which must not exist or be empty. Files 0600, folders 0700.

    BadInput where positions are not 0 .. items - 1 in order, counts are not the manifest's, or other versions than its are given.
    """
    if set(answers) != {entry.version for entry in manifest.versions}:
        raise BadInput("answers and manifest name different versions", "Give exactly one list of answers a version.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadInput("is not empty", "Give a new folder.", where=str(folder))
    (folder / _FOLDER).mkdir(mode=0o700)
    files = {CARD: _write_text(folder / CARD, card), CARD_TEXT: _write_text(folder / CARD_TEXT, card_md.encode("utf-8"))}
    files[ITEMS] = _write_lines(folder / ITEMS, items, item_record, manifest.items)
    for entry in manifest.versions:
        counts = [0, 0, 0]
        lines = _counted(answers[entry.version], counts)
        files[answers_name(entry.version)] = _write_lines(
            folder / answers_name(entry.version), lines, answer_record, manifest.items
        )
        if counts != [entry.answered, entry.silent, entry.decoys]:
            raise BadInput(f"version {entry.version.hex()} has counts {counts}, not the manifest's", "Count again.")
    _create(folder / MANIFEST, [checked_line(manifest_record(manifest, files))])


def _counted(lines: Iterable[AnswerLine], counts: list[int]) -> Iterator[AnswerLine]:
    for line in lines:
        counts[line.outcome] += 1
        yield line


def _write_lines(path: Path, lines: Iterable[Line], record: Callable[[Line], Record], expected: int) -> FileFacts:
    written = 0

    def encoded() -> Iterator[bytes]:
        nonlocal written
        for line in lines:
            if line.position != written:
                raise BadInput(f"position {line.position} comes where {written} should", "Sort by position.", where=path.name)
            written += 1
            yield checked_line(record(line))

    _create(path, encoded())
    if written != expected:
        raise BadInput(f"has {written} lines, not {expected}", "One line a position.", where=path.name)
    return FileFacts(file_cid(path), path.stat().st_size, written)


def _write_text(path: Path, data: bytes) -> FileFacts:
    _create(path, [data])
    checks = text_checks(data)
    return FileFacts(file_cid(path), len(data), len(checks), tuple(checks))


def _create(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        file.writelines(chunks)


class Bundle:
    """A bundle opened for reading. Nothing in it is trusted; use `root_cid` to tie it to the chain.

    The constructor reads nothing, so that a damaged bundle can be held and told apart; `open` reads the manifest at once.
    """

    def __init__(self, folder: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        self.folder, self._limits = folder, limits

    @classmethod
    def open(cls, folder: Path, limits: Limits = DEFAULT_LIMITS) -> "Bundle":
        """Reads the manifest. BadInput or Tampered, with file and line, where it cannot be used or a limit is broken."""
        bundle = cls(folder, limits)
        _files_in(folder, limits)
        _ = bundle.manifest
        return bundle

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest. Errors as `open`."""
        line = _read_whole(self.folder, MANIFEST, self._limits.manifest_bytes)
        return manifest_of(parse_line(line, f"{MANIFEST}:1"), f"{MANIFEST}:1")

    def root_cid(self) -> str:
        """CID of the folder as it lies there, computed anew. BadInput where it holds links or devices, or breaks a limit."""
        _files_in(self.folder, self._limits)
        return folder_cid(self.folder)

    def items(self) -> Generator[ItemLine, None, None]:
        """All items in order. BadInput or Tampered, with file and line, where one is damaged, missing or out of order.

        Close it where it may not be read to its end: it holds the file open.
        """
        return self._lines(ITEMS, item_line)

    def answers(self, version: VersionId) -> Generator[AnswerLine, None, None]:
        """All answers of a version in order; errors as `items`."""
        return self._lines(answers_name(version), answer_line)

    def card_bytes(self) -> bytes:
        """card.json as it is. Errors as `items`."""
        return _read_whole(self.folder, CARD, self._limits.card_bytes)

    def card(self) -> Record:
        """card.json parsed. BadInput where it is not a JSON object."""
        try:
            card = orjson.loads(self.card_bytes())
        except orjson.JSONDecodeError as error:
            raise BadInput(f"is not JSON ({error})", _REMEDY, where=CARD) from None
        if not isinstance(card, dict):
            raise BadInput("is not a JSON object", _REMEDY, where=CARD)
        return card

    def card_digest(self) -> bytes:
        """sha256 of card.json, which the seal named."""
        return hashlib.sha256(self.card_bytes()).digest()

    def check_files(self) -> None:
        """Compares every file with the manifest. Tampered for the first difference, with file and, where it can be told, line."""
        found, listed = _files_in(self.folder, self._limits) - {MANIFEST}, set(self.manifest.files)
        for name in sorted(listed - found):
            raise Tampered("is missing", _REMEDY, where=name)
        for name in sorted(found - listed):
            raise Tampered("is not in the manifest", _REMEDY, where=name)
        for name in sorted(listed):
            self._check_file(name, self.manifest.files[name])

    def _check_file(self, name: str, facts: FileFacts) -> None:
        path = self.folder / name
        cid = file_cid(path)
        if cid == facts.cid and path.stat().st_size == facts.size:
            return
        lines = self._check_lines(name) if facts.checks is None else self._check_text(name, facts.checks)
        if lines != facts.lines:
            raise Tampered(f"has {lines} lines, the manifest says {facts.lines}", _REMEDY, where=name)
        raise Tampered(
            f"is {cid} with {path.stat().st_size} bytes, the manifest says {facts.cid} with {facts.size}", _REMEDY, where=name
        )

    def _check_lines(self, name: str) -> int:
        count = 0
        with closing(read_lines(self.folder / name, name, self._limits)) as lines:
            for where, line in lines:
                parse_line(line, where)
                count += 1
        return count

    def _check_text(self, name: str, checks: tuple[str, ...]) -> int:
        found = text_checks(_read_whole(self.folder, name, self._limits.card_bytes))
        for number, (expected, got) in enumerate(zip(checks, found, strict=False), 1):
            if expected != got:
                raise Tampered(f"is not what its check says: expected {expected}, got {got}", _REMEDY, where=f"{name}:{number}")
        return len(found)

    def raw_lines(self, name: str) -> Generator[bytes, None, None]:
        """The lines of items.jsonl or of a file of answers as they stand. BadInput or Tampered where one is missing or too long.

        Close it where it may not be read to its end: it holds the file open.
        """
        path = self.folder / name
        if not path.is_file():
            raise Tampered("is missing", _REMEDY, where=name)
        count = 0
        with closing(read_lines(path, name, self._limits)) as lines:
            for _, line in lines:
                yield line
                count += 1
        if count != self.manifest.facts.items:
            raise BadInput(f"has {count} lines, the set has {self.manifest.facts.items} items", _REMEDY, where=name)

    def _lines(self, name: str, build: Build[Line]) -> Generator[Line, None, None]:
        with closing(self.raw_lines(name)) as lines:
            yield from parsed(name, 0, lines, build)


def parsed(name: str, first: int, lines: Iterable[bytes], build: Build[Line]) -> Iterator[Line]:
    """Raw lines of a file from position `first` on, as what they say. BadInput or Tampered, with file and line, for a bad one."""
    for position, raw in enumerate(lines, first):
        where = f"{name}:{position + 1}"
        line = build(parse_line(raw, where), where)
        if line.position != position:
            raise BadInput(f"position {line.position} stands where {position} should", _REMEDY, where=where)
        yield line


def _read_whole(folder: Path, name: str, limit: int) -> bytes:
    path = folder / name
    if not path.is_file():
        raise Tampered("is missing", _REMEDY, where=name)
    if path.stat().st_size > limit:
        raise BadInput(f"has more than {limit} bytes", "Nothing honest needs so much.", where=name)
    return path.read_bytes()


def _files_in(folder: Path, limits: Limits) -> set[str]:
    """Names of all files, relative to the folder. BadInput for links, devices and broken limits."""
    names: set[str] = set()
    total = 0
    for entries, path in enumerate(folder.rglob("*"), 1):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BadInput(
                "is neither a file nor a folder", "Only plain files belong into a bundle.", where=str(path.relative_to(folder))
            )
        if path.is_file():
            names.add(path.relative_to(folder).as_posix())
            total += path.stat().st_size
        if entries > limits.files or total > limits.total_bytes:
            raise BadInput("breaks a limit: too many files or bytes", "Nothing honest needs so much.", where=str(folder))
    return names
