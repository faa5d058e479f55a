"""English to Portuguese word by word from a small table, as a JSON-lines program: the floor that any translator should beat.

Words that the table lacks stay as they are; a capital stays a capital. No grammar at all.
"""

import re
from pathlib import Path

from lines import serve

TABLE = Path(__file__).with_name("word_table.tsv")
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")


def load(path: Path = TABLE) -> dict[str, str]:
    """English to Portuguese, lower case."""
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    return dict(row.split("\t", 1) for row in rows)


def translate(text: str, table: dict[str, str]) -> str:
    """The text with every known word replaced; an empty entry leaves its word out."""

    def replace(match: re.Match[str]) -> str:
        word = match[0]
        found = table.get(word.lower(), word)
        return found[:1].upper() + found[1:] if word[0].isupper() else found

    return re.sub(r" {2,}", " ", WORD.sub(replace, text)).strip()


def main() -> None:
    """Answer from the table."""
    table = load()
    serve(lambda text: translate(text, table))


if __name__ == "__main__":
    main()
