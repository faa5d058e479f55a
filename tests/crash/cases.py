"""Which cases there are: every point of an undisturbed round, for agent and gateways, and seeded moments for all of them."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crash import ground
from crash.cast import Case
from crash.play import AGENT, CHAIN
from crash.points import SEND, End

SEED = "assay crash"
SLICE_SEED = "assay crash slice"
Points = Sequence[Mapping[str, str]]
"""A trace."""
MOMENTS = {AGENT: 12, **dict.fromkeys(ground.PROVIDERS, 12), CHAIN: 14}
TWICE = 12
LAST = 0.95
TABLES = 6
"""Of the agent's tables, in the slice."""
EVERY = 2
"""Of the posts, which are all alike."""


def plain_cases() -> list[Case]:
    """The rounds that nobody disturbs; the first is what all others are compared with."""
    return [Case("plain"), Case("plain steps", mode="steps"), Case("plain withheld", withhold=True)]


def all_cases(agent: Points, steps: Points, gateways: Mapping[str, Points], posting: Mapping[str, Points]) -> list[Case]:
    """Every case, from undisturbed rounds' traces: of the daemon, of the commands, of gateways, of gateways that post."""
    found = [*_agent(agent, steps), *_moments()]
    for name, points in gateways.items():
        found += _writes(name, points)
    for name, points in posting.items():
        found += _posts(name, points)
    return found


def slice_of(cases: Sequence[Case], points: Points) -> list[Case]:
    """A named sample: the agent at half of its tables, a point of each other kind."""
    draw = random.Random(SLICE_SEED)
    tables = {name: [n for n, what in _numbered(points, "commit") if what == name] for name in _names(points, "commit")}
    chosen = [tables[name] for name in sorted(draw.sample(sorted(tables), min(TABLES, len(tables))))]
    wanted = {f"agent {draw.choice(('before', 'after'))} commit {draw.choice(numbers)}" for numbers in chosen}
    found = [case for case in cases if case.name in wanted]
    for kind in ("held", "forgotten", "steps", "twice", "posting", "chain"):
        found += draw.sample([case for case in cases if kind in case.name.split() and case not in found], 1)
    for name in ground.PROVIDERS:
        found += draw.sample([case for case in cases if case.name.startswith(f"{name} ") and case.name.split()[2] == "commit"], 1)
    return list(dict.fromkeys(found))


def _agent(daemon: Points, steps: Points) -> Iterator[Case]:
    yield from _writes(AGENT, daemon)
    for number, what in _numbered(daemon, "send"):
        yield Case(f"agent after send {number}", AGENT, ends=(End("send", "after", number),))
        if what == SEND:
            yield Case(f"agent before send {number}", AGENT, ends=(End("send", "before", number),))
    for number in range(1, sum(what == SEND for _, what in _numbered(daemon, "send")) + 1):
        yield from _held(AGENT, number, "")
    for case in list(_writes(AGENT, steps)):
        number, when = case.name.split()[-1], case.ends[0].when
        if (when == "after") == (int(number) % 2 == 1):
            yield replace(case, name=f"agent steps {when} commit {number}", mode="steps")
    for number, what in _numbered(steps, "send"):
        if what == SEND:
            yield Case(f"agent steps after send {number}", AGENT, mode="steps", ends=(End("send", "after", number),))
    draw, commits = random.Random(f"{SEED} twice"), len(_numbered(daemon, "commit"))
    for number in sorted(draw.sample(range(1, commits), min(TWICE, commits - 1))):
        second = End(*draw.choice((("commit", "before"), ("commit", "after"), ("send", "after"))), 1)
        yield Case(f"agent twice from commit {number}", AGENT, ends=(End("commit", "after", number), second))


def _writes(name: str, points: Points) -> Iterator[Case]:
    """Around each commit. The k-th of all is met as the n-th of its tables, since under load a round may ask once more."""
    commits = _numbered(points, "commit")
    for number, what in commits:
        nth = sum(earlier == what for _, earlier in commits[:number])
        for when in ("before", "after"):
            yield Case(f"{name} {when} commit {number}", name, ends=(End("commit", when, nth, what),))


def _held(name: str, number: int, tag: str, *, withhold: bool = False) -> Iterator[Case]:
    """Dead while a transaction waits to be mined; and dead while the node forgets it."""
    end = End("send", "after", number, SEND, held=True)
    yield Case(f"{name}{tag} held transaction {number}", name, ends=(end,), withhold=withhold)
    yield Case(f"{name}{tag} forgotten transaction {number}", name, ends=(end,), withhold=withhold, forget=True)


def _posts(name: str, points: Points) -> Iterator[Case]:
    """While it posts: around each commit that belongs to posting, after each sending."""
    for table in [what for what in _names(points, "commit") if what in ("posts", "transactions")]:
        for number in range(1, sum(what == table for _, what in _numbered(points, "commit")) + 1, EVERY):
            for when in ("before", "after"):
                end = End("commit", when, number, table)
                yield Case(f"{name} posting {when} {table} {number}", name, ends=(end,), withhold=True)
    for number in range(1, sum(what == SEND for _, what in _numbered(points, "send")) + 1, EVERY):
        yield Case(f"{name} posting after send {number}", name, ends=(End("send", "after", number, SEND),), withhold=True)
        yield from _held(name, number, " posting", withhold=True)


def _moments() -> Iterator[Case]:
    for victim, count in MOMENTS.items():
        draw = random.Random(f"{SEED} {victim}")
        for number in range(1, count + 1):
            moments = tuple(sorted(draw.uniform(0.0, LAST) for _ in range(2 if victim == CHAIN else 1)))
            yield Case(f"{victim} at {', '.join(f'{m:.2f}' for m in moments)} #{number}", victim, moments=moments)


def _numbered(points: Points, kind: str) -> list[tuple[int, str]]:
    found = [point["what"] for point in points if point["kind"] == kind and "died" not in point]
    return list(enumerate(found, 1))


def _names(points: Points, kind: str) -> list[str]:
    return list(dict.fromkeys(what for _, what in _numbered(points, kind)))
