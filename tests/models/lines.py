"""What the command-line models share: one JSON string a line in, one JSON string or null a line out."""

import json
import sys
from collections.abc import Callable


def serve(translate: Callable[[str], str | None]) -> None:
    """Answer each line of standard input until it ends."""
    for line in sys.stdin.buffer:
        answer = translate(json.loads(line))
        sys.stdout.write(json.dumps(answer, ensure_ascii=True) + "\n")
        sys.stdout.flush()
