"""Geometry of the picture, read back from the SVG: nothing overlaps, nothing leaves the view, whatever the names are."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from assay.rank import picture
from assay.rank.board import Board, build
from assay.rank.table import VersionResult
from assay.types import Phase, Standing, VersionId
from unit.rank.results import BLEU, round_result, version

SVG = "{http://www.w3.org/2000/svg}"
SIZES = {"title": 17, "small": 11}
NAMES = (
    "a",
    'WWWWWWWWWW & <MMMMMMMMMMMMMM> "a name that goes on and on and has no end at all, really none"',
    "模型翻译系统版本四点五大型语言模型模型翻译系统版本四点五",
    "line\nbreak \x00 and \ud800 a bell \x07",
    "]]></style><script>alert(1)</script>",
    "",
)


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float
    text: str

    def meets(self, other: "Box") -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


def board(versions: int, benchmarkers: int, *, silences: int = 0) -> Board:
    results = []
    for owner in range(benchmarkers):
        found: list[VersionResult] = []
        for n in range(versions):
            standing = Standing.INCOMPLETE if n % 7 == 6 else Standing.SCORED
            found.append(version(bytes([n, 1]), 0.1 + 0.02 * n, 6, silences, str(n), 10 * owner, standing))
        phase = Phase.FINAL if owner % 2 else Phase.CHALLENGING
        results.append(round_result(bytes([owner]), found, benchmarker=f"0x{owner:040x}", phase=phase))
    return build(results, [])


def names(versions: int) -> dict[VersionId, str]:
    return {VersionId((bytes([n, 1]) * 32)[:32]): name for n, name in enumerate(NAMES[:versions])}


def read(svg: str) -> tuple[ElementTree.Element, tuple[float, float]]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    return root, (width, height)


def texts(root: ElementTree.Element) -> Iterator[Box]:
    """Boxes of all texts, as wide as wide letters make them: a second opinion on the widths that the layout guessed."""
    for node in root.iter(f"{SVG}text"):
        size = next((SIZES[kind] for kind in node.attrib["class"].split() if kind in SIZES), 13)
        text = node.text or ""
        wide = sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.95 if letter in "WM@" else 0.6 for letter in text)
        x, y, width = float(node.attrib["x"]), float(node.attrib["y"]), size * wide
        left = x - width / 2 if node.attrib.get("text-anchor") == "middle" else x
        yield Box(left, y - 0.8 * size, left + width, y + 0.2 * size, text)


@pytest.mark.parametrize(("versions", "benchmarkers"), [(1, 1), (3, 2), (6, 3), (13, 5), (40, 1)])
def test_of_board__any_number__no_text_meets_another_or_leaves_the_view(versions: int, benchmarkers: int) -> None:
    root, (width, height) = read(picture.of_board(board(versions, benchmarkers), BLEU, names(versions)))
    found = list(texts(root))
    assert sum(box.text.startswith("tier ") for box in found) == benchmarkers * sum(n % 7 != 6 for n in range(versions))
    for box in found:
        assert 0 <= box.left < box.right <= width or not box.text, box
        assert 0 <= box.top < box.bottom <= height, box
    for one, other in combinations(found, 2):
        assert not one.meets(other), (one, other)


def test_of_board__marks__stand_inside_their_plots_and_beside_no_text() -> None:
    root, (width, height) = read(picture.of_board(board(9, 3, silences=1), BLEU, names(9)))
    values = [box for box in texts(root) if re.fullmatch(r"\d+\.\d\d|tier \d+", box.text)]
    labels = [box for node, box in zip(root.iter(f"{SVG}text"), texts(root), strict=True) if node.attrib["class"] == "name"]
    marks = 0
    for node in root.iter():
        kinds = node.attrib.get("class", "").split()
        if "dot" in kinds:
            x, y, r = (float(node.attrib[key]) for key in ("cx", "cy", "r"))
            box = Box(x - r, y - r, x + r, y + r, "dot")
        elif {"bar", "joint"} & set(kinds):
            x, end, y = (float(node.attrib[key]) for key in ("x1", "x2", "y1"))
            box = Box(x, y, end, y, "bar")
            assert x <= end
        elif "band" in kinds:
            x, y, wide, high = (float(node.attrib[key]) for key in ("x", "y", "width", "height"))
            box = Box(x, y, x + wide, y + high, "band")
        else:
            continue
        marks += 1
        assert box.left >= 0
        assert box.right <= width
        assert box.bottom <= height
        assert not any(box.meets(text) for text in (*values, *labels)), box
    assert marks >= 3 * 3 * 8


def test_of_round__score__dot_stands_between_the_ticks_that_it_belongs_to() -> None:
    ranked = board(4, 1).ranked[0]
    root, _ = read(picture.of_round(ranked, {}))
    ticks = {float(node.text or ""): float(node.attrib["x"]) for node in root.iter(f"{SVG}text") if "text-anchor" in node.attrib}
    low, high = min(ticks), max(ticks)
    per_point = (ticks[high] - ticks[low]) / (high - low)
    dots = [float(node.attrib["cx"]) for node in root.iter(f"{SVG}circle")]
    for row, dot in zip((row for row in ranked.rows if row.tier), dots, strict=True):
        assert dot == pytest.approx(ticks[low] + (100 * row.score - low) * per_point, abs=0.11)


def test_of_board__provisional__hollow_dots_only_there() -> None:
    root, _ = read(picture.of_board(board(2, 2), BLEU, {}))
    hollow = ["open" in node.attrib["class"] for node in root.iter(f"{SVG}circle")]
    assert hollow == [True, True, False, False]


def test_of_board__says_metric_unit_and_where_the_axis_begins() -> None:
    root, _ = read(picture.of_board(board(3, 1), BLEU, {}))
    words = " ".join(node.text or "" for node in root.iter(f"{SVG}text"))
    for wanted in (BLEU.signature, "0 to 100", "higher is better", "the axis begins at", "95 % interval", "provisional"):
        assert wanted in words


def test_of_board__hostile_names__stay_text_and_the_file_is_closed_in_itself() -> None:
    svg = picture.of_board(board(6, 1), BLEU, names(6))
    root, _ = read(svg)
    assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {"svg", "title", "style", "rect", "line", "circle", "text"}
    assert svg.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "prefers-color-scheme:dark" in svg
    assert svg == picture.of_board(board(6, 1), BLEU, names(6))


def test_of_board__nobody_scored__still_a_picture() -> None:
    result = round_result(b"r", [version(b"x", 0.3, standing=Standing.INCOMPLETE)])
    root, _ = read(picture.of_board(build([result], []), BLEU, {}))
    assert "incomplete" in {node.text for node in root.iter(f"{SVG}text")}
