"""Stretches of positions across several files of a bundle, raw: work that can be sent to another process or machine.

A slice holds the lines themselves, so that whoever reads it needs no file, and says where the file breaks off if it does. How a
bundle is cut depends on its bytes alone.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import NamedTuple

from assay.errors import BadInput, Tampered
from assay.storage.bundle import AnswerLine, Build, Bundle, ItemLine, Line, parsed
from assay.storage.records import answer_line, item_line

__all__ = ["Broken", "Slice", "read_answers", "read_items", "slices"]

POSITIONS = 128
"""Positions of a slice, if they are not too long."""
MOST_BYTES = 1 << 20
"""No further position is added to slices that hold so much together."""


class Broken(NamedTuple):
    """Why no more can be read of a file: the message and place of the error."""

    message: str
    where: str


class Slice(NamedTuple):
    """Lines of one file from position `first` on. `broken` says why the next one cannot be read; None also at a file's end."""

    name: str
    first: int
    lines: tuple[bytes, ...]
    broken: Broken | None = None

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return sum(map(len, self.lines))


def slices(bundle: Bundle, names: Sequence[str]) -> Generator[tuple[Slice, ...], None, None]:
    """Slices of these files, side by side, until the last of them ends or breaks off. A file that ended gives empty ones.

    Close it where it may not be read to its end: it holds the files open.
    """
    with ExitStack() as stack:
        readers = [_Reader(name, stack.enter_context(closing(bundle.raw_lines(name)))) for name in names]
        first = 0
        while not all(reader.ended for reader in readers):
            size, count = 0, 0
            while count < POSITIONS and size < MOST_BYTES:
                size += sum(reader.take() for reader in readers)
                count += 1
            yield tuple(reader.cut(first) for reader in readers)
            first += count


class _Reader:
    def __init__(self, name: str, lines: Iterator[bytes]) -> None:
        self._name, self._lines = name, lines
        self._taken: list[bytes] = []
        self._broken: Broken | None = None
        self.ended = False

    def take(self) -> int:
        """Takes one more line, if there is one; its size."""
        if self.ended:
            return 0
        try:
            line = next(self._lines, b"")
        except (Tampered, BadInput) as error:
            self._broken, line = Broken(error.message, error.where), b""
        self.ended = not line
        self._taken += [line] if line else []
        return len(line)

    def cut(self, first: int) -> Slice:
        """What was taken since the last cut."""
        found = Slice(self._name, first, tuple(self._taken), self._broken)
        self._taken, self._broken = [], None
        return found


def read_items(part: Slice) -> tuple[list[ItemLine], Broken | None]:
    """The items of a slice, and why no more can be read, None where all were."""
    return _read(part, item_line)


def read_answers(part: Slice) -> tuple[list[AnswerLine], Broken | None]:
    """The answers of a slice, as `read_items`."""
    return _read(part, answer_line)


def _read(part: Slice, build: Build[Line]) -> tuple[list[Line], Broken | None]:
    found: list[Line] = []
    try:
        for line in parsed(part.name, part.first, part.lines, build):
            found.append(line)  # noqa: PERF402 - what was read before an error is kept
    except (Tampered, BadInput) as error:
        return found, Broken(error.message, error.where)
    return found, part.broken
