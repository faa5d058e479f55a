"""A benchmarker that puts its questions and never acknowledges an answer; nothing of what it hears is kept.

    python tests/forger/mute.py ROUND --seconds 30

Prints a JSON object: the gateway's status code for each position, and `answer_until`.
"""

import argparse
import json
import sys

import httpx
from falsify import Forger

from assay.types import RoundId


def ask(forger: Forger, seconds: int) -> dict[str, object]:
    """Puts every question once to the first model; what the gateway said."""
    (seat, *_), until = forger.journal.enrolments(forger.record.round), forger.chain.head().timestamp + seconds
    said = {}
    for position, item in enumerate(forger.items):
        place = (seat.round, seat.version, position)
        digest = forger.chain.domain.ask(*place, item.prompt_hash, until)
        body = {
            "round": "0x" + seat.round.hex(),
            "version": "0x" + seat.version.hex(),
            "position": position,
            "prompt": item.prompt.decode(),
            "answer_until": until,
            "signature": "0x" + forger.signer.sign(digest).hex(),
        }
        said[position] = httpx.post(f"{seat.url}/v1/ask", json=body, timeout=30).status_code
    return {"said": said, "answer_until": until}


def main() -> None:
    """Asks one round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("round", help="id of a round of this home with an enrolled model")
    parser.add_argument("--key", default="operator")
    parser.add_argument("--seconds", type=int, default=30, help="time that an Ask leaves for its answer")
    options = parser.parse_args()
    forger = Forger(RoundId(bytes.fromhex(options.round.removeprefix("0x"))), options.key)
    sys.stdout.write(json.dumps(ask(forger, options.seconds)) + "\n")


if __name__ == "__main__":
    main()
