"""A provider that posts an answer by hand: late, or another one than it gave.

    python tests/forger/post.py ROUND [--text "another answer"]

Posts the first answer of its gateway's journal, or that text signed in its place. Prints the position. Ends with 1 and the
chain's error where the post is refused. Settings come from ASSAY_RPC, ASSAY_DEPLOYMENT, ASSAY_HOME and ASSAY_PASSWORD_FILE.
"""

import argparse
import os
import sys
from pathlib import Path

from assay import keys
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.errors import Reverted
from assay.gateway.database import Database
from assay.gateway.journal import Journal, Kept
from assay.gateway.messages import Place
from assay.types import PostedAnswer, RoundId


def first_answer(round_: RoundId) -> Kept:
    """The answer at the lowest position that this home's gateway gave in a round."""
    database = Database(Path(os.environ["ASSAY_HOME"]) / "gateway.sqlite")
    journal = Journal(database)
    (seat,) = (seat for seat in journal.seats() if seat.round == round_)
    found = (journal.answer(Place(*seat, position)) for position in range(100))
    kept = next(answer for answer in found if answer is not None)
    database.close()
    return kept


def post(round_: RoundId, key: str, text: str | None) -> int:
    """Sends the post; its position."""
    chain = Chain.connect(os.environ["ASSAY_RPC"], deployments.load(Path(os.environ["ASSAY_DEPLOYMENT"])))
    home, password = Path(os.environ["ASSAY_HOME"]), keys.read_password(Path(os.environ["ASSAY_PASSWORD_FILE"]))
    signer, kept = keys.open_key(home / "keys", key, password), first_answer(round_)
    answer, place = kept.answer, kept.answer.place
    response = answer.response if text is None else text.encode()
    signature = signer.sign(chain.domain.answer(*place, answer.prompt_hash, keccak(response)))
    posted = PostedAnswer(
        place.version, place.position, answer.prompt_hash, kept.answer_until, response, kept.ask_signature, signature
    )
    Door(chain, signer).send(chain.rounds.post_answer(round_, posted))
    return place.position


def main() -> None:
    """Posts one answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("round", help="id of a round in which this home's gateway answered")
    parser.add_argument("--key", default="operator")
    parser.add_argument("--text", help="sign and post this instead of the answer that was given")
    options = parser.parse_args()
    round_ = RoundId(bytes.fromhex(options.round.removeprefix("0x")))
    try:
        sys.stdout.write(f"{post(round_, options.key, options.text)}\n")
    except Reverted as error:
        sys.exit(error.error)


if __name__ == "__main__":
    main()
