"""The mteval-v13a tokenizer as one expression that finds tokens, where sacreBLEU has a chain of substitutions.

The rules are those of sacreBLEU's `tok:13a`, https://github.com/mjpost/sacrebleu, sacrebleu/tokenizers/tokenizer_13a.py and
tokenizer_re.py, after NIST's mteval-v13a.pl.
"""

import re
from collections.abc import Iterator
from typing import Final

# The 29 code points at which Python's `str.split()` splits.
_SPACE: Final = r"\x09-\x0d\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PUNCTUATION: Final = r"!-&(-+/:-@\[-`{-~"

# A word holds no space, punctuation, dash or stop, except a dash that follows no digit and a stop between two digits.
_TOKEN: Final = re.compile(
    rf"(?:[^{_SPACE}{_PUNCTUATION}.,\-]+|(?<![0-9])-|(?<=[0-9])[.,](?=[0-9]))+|[{_PUNCTUATION}.,\-]",
)
_RUN: Final = re.compile(r"[.,]{2,}")
_TRAILING: Final = re.compile(rf"[{_SPACE}]+\Z")
_ENTITIES: Final = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_DIGITS: Final = frozenset("0123456789")


def tokenize(text: bytes) -> list[str]:
    """The tokens of `text`; bytes that are not UTF-8 become lone surrogates, as in `decode(errors="surrogateescape")`."""
    line = _prepare(text.decode("utf-8", "surrogateescape"))
    return _TOKEN.findall(line) if _RUN.search(line) is None else list(_around_runs(line))


def _prepare(line: str) -> str:
    """The language-independent part of 13a, in its order."""
    if "-\n" in line or "<skipped>" in line:
        line = _TRAILING.sub("", line).replace("<skipped>", "").replace("-\n", "")
    if "&" in line:
        for entity, char in _ENTITIES:
            line = line.replace(entity, char)
    return line


def _around_runs(line: str) -> Iterator[str]:
    """The tokens of a line that holds runs of stops and commas.

    13a takes a run in pairs, from the left, the first pair beginning with the character before the run unless that is a digit.
    Each stop becomes a token, except that the odd one out, at the end, stays joined to a digit behind it.
    """
    glue, start = "", 0
    for run in _RUN.finditer(line):
        yield from _glued(glue, line[start : run.start()])
        stops, after = run.group(), line[run.end() : run.end() + 1]
        digit_before = line[max(run.start() - 1, 0) : run.start()] in _DIGITS
        odd_one_out = (len(stops) % 2 == 1) == digit_before
        glue = stops[-1] if odd_one_out and after in _DIGITS else ""
        yield from stops[: len(stops) - len(glue)]
        start = run.end()
    yield from _glued(glue, line[start:])


def _glued(glue: str, piece: str) -> Iterator[str]:
    """The tokens of a piece between two runs; `glue` belongs to the first of them."""
    tokens: list[str] = _TOKEN.findall(piece)
    if glue:
        tokens[0] = glue + tokens[0]
    yield from tokens
