"""What people see of a run: progress, a table of groups, a picture with a square for each case."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

COLOURS = {"sound": "#4a9", "not reached": "#ccc", "failed": "#d33"}
SIDE, GAP, LEFT, LINE = 14, 3, 190, 34
WIDE = 48


@dataclass(frozen=True)
class Result:
    """How a case ended. `where` is what the victim was about, `folder` what it left if it failed."""

    name: str
    victim: str
    where: str
    seconds: float
    outcome: str
    faults: list[str]
    folder: str

    @property
    def group(self) -> str:
        """The case without its numbers."""
        return " ".join(word for word in self.name.split() if word.strip("#,.0123456789"))


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a program's own words


def line(result: Result) -> str:
    """A case on one line, its faults below."""
    told = "".join(f"\n       {fault}" for fault in result.faults)
    return f"{result.outcome:<11} {result.seconds:5.1f} s  {result.name}  ({result.where}){told}"


def counted(
    agent: Sequence[Mapping[str, str]],
    steps: Sequence[Mapping[str, str]],
    gateways: Mapping[str, Sequence[Mapping[str, str]]],
    posting: Mapping[str, Sequence[Mapping[str, str]]],
) -> str:
    """How much an undisturbed round writes and sends."""
    rows = [("agent, daemon", agent), ("agent, commands", steps)]
    rows += [(f"gateway {name}", points) for name, points in gateways.items()]
    rows += [(f"gateway {name}, posting", points) for name, points in posting.items()]
    lines = []
    for name, points in rows:
        kinds = Counter(point["kind"] for point in points if "died" not in point)
        lines.append(f"{name:<26} {kinds['commit']:>3} journal writes {kinds['send']:>3} sendings")
    return "\n".join(lines)


def write(results: Sequence[Result], folder: Path, seconds: float) -> None:
    """The table on standard output and in `table.txt`, the picture in `crash.svg`."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    rows = [f"{'group':<34} {'cases':>5} {'sound':>5} {'not reached':>11} {'failed':>6} {'seconds':>8}"]
    for name, found in [*groups.items(), ("all", list(results))]:
        counts = Counter(result.outcome for result in found)
        spent = sum(result.seconds for result in found)
        rows.append(
            f"{name:<34} {len(found):>5} {counts['sound']:>5} {counts['not reached']:>11} {counts['failed']:>6} {spent:>8.0f}"
        )
    rows.append(f"{seconds:.0f} s")
    text = "\n".join([*rows, "", *(line(result) for result in results)])
    (folder / "table.txt").write_text(text + "\n", "utf-8")
    (folder / "crash.svg").write_text(_picture(groups), "utf-8")
    print("\n".join(rows))  # noqa: T201 - a program's own words
    for result in results:
        if result.outcome == "failed":
            print(line(result), f"\n       see {result.folder}")  # noqa: T201 - as above
    print(f"all cases: {folder / 'table.txt'}, picture: {folder / 'crash.svg'}")  # noqa: T201 - as above


def _picture(groups: Mapping[str, Sequence[Result]]) -> str:
    parts, top = [], GAP
    for name, found in groups.items():
        parts.append(f'<text x="{LEFT - 8}" y="{top + SIDE - 3}" text-anchor="end">{escape(name)}</text>')
        for at, result in enumerate(found):
            x, y = LEFT + (at % WIDE) * (SIDE + GAP), top + (at // WIDE) * (SIDE + GAP)
            told = escape(f"{result.name}: {result.outcome}, {result.seconds} s {result.where} {' '.join(result.faults)[:300]}")
            square = f'x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" fill="{COLOURS[result.outcome]}"'
            parts.append(f"<rect {square}><title>{told}</title></rect>")
        top += ((len(found) - 1) // WIDE) * (SIDE + GAP) + LINE - SIDE // 2
    wide = LEFT + WIDE * (SIDE + GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{top}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, *parts, "</svg>"]) + "\n"
