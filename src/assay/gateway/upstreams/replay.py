"""Answers that were made before: a TSV file of prompts and outputs, looked up exactly."""

from pathlib import Path

from assay.errors import BadInput

MAX_FILE_BYTES = 256 * 2**20


class ReplayUpstream:
    """Looks prompts up; an unknown one is silence."""

    def __init__(self, answers: dict[str, str]) -> None:
        """From prompt to output."""
        self._answers = answers

    async def translate(self, prompt: str) -> bytes | None:
        """The output that stands beside this prompt, or None."""
        output = self._answers.get(prompt)
        return None if output is None else output.encode()

    async def close(self) -> None:
        """Nothing to stop."""


def load(outputs: Path, output_column: str, prompt_column: str, prompts: Path | None = None) -> ReplayUpstream:
    """Read a TSV file with a header.

    Prompts stand in the same file, or in `prompts`, whose rows belong to those of the same `id`. BadInput names file and
    line; the same prompt with two outputs is refused, since an examiner asks by prompt alone.
    """
    found = _column(outputs, output_column)
    if prompts is None:
        keys = _column(outputs, prompt_column)
        return ReplayUpstream(_joined(keys, [output for output, _ in found], outputs))
    by_id = {identity: output for (identity, _), (output, _) in zip(_column(outputs, "id"), found, strict=True)}
    keys = _column(prompts, prompt_column)
    values = [by_id.get(identity) for identity, _ in _column(prompts, "id")]
    return ReplayUpstream(_joined(keys, values, prompts))


def _joined(keys: list[tuple[str, int]], values: list[str | None], path: Path) -> dict[str, str]:
    answers: dict[str, str] = {}
    for (prompt, line), output in zip(keys, values, strict=True):
        if output is not None and answers.setdefault(prompt, output) != output:
            raise BadInput("this prompt has another output above", "keep one of them", where=f"{path}:{line}")
    return answers


def _column(path: Path, name: str) -> list[tuple[str, int]]:
    """Cells of a column with their line numbers. Lines end in LF or CRLF; other line breaks are text."""
    lines = _text(path).removesuffix("\n").split("\n")
    header = lines[0].removesuffix("\r").split("\t")
    if header.count(name) != 1:
        raise BadInput(f"no single column {name!r}", f"the columns are {', '.join(header)[:500]}", where=f"{path}:1")
    index, cells = header.index(name), []
    for number, line in enumerate(lines[1:], 2):
        row = line.removesuffix("\r").split("\t")
        if len(row) != len(header):
            raise BadInput(f"{len(row)} cells instead of {len(header)}", "cells are parted by tabs", where=f"{path}:{number}")
        cells.append((row[index], number))
    return cells


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", "name another one", where=str(path)) from None
    if len(raw) > MAX_FILE_BYTES:
        raise BadInput(f"the file is larger than {MAX_FILE_BYTES} bytes", "split it", where=str(path))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadInput("no UTF-8 text", "save it as UTF-8", where=f"{path}:{line}") from None
