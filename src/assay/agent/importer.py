"""A test set from a file: CSV, TSV or JSONL with prompt, reference and, if wanted, group, tags and kind.

All mistakes of a file are collected before anything is said, each with file and line; one mistake and nothing is imported. Texts
stay the raw UTF-8 bytes that stand in the file: no normalising, no stripping.

CSV is RFC 4180: commas, double quotes, newlines inside quotes. TSV has no quoting at all, as test sets for translation are
written: a quote is a letter, and no text holds a tab or a newline. JSONL is one object a line.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.agent.tables import Problem, Row, read_rows
from assay.errors import BadInput
from assay.types import Kind

FIELDS = ("prompt", "reference", "group", "tags", "kind")
KINDS: Mapping[str, Kind] = {"": Kind.SCORED, "scored": Kind.SCORED, "decoy": Kind.DECOY}
MAX_ITEMS = 1 << 20
MAX_TEXT_BYTES = 65_536
MAX_LABEL_CHARS = 256
MAX_TAGS = 32
SHOWN = 20


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One item as its author wrote it. `where` is file:line; an empty group means that the item is a group of its own."""

    kind: Kind
    prompt: bytes
    reference: bytes
    group: str
    tags: tuple[str, ...]
    where: str


def read_set(
    path: Path,
    decoys: Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
) -> tuple[SourceItem, ...]:
    """All items of a set, those of the decoys' file last, in the order of their files.

    `columns` renames columns of the files to the fields' names, `ignored` columns are passed over. BadInput lists the first 20
    mistakes of both files; nothing is returned then.
    """
    problems: list[Problem] = []
    items = _items(path, None, columns or {}, ignored, problems)
    if decoys is not None:
        items += _items(decoys, Kind.DECOY, columns or {}, ignored, problems)
    problems += _duplicates(items)
    if not problems and not any(item.kind is Kind.SCORED for item in items):
        problems.append(Problem(str(path), "no item counts", "give at least one item that is not a decoy"))
    if len(items) > MAX_ITEMS:
        problems.append(Problem(str(path), f"{len(items)} items", f"a set has at most {MAX_ITEMS}; split it"))
    if problems:
        raise _all_of(problems)
    return tuple(items)


def _items(
    path: Path, fixed: Kind | None, columns: Mapping[str, str], ignored: Collection[str], problems: list[Problem]
) -> list[SourceItem]:
    items = []
    rows, found = read_rows(path, FIELDS, required=_required(fixed), columns=columns, ignored=ignored)
    problems += found
    for row in rows:
        item, mistakes = _item(row, fixed)
        problems += [Problem(row.where, what, remedy) for what, remedy in mistakes]
        if item is not None and not mistakes:
            items.append(item)
    return items


def _required(fixed: Kind | None) -> tuple[str, ...]:
    return ("prompt",) if fixed is Kind.DECOY else ("prompt", "reference")


def _item(row: Row, fixed: Kind | None) -> tuple[SourceItem | None, list[tuple[str, str]]]:
    mistakes: list[tuple[str, str]] = []
    kind = _kind(row, fixed, mistakes)
    prompt = _text(row, "prompt", mistakes)
    reference = _text(row, "reference", mistakes, may_be_empty=kind is Kind.DECOY)
    group = _label(row, "group", mistakes)
    tags = _tags(row, mistakes)
    return SourceItem(kind, prompt, reference, group, tags, row.where), mistakes


def _kind(row: Row, fixed: Kind | None, mistakes: list[tuple[str, str]]) -> Kind:
    value = row.fields.get("kind", "")
    kind = KINDS.get(value) if isinstance(value, str) else None
    if kind is None:
        mistakes.append((f"kind is {value!r:.40}", "write scored, decoy or nothing"))
        return fixed or Kind.SCORED
    if fixed is not None and value and kind is not fixed:
        mistakes.append((f"kind is {value!r} in a file of decoys", "move the line to the set's own file"))
    return fixed or kind


def _text(row: Row, name: str, mistakes: list[tuple[str, str]], *, may_be_empty: bool = False) -> bytes:
    value = row.fields.get(name, "" if may_be_empty else None)
    if not isinstance(value, str):
        mistakes.append((f"{name} is missing" if value is None else f"{name} is not a text", f"give {name} as a text"))
        return b""
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        mistakes.append((f"{name} holds half of a surrogate pair", "write whole Unicode characters"))
        return b""
    if not may_be_empty and not value.strip():
        mistakes.append((f"{name} is empty", "fill it in or drop the line" + (", or make it a decoy" * (name == "reference"))))
    if len(raw) > MAX_TEXT_BYTES:
        mistakes.append((f"{name} has {len(raw)} bytes", f"shorten it to {MAX_TEXT_BYTES} at most"))
    return raw


def _label(row: Row, name: str, mistakes: list[tuple[str, str]]) -> str:
    value = row.fields.get(name, "")
    if not isinstance(value, str) or not _is_label(value):
        mistakes.append((f"{name} is no short text", f"at most {MAX_LABEL_CHARS} printable characters"))
        return ""
    return value


def _tags(row: Row, mistakes: list[tuple[str, str]]) -> tuple[str, ...]:
    value = row.fields.get("tags", "")
    tags = [tag.strip() for tag in value.split(";") if tag.strip()] if isinstance(value, str) else value
    if (
        not isinstance(tags, list)
        or len(tags) > MAX_TAGS
        or not all(isinstance(tag, str) and tag and _is_label(tag) for tag in tags)
    ):
        mistakes.append(("tags are no list of short texts", f"at most {MAX_TAGS}, separated by semicolons, or a JSON array"))
        return ()
    return tuple(tags)


def _is_label(value: str) -> bool:
    return len(value) <= MAX_LABEL_CHARS and (not value or value.isprintable())


def _duplicates(items: list[SourceItem]) -> list[Problem]:
    first: dict[bytes, str] = {}
    problems = []
    for item in items:
        seen = first.setdefault(item.prompt, item.where)
        if seen != item.where:
            problems.append(Problem(item.where, f"the same prompt as {seen}", "keep one of them; a prompt is asked once"))
    return problems


def _all_of(problems: list[Problem]) -> BadInput:
    shown = "\n".join(f"  {problem.where}: {problem.what} ({problem.remedy})" for problem in problems[:SHOWN])
    more = f"\n  … and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    error = BadInput(
        f"{len(problems)} mistake{'s' * (len(problems) > 1)}, nothing was imported:\n{shown}{more}",
        "mend the file and import it again",
    )
    error.where = problems[0].where
    return error
