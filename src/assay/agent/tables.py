"""Rows of CSV, TSV and JSONL files with the line that each begins at; what cannot be read becomes a Problem, never a guess."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from assay.errors import BadInput

MAX_FILE_BYTES = 1 << 28
SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Problem(NamedTuple):
    """A mistake in a file: file:line, what is wrong, what to do."""

    where: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Row:
    """One record: file:line of its first line, and its fields by name. Values are texts, from JSONL anything."""

    where: str
    fields: Mapping[str, object]


class _Names(NamedTuple):
    known: Collection[str]
    required: Collection[str]
    columns: Mapping[str, str]
    ignored: Collection[str]

    def rename(self, given: str) -> str:
        return self.columns.get(given, given)

    def unknown(self, given: Collection[str]) -> list[str]:
        return sorted({name for name in given if name not in self.ignored and self.rename(name) not in self.known})


def read_rows(
    path: Path, known: Collection[str], *, required: Collection[str], columns: Mapping[str, str], ignored: Collection[str]
) -> tuple[list[Row], list[Problem]]:
    """Records of a file, and all that is wrong with its form. BadInput where the file cannot be read at all.

    `columns` maps names in the file to known names; `ignored` names are dropped. Records with a Problem are left out.
    """
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        raise BadInput("no such kind of file", f"name it {', '.join(sorted(SUFFIXES))}", where=str(path))
    problems: list[Problem] = []
    lines, broken = _lines(path, problems)
    names = _Names(known, required, columns, ignored)
    if form == "jsonl":
        records = _jsonl(path, lines, broken, names, problems)
    else:
        records = _table(
            path, _csv(path, lines, problems) if form == "csv" else _tsv(path, lines, problems), broken, names, problems
        )
    return list(records), problems


def _lines(path: Path, problems: list[Problem]) -> tuple[list[str], set[int]]:
    """Lines with their endings, and the numbers of those that are not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name a file that can", where=str(path)) from None
    if len(data) > MAX_FILE_BYTES:
        raise BadInput(f"larger than {MAX_FILE_BYTES} bytes", "split it into several sets", where=str(path))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadInput("is UTF-16", "save it as UTF-8", where=f"{path}:1")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in data and b"\r" in data:
        raise BadInput("its lines end with a bare carriage return", "save it with line feeds", where=f"{path}:1")
    lines, broken = [], set()
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            lines.append(raw.decode() + "\n")
        except UnicodeDecodeError as error:
            problems.append(
                Problem(f"{path}:{number}", f"byte {error.start + 1} of the line is not UTF-8", "save the file as UTF-8")
            )
            broken.add(number)
            lines.append(raw.decode(errors="replace") + "\n")
    lines[-1] = lines[-1][:-1]
    return lines, broken


class _Record(NamedTuple):
    first: int
    last: int
    fields: list[str]


def _csv(path: Path, lines: list[str], problems: list[Problem]) -> Iterator[_Record]:
    reader = csv.reader(lines, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(Problem(f"{path}:{first}", f"not CSV: {error}", "close every quote, and double quotes inside quotes"))
            continue
        if fields:
            yield _Record(first, reader.line_num, fields)


def _tsv(path: Path, lines: list[str], problems: list[Problem]) -> Iterator[_Record]:
    for number, line in enumerate(lines, 1):
        fields = line.removesuffix("\n").removesuffix("\r").split("\t")
        if any(_looks_quoted(field) for field in fields):
            problems.append(
                Problem(f"{path}:{number}", "a field is quoted as in CSV", "TSV has no quotes: save the file as .csv")
            )
        elif fields != [""]:
            yield _Record(number, number, fields)


def _looks_quoted(field: str) -> bool:
    """A field that a spreadsheet has quoted: wrapped in quotes, with every quote inside doubled, and at least one of them."""
    inside = field[1:-1]
    return field[:1] == field[-1:] == '"' and '""' in inside and '"' not in inside.replace('""', "")


def _table(path: Path, records: Iterator[_Record], broken: set[int], names: _Names, problems: list[Problem]) -> Iterator[Row]:
    header = next(records, None)
    if header is None:
        problems.append(Problem(f"{path}:1", "no header", f"begin with a line of column names: {', '.join(names.known)}"))
        return
    given = ["" if name in names.ignored else names.rename(name) for name in header.fields]
    mistakes = _header_mistakes(header.fields, given, names)
    if mistakes:
        problems += [Problem(f"{path}:{header.first}", what, remedy) for what, remedy in mistakes]
        return
    for record in records:
        where = f"{path}:{record.first}"
        if broken.intersection(range(record.first, record.last + 1)):
            continue
        if len(record.fields) != len(given):
            what = f"{len(record.fields)} fields where the header has {len(given)}"
            problems.append(Problem(where, what, "give every line the same columns"))
            continue
        yield Row(where, {name: value for name, value in zip(given, record.fields, strict=True) if name})


def _header_mistakes(raw: list[str], given: list[str], names: _Names) -> list[tuple[str, str]]:
    mistakes = []
    twice = sorted({name for name in given if name and given.count(name) > 1})
    missing = [name for name in names.required if name not in given]
    unknown = names.unknown(raw)
    if twice:
        mistakes.append((f"columns named twice: {', '.join(twice)}", "keep one of each"))
    if missing:
        mistakes.append((f"no column {' and no column '.join(missing)}", "add it, or rename one: --map COLUMN=FIELD"))
    if unknown:
        mistakes.append(
            (f"unknown columns: {', '.join(map(repr, unknown))}", "drop them: --ignore COLUMN, or rename: --map COLUMN=FIELD")
        )
    return mistakes


def _jsonl(path: Path, lines: list[str], broken: set[int], names: _Names, problems: list[Problem]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if number in broken or not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            orjson.loads(line)  # strict, and bounded in depth, which the standard library is not
            pairs = json.loads(line, object_pairs_hook=_Pairs)
        except orjson.JSONDecodeError as error:
            problems.append(Problem(where, f"not JSON: {error.msg}", "write one JSON object a line"))
            continue
        if not isinstance(pairs, _Pairs):
            problems.append(Problem(where, "not a JSON object", "write one object with prompt and reference a line"))
            continue
        given = [name for name, _ in pairs]
        unknown = names.unknown(given)
        fields = {names.rename(name): value for name, value in pairs if name not in names.ignored}
        if unknown:
            listed = ", ".join(map(repr, unknown))
            problems.append(
                Problem(where, f"unknown fields: {listed:.200}", "drop them: --ignore FIELD, or rename: --map GIVEN=FIELD")
            )
        elif len(fields) != len([name for name in given if name not in names.ignored]):
            problems.append(Problem(where, "a field is given twice", "keep one of each"))
        else:
            yield Row(where, fields)


class _Pairs(list[tuple[str, object]]):
    """An object of JSON with its names in order, doubled ones too."""
