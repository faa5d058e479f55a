"""Every prompt that was made public, in revealed rounds and known public sets; which prompts of a round were seen before."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from assay.encoding.hashing import keccak
from assay.errors import BadInput
from assay.storage.bundle import Bundle
from assay.types import Kind, RoundId
from assay.watch.journal import Journal
from assay.watch.records import Sighting
from assay.watch.similar import bands_of, grams_of, similarity

__all__ = ["Library", "Prompt"]

MAX_LINES = 1 << 21
MAX_LINE_BYTES = 1 << 16
DIGITS = 16
MAX_CANDIDATES = 64
"""Near prompts that are compared with one of a round; a set of equal sentences cannot make this dear."""
EXACT, NEAR = "exact", "near"


class Prompt(NamedTuple):
    """A prompt and where it stands. `source` is a round in hex or what `add_public` calls a public set."""

    hash: bytes
    source: str
    position: int
    scored: bool
    text: bytes


class Library:
    """Prompts kept in the journal."""

    def __init__(self, journal: Journal, least: float) -> None:
        """`least` is the similarity from which two prompts are nearly the same."""
        self._journal, self._least = journal, least

    def add_bundle(self, round_: RoundId, bundle: Bundle) -> None:
        """Keep all prompts of a revealed round. Errors of `Bundle.items`; then none is kept."""
        with closing(bundle.items()) as items:
            self._add(Prompt(keccak(i.prompt), round_.hex(), i.position, i.kind is Kind.SCORED, i.prompt) for i in items)

    def add_public(self, path: Path) -> str:
        """Keep a public set, a text a line, and return what it is called: its file's name and a digest of what is in it.

        Once that is kept it is not kept again. BadInput where it cannot be read whole.
        """
        source = f"{path.name} {_digest(path)}"
        if not self._journal.rows("SELECT 1 FROM prompts WHERE source = ? LIMIT 1", source):
            self._add(Prompt(keccak(text), source, number, True, text) for number, text in _lines(path))
        return source

    def sources_of(self, prompt_hash: bytes) -> Iterator[Prompt]:
        """Where exactly this prompt stands."""
        rows = self._journal.rows("SELECT hash, source, position, scored, text FROM prompts WHERE hash = ?", prompt_hash)
        return (Prompt(hashed, source, position, bool(scored), text) for hashed, source, position, scored, text in rows)

    def sightings(self, round_: RoundId, public_before: frozenset[str]) -> list[Sighting]:
        """Prompts of a kept round that stand in a source that was public before its seal, one sighting a prompt and source."""
        found: list[Sighting] = []
        query = "SELECT hash, source, position, scored, text FROM prompts WHERE source = ? ORDER BY position"
        for row in self._journal.rows(query, round_.hex()):
            found += self._sightings(round_, Prompt(*row), public_before)
        return found

    def _sightings(self, round_: RoundId, prompt: Prompt, public_before: frozenset[str]) -> Iterator[Sighting]:
        seen: set[str] = set()
        for other in self.sources_of(prompt.hash):
            if other.source in public_before and other.source not in seen:
                seen.add(other.source)
                yield Sighting(round_, prompt.position, EXACT, other.source, other.position, 1.0)
        grams = grams_of(prompt.text)
        for other in self._candidates(bands_of(grams)):
            if other.source in public_before and other.source not in seen:
                alike = similarity(grams, grams_of(other.text))
                if alike >= self._least:
                    seen.add(other.source)
                    yield Sighting(round_, prompt.position, NEAR, other.source, other.position, alike)

    def _candidates(self, keys: tuple[int, ...]) -> Iterator[Prompt]:
        query = """SELECT DISTINCT hash, source, position, scored, text FROM prompts
            WHERE id IN (SELECT prompt FROM bands WHERE band = ? AND key = ? LIMIT ?)"""
        known: set[tuple[str, int]] = set()
        for band, key in enumerate(keys):
            for row in self._journal.rows(query, band, key, MAX_CANDIDATES):
                prompt = Prompt(*row)
                if (prompt.source, prompt.position) not in known:
                    known.add((prompt.source, prompt.position))
                    yield prompt

    def _add(self, prompts: Iterable[Prompt]) -> None:
        with self._journal.transaction():
            for prompt in prompts:
                row = (None, prompt.hash, prompt.source, prompt.position, int(prompt.scored), prompt.text)
                if self._journal.rows("SELECT 1 FROM prompts WHERE source = ? AND position = ?", prompt.source, prompt.position):
                    continue
                number = self._journal.add("prompts", row)
                self._journal.add("bands", *((band, key, number) for band, key in enumerate(bands_of(grams_of(prompt.text)))))


def _digest(path: Path) -> str:
    try:
        if not path.is_file():
            raise BadInput("is no file", "name one that is", where=str(path))
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name a file that can", where=str(path)) from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines of a file without their ends, with their numbers from 1; empty ones left out."""
    try:
        with path.open("rb") as file:
            for number in range(1, MAX_LINES + 2):
                line = file.readline(MAX_LINE_BYTES + 1)
                if not line:
                    return
                if len(line) > MAX_LINE_BYTES or number > MAX_LINES:
                    raise BadInput("too long, or a line of it", "split it into several files", where=f"{path}:{number}")
                if text := line.rstrip(b"\r\n"):
                    yield number, text
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name a file that can", where=str(path)) from None
