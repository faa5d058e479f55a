"""Forty rounds on one chain, most of them with a planted fault, and one watchtower: what it finds, and who is harmed.

    python tests/exercise/run.py                 the table as markdown
    python tests/exercise/run.py --write         also into this folder's README

The rounds are played in step (`play.py`), the watchtower is `assay watch run --once` as a process of its own, started again after
each jump of the chain's clock. A liar answers what demands it can. Ends with 1 unless every fault was punished as planned, no
honest bond was touched, and the money adds up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.audit.facts import collect
from assay.audit.judge import judge
from assay.audit.openings import opened, set_tree
from assay.chain import deployments, index
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, Options, fund
from assay.chain.door import Door
from assay.encoding.receipts import LocalSigner
from assay.storage.store import Store
from assay.types import Address, DemandState, Opening, Phase, Verdict
from exercise.faults import PLANTS
from exercise.planted import DEPOSIT, ETHER, Planted
from exercise.play import Exercise
from unit.audit.exam import seeded
from unit.audit.test_on_chain import pass_time

FOLDER = Path(__file__).resolve().parent
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
FLOOD = "honest_flooded_with_demands"
SETTINGS = """schema = 1
seed = "exercise"
sample = 2
evidence = "inbox"
serve_seconds = 60
budget_per_day_ether = "5"
budget_ether = "10"
"""
ROUNDS_OF_THE_CLOCK = 40
"""Most jumps of the clock until everything is over."""


class Row(NamedTuple):
    """What came of one round. `seconds` are the chain's, from the reveal, or the seal where there was none, to the proof."""

    plant: str
    planned: str
    by: str
    outcome: str
    proof: str
    demands: int
    gas: int
    seconds: int
    wrong: str


