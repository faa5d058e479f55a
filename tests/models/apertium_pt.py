"""English to Portuguese by rules, as a JSON-lines program: Apertium English to Spanish, then Spanish to Brazilian Portuguese.

Only where apertium, apertium-eng-spa and apertium-es-pt are installed. A fresh pair of processes a text takes half a second,
and a server of it would let texts leak into each other; so --prompts FILE (a TSV file with a `source` column) translates all
of them at the start in one run. In such a run a blank line has to part the texts: with a single line break, or with `-f
line`, Apertium drops final punctuation or lets segments run into each other, and the scores are wrong. Line breaks inside a
text become spaces.
"""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lines import serve

DIRECTIONS = ("eng-spa", "es-pt_BR")
PART = "\n\n"


def translate_all(texts: Sequence[str]) -> list[str]:
    """Portuguese for English texts, in one run of both directions. ValueError if it comes back in other parts."""
    flat = [" ".join(text.split()) for text in texts]
    whole = PART.join(flat) + PART
    for direction in DIRECTIONS:
        command = ["apertium", "-u", direction]
        whole = subprocess.run(command, input=whole, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    parts = whole.removesuffix(PART).split(PART)
    if len(parts) != len(texts):
        raise ValueError(f"{len(texts)} texts became {len(parts)}")
    return [part.strip() for part in parts]


def known(path: Path) -> dict[str, str]:
    """Translations of all prompts of a file."""
    rows = [line.removesuffix("\r").split("\t") for line in path.read_text(encoding="utf-8").removesuffix("\n").split("\n")]
    column = rows[0].index("source")
    prompts = list(dict.fromkeys(row[column] for row in rows[1:]))
    return dict(zip(prompts, translate_all(prompts), strict=True))


def main() -> None:
    """Read the options and answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=Path)
    options = parser.parse_args()
    answers = known(options.prompts) if options.prompts else {}
    serve(lambda prompt: answers[prompt] if prompt in answers else translate_all([prompt])[0])


if __name__ == "__main__":
    main()
