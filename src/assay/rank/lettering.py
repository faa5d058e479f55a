"""How wide a text is drawn, guessed on the wide side: SVG measures nothing before it is shown, and fonts differ."""

import unicodedata
from collections.abc import Iterator, Sequence

WIDE, NARROW = set("mwMW@%—…"), set("iljtfrI.,:;|'!()[] ")
LATIN_END = 0x02FF
ELLIPSIS = "…"


def width(text: str, size: float) -> float:
    """Width of a text in pixels at a font size in pixels, for the widest of the common sans-serif fonts."""
    return size * sum(map(_em, text))


def printable(text: str) -> str:
    """A stranger's text as XML may hold it: on one line, without what cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def fit(text: str, limit: float, size: float) -> str:
    """The text, cut to a width in pixels and ended by an ellipsis where it is longer."""
    text = printable(text)
    if width(text, size) <= limit:
        return text
    room = limit - width(ELLIPSIS, size)
    kept = ""
    for letter in text:
        if width(kept + letter, size) > room:
            break
        kept += letter
    return kept.rstrip() + ELLIPSIS


def lines(parts: Sequence[str], limit: float, size: float, gap: str = "   ") -> Iterator[str]:
    """Parts joined into lines of at most a width; one that is wider alone is cut."""
    line = ""
    for part in (fit(part, limit, size) for part in parts):
        if line and width(line + gap + part, size) > limit:
            yield line
            line = part
        else:
            line = line + gap + part if line else part
    if line:
        yield line


def _em(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.category(letter) == "So":
        return 1.4
    if letter in WIDE or ord(letter) > LATIN_END:
        return 1.05
    if letter in NARROW:
        return 0.45
    return 0.8 if letter.isupper() else 0.66