class Watchtower:
    """The command, with a home, a key and a stake of its own."""

    def __init__(self, devnet: Devnet, home: Path) -> None:
        self.home, self.inbox = home, home / "inbox"
        self.inbox.mkdir(parents=True)
        deployments.save(home / "deployment.json", devnet.deployment)
        (home / "password").write_text("a password of an exercise\n")
        (home / "password").chmod(0o600)
        (home / "watch.toml").write_text(SETTINGS)
        self._environment = os.environ | {
            "ASSAY_RPC": devnet.rpc,
            "ASSAY_DEPLOYMENT": str(home / "deployment.json"),
            "ASSAY_HOME": str(home),
            "ASSAY_PASSWORD_FILE": str(home / "password"),
        }
        self.address: Address = self.run("keys", "new", "operator", "--light")["address"]
        fund(devnet.node, self.address, 100 * ETHER)
        self.run("provider", "deposit", "10 ether", "--key", "operator")
        self.run("provider", "allow", "operator", "10 ether", "--key", "operator")

    def run(self, *words: str) -> Any:
        """One command; its JSON."""
        command = [sys.executable, "-c", "from assay.cli.main import main; main()", "--json", "--log-level", "error", *words]
        ended = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=600, check=False)
        if ended.returncode:
            raise SystemExit(f"assay {' '.join(words)} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        return json.loads(ended.stdout.splitlines()[-1])

    def look(self) -> list[dict[str, Any]]:
        """Does all there is to do at this moment."""
        done: list[dict[str, Any]] = self.run("watch", "run", "--once", "--settings", str(self.home / "watch.toml"))["done"]
        return done


class Liar:
    """Answers whatever demand against its round it can, with the trees that it attested."""

    def __init__(self, chain: Chain, exam: Planted) -> None:
        self._chain, self._exam = chain, exam
        self._door = Door(chain, exam.operator)

    def answer(self) -> int:
        """How many demands could be answered now."""
        chain, round_ = self._chain, self._exam.round
        if chain.rounds.phase(round_) is not Phase.CHALLENGING:
            return 0
        count = 0
        for demand in index.demands_of(chain, round_):
            if demand.state is not DemandState.OPEN:
                continue
            opening = self._opening(demand.version, demand.position)
            if judge(collect(chain, round_), demand.version, opening) is Verdict.SOUND:
                self._door.send(chain.disputes.answer_demand(round_, demand.version, opening))
                count += 1
        return count

    def _opening(self, version: Any, position: int) -> Opening:
        exam = self._exam
        bare = opened(exam.items[position], exam.lines[version][position])
        paths = set_tree(collect(self._chain, exam.round), exam.items).path(position), exam.tree(version).path(position)
        return replace(bare, set_path=paths[0], sum_path=paths[1])


class Night:
    """One exercise from the first seal to the last payment."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.chain = Chain.connect(devnet.rpc, devnet.deployment)
        self.folder = folder
        self.tower = Watchtower(devnet, folder / "watcher")
        self.exercise = Exercise(self.chain, PLANTS)
        self.done: list[dict[str, Any]] = []

    def play(self) -> None:
        """Everything, in order."""
        self.exercise.seal()
        self.exercise.hold(self.tower.inbox / "held.json")
        self._look()
        self.exercise.reveal(self.folder)
        self._serve()
        self._flood()
        liars = [Liar(self.chain, exam) for exam in self.exercise.rounds if exam.answers_demands]
        for _ in range(ROUNDS_OF_THE_CLOCK):
            self._look()
            answered = sum(liar.answer() for liar in liars)
            if not answered and all(self._is_over(exam) for exam in self.exercise.rounds):
                return
            pass_time(self.chain.node, 601 if self._busy() else 7200)
        raise SystemExit(
            f"not over after {ROUNDS_OF_THE_CLOCK} looks: {[e.plant.title for e in self.exercise.rounds if not self._is_over(e)]}"
        )

    def release(self) -> None:
        """Frees all bonds whose time has come."""
        pass_time(self.chain.node, 4 * 86_400)
        sender, rounds = self.exercise.rounds[0].stranger, self.chain.rounds
        for exam in self.exercise.rounds:
            slashed = index.round_log(self.chain, exam.round).versions_slashed
            left = [version.id for version in exam.versions if version.id not in slashed]
            self.exercise.people.send(sender, rounds.release_versions(exam.round, left))
            if self.chain.rounds.phase(exam.round) is Phase.FINAL:
                self.exercise.people.send(sender, rounds.release(exam.round))

    def _look(self) -> None:
        self.done += self.tower.look()

    def _serve(self) -> None:
        store = Store(self.tower.home / "store")
        for exam in self.exercise.rounds:
            if exam.folder is not None and exam.serves:
                store.add(exam.folder)

    def _flood(self) -> None:
        """A stranger demands every position of an honest round."""
        exam = next(exam for exam in self.exercise.rounds if exam.plant.title == FLOOD)
        flooder = LocalSigner(seeded("flooder"))
        self.exercise.people.stake(flooder, flooder)
        for version in exam.versions:
            for position in range(len(exam.items)):
                self.exercise.people.send(flooder, self.chain.disputes.demand(exam.round, version.id, position))

    def _is_over(self, exam: Planted) -> bool:
        if exam.plant.provider and not index.round_log(self.chain, exam.round).versions_slashed:
            return False
        return self.chain.rounds.phase(exam.round) in (Phase.SLASHED, Phase.FINAL) or self._paid_out(exam)

    def _paid_out(self, exam: Planted) -> bool:
        return index.round_log(self.chain, exam.round).forfeited is not None

    def _busy(self) -> bool:
        return any(
            demand.state is DemandState.OPEN
            for exam in self.exercise.rounds
            if self.chain.rounds.phase(exam.round) is Phase.CHALLENGING
            for demand in index.demands_of(self.chain, exam.round)
        )

    # What came of it

    def rows(self) -> Iterator[Row]:
        """The table, one round a line."""
        for exam in self.exercise.rounds:
            yield self._row(exam)

    def _row(self, exam: Planted) -> Row:
        log, facts, phase = (
            index.round_log(self.chain, exam.round),
            self.chain.rounds.round(exam.round),
            self.chain.rounds.phase(exam.round),
        )
        assert facts is not None
        outcome = facts.fault.name if phase is Phase.SLASHED else "" if phase is Phase.FINAL else phase.name
        acts = [act for act in self.done if act["round"] == "0x" + exam.round.hex() and act["gas"]]
        proofs = [act for act in acts if act["what"] not in ("demand", "answer", "reclaim")]
        ended = log.slashed.block if log.slashed else log.forfeited.block if log.forfeited else None
        began = facts.revealed_at or facts.sealed_at
        seconds = self.chain.block(ended).timestamp - began if ended is not None else 0
        proof = proofs[0]["what"] if proofs else "nobody"
        demands = len(index.demands_of(self.chain, exam.round))
        gas = sum(act["gas"] for act in proofs)
        row = Row(exam.plant.title, exam.plant.fault, exam.plant.by, outcome, proof, demands, gas, seconds, "")
        return row._replace(wrong="; ".join(self._wrong(exam, row, len(proofs), log)))

    def _wrong(self, exam: Planted, row: Row, proofs: int, log: index.RoundLog) -> Iterator[str]:
        if row.outcome != row.planned:
            yield f"the chain says {row.outcome or 'Final'}"
        if row.proof != row.by or proofs > 1:
            yield f"{proofs} proofs, the first by {row.proof}"
        if (exam.first in log.versions_slashed) is not exam.plant.provider or len(log.versions_slashed) > exam.plant.provider:
            yield "another provider's bond was taken than planned"
        if log.slashed and log.slashed.challenger != self.tower.address:
            yield f"{log.slashed.challenger} was paid"

    def money(self) -> Iterator[str]:
        """Whatever does not add up: honest owners have all they had, the others have lost exactly their bonds."""
        lost: dict[Address, int] = {}
        for exam in self.exercise.rounds:
            lost[exam.benchmarker] = lost.get(exam.benchmarker, 0) + (ETHER if exam.plant.fault else 0) - DEPOSIT
        provider = LocalSigner(seeded("owner 0")).address
        bond = self.exercise.rounds[0].params.version_bond
        lost[provider] = bond * sum(exam.plant.provider for exam in self.exercise.rounds) - 50 * ETHER
        lost[LocalSigner(seeded("owner 1")).address] = -50 * ETHER
        for owner, debit in lost.items():
            balance = self.chain.vault.balance(owner)
            if (balance.free, balance.locked) != (-debit, 0):
                yield f"{owner} has {balance.free} and {balance.locked} locked, planned were {-debit} and 0"


def play(folder: Path) -> tuple[list[Row], list[str]]:
    """The table, and what is wrong with the money."""
    with Devnet(Options(block_time=0)) as devnet:
        night = Night(devnet, folder)
        with closing(night.chain):
            night.play()
            night.release()
            return list(night.rows()), list(night.money())


def table(rows: list[Row]) -> str:
    """The rows as markdown."""
    head = ("round", "what the chain says", "found by", "demands", "gas of the proof", "seconds")
    cells = (
        (
            row.plant.replace("_", " "),
            row.outcome or "Final",
            row.proof,
            row.demands or "",
            f"{row.gas:,}" if row.gas else "",
            row.seconds or "",
        )
        for row in rows
    )
    lines = (f"| {' | '.join(map(str, line))} |\n" for line in (head, ["---"] * len(head), *cells))
    return "".join(lines)


def main() -> int:
    """Reads the arguments, prints the table and what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="Also put the table into this folder's README.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-exercise-") as folder:
        rows, money = play(Path(folder))
    sys.stdout.write(table(rows))
    wrong = [f"{row.plant}: {row.wrong}" for row in rows if row.wrong] + money
    sys.stdout.writelines(f"WRONG {line}\n" for line in wrong)
    if arguments.write and not wrong:
        readme = FOLDER / "README.md"
        text = readme.read_text()
        readme.write_text(text[: text.index(BEGIN)] + BEGIN + "\n\n" + table(rows) + "\n" + text[text.index(END) :])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
