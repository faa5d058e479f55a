"""One case: a whole round by real processes, of which some die where the case says, and are started again like by a supervisor.

The director below looks from outside, at processes, at the chain and at the agent's journal; it starts again what was killed,
holds the chain's clock and moves it where everybody has finished. What came of it is told by `evidence.py`.
"""

import random
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from assay import keys
from assay.chain import deployments
from assay.chain.client import Chain
from assay.errors import AssayError
from assay.types import Deadlines, Phase, RoundId
from crash import ground
from crash.cast import Case, Failed, Process, began_without_a_node, passed, until_ready
from crash.chain import Anvil, open_port
from crash.ground import Citizen, Scene
from crash.nursery import Nursery
from crash.points import SEND, End
from crash.relay import Relay

AGENT, CHAIN = "agent", "chain"
CASE_SECONDS = 150.0
LOOK_SECONDS = 0.1
HELD_SECONDS, LONGEST_HELD = 0.5, 20.0
TRIES = 40
PLACES = len(ground.QUESTIONS) * len(ground.PROVIDERS)
STEPS = ("seal", "enrol", "ask", "score", "attest", "reveal", "release")


@dataclass
class Played:
    """What a case leaves for the evidence; the chain still runs."""

    folder: Path
    facts: ground.Facts
    round: RoundId
    chain: Chain
    relays: Mapping[str, Relay]
    deaths: Mapping[str, int]
    nonces: Mapping[str, int]
    withheld: int
    seconds: float


@dataclass
class Play:
    """Plays a case in an empty folder. `run` it within `with`; leaving ends every process."""

    case: Case
    base: Path
    folder: Path
    nursery: Nursery
    span: float = 8.0
    processes: dict[str, Process] = field(default_factory=dict)

    def __enter__(self) -> "Play":
        ground.copy(self.base, self.folder)
        self.facts = ground.facts_of(self.folder)
        self.anvil = Anvil(self.folder / ground.STATE, steady=self.case.victim == CHAIN)
        self.scene = Scene(self.folder, self.nursery)
        self.scene.rpc = self.anvil.rpc
        self.chain = Chain.connect(self.anvil.rpc, deployments.load(self.scene.deployment))
        self.ports = {name: open_port() for name in ground.PROVIDERS}
        self.relays = {name: Relay(port) for name, port in self.ports.items()}
        people = [Citizen(self.scene, name) for name in (ground.EXAMINER, *ground.PROVIDERS)]
        self.nonces = {address: self._nonce(address) for person in people for address in _addresses(person)}
        self.round: RoundId | None = None
        self.ends: Deadlines | None = None
        self.moved: set[str] = set()
        self.step = 0
        self.away = False
        self.withheld = 0
        self.posted_since = 0.0
        self.held_since = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            if process.alive and process.child:
                process.child.kill(signal.SIGKILL)
        for relay in self.relays.values():
            relay.close()
        self.chain.close()
        self.anvil.close()

    def run(self) -> Played:
        """The round, from the seal to the release of all bonds. Failed where it does not get there."""
        self._cast()
        began = time.monotonic()
        moments = sorted(began + fraction * self.span for fraction in self.case.moments)
        for name in (*ground.PROVIDERS, AGENT):
            self._live(self.processes[name])
        while not self._over():
            if time.monotonic() > began + CASE_SECONDS:
                raise Failed(f"no end after {CASE_SECONDS:g} s: {self._where()}")
            if moments and time.monotonic() >= moments[0]:
                moments.pop(0)
                self._strike()
            self._tend()
            with suppress(AssayError):
                self._direct()
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - began
        self._end_gateways()
        assert self.round
        deaths = {name: process.deaths for name, process in self.processes.items()}
        return Played(self.folder, self.facts, self.round, self.chain, self.relays, deaths, self.nonces, self.withheld, seconds)

    def _nonce(self, address: str) -> int:
        return int(self.anvil.node.request("eth_getTransactionCount", [address, "latest"]), 16)

    # Who plays

    def _cast(self) -> None:
        upstreams: dict[str, Sequence[str | Path]] = {
            "table": ("--upstream", "replay", "--replay", self.folder / "table.tsv"),
            "program": ("--upstream", "command", "--command", f"python3 {self.folder / 'program.py'}"),
        }
        for name in ground.PROVIDERS:
            words = (
                "provider",
                "serve",
                "--version",
                self.facts.versions[name],
                *upstreams[name],
                "--port",
                str(self.ports[name]),
            )
            self._add(name, Citizen(self.scene, name), words)
        examiner = Citizen(self.scene, ground.EXAMINER)
        settings = examiner.home / "rounds.toml"
        urls = ", ".join(f'"{relay.url}"' for relay in self.relays.values())
        settings.write_text(
            "schema = 1\npoll_seconds = 1\nbackoff_seconds = 1\nlongest_backoff_seconds = 1\n"
            f'[[round]]\nset = "{ground.SET}"\ntask = "{self.facts.task}"\ngateways = [{urls}]\n'
            f"concurrency = {PLACES if self.case.withhold else 1}\nattempts = 20\n"
        )
        self._add(AGENT, examiner, ("bench", "run", "--settings", settings))

    def _add(self, name: str, who: Citizen, words: Sequence[str | Path]) -> None:
        ends = list(self.case.ends) if self.case.victim == name else []
        if name == AGENT and self.case.withhold:
            ends = [End("send", "before", 1, "/v1/ack")]
        self.processes[name] = Process(who, words, self.folder / f"{name}.trace", ends)

    def _live(self, process: Process) -> None:
        """Begin a life of a process; the number of its end counts from its last death, through all commands since then."""
        words = process.words
        if process is self.processes[AGENT] and self.case.mode == "steps":
            words = self._step_words()
        end = process.ends[0] if process.ends else None
        if end is not None:
            done = passed(process.trace, end)
            end = end._replace(number=end.number - done) if end.number > done else None
        out = process.trace.with_suffix(".out")
        out.touch()
        size = out.stat().st_size
        process.child = self.nursery.start(("--json", *words), process.who.env, out, process.log, trace=process.trace, end=end)
        if process is not self.processes[AGENT]:
            until_ready(process, out, size)

    def _step_words(self) -> tuple[str | Path, ...]:
        name, round_ = STEPS[self.step], "0x" + self.round.hex() if self.round else ""
        if name == "seal":
            return ("bench", "seal", ground.SET, "--task", self.facts.task)
        if name == "enrol":
            return ("bench", "enrol", round_, *(relay.url for relay in self.relays.values()))
        return ("bench", name, round_, *(("--concurrency", "3") if name == "ask" else ()))

    # Deaths and lives

    def _strike(self) -> None:
        """Kill the victim from outside, at whatever it does now."""
        if self.case.victim == CHAIN:
            self.anvil.kill()
            time.sleep(random.Random(self.case.name).uniform(0.0, 2.0))
            self.anvil.revive()
            self.moved.clear()  # a move of its clock may be among what was lost
            self.processes.setdefault(CHAIN, Process(self.processes[AGENT].who, (), self.folder / "chain.trace", [])).deaths += 1
            return
        child = self.processes[self.case.victim].child
        if child:
            child.kill(signal.SIGKILL)
            child.ended.wait(10)

    def _tend(self) -> None:
        """Start again what died, and let the chain mine again once everybody is back."""
        for process in list(self.processes.values()):
            code = process.child.code if process.child else None
            if code == -signal.SIGKILL:
                self._died(process)
            elif code is not None:
                self._left(process, code)
        for process in self.processes.values():
            agent = process is self.processes[AGENT]
            if process.child is None and process.words and not (agent and (self.away or time.monotonic() < process.pause)):
                self._live(process)
        self._unhold()

    def _died(self, process: Process) -> None:
        process.deaths += 1
        process.ends = process.ends[1:]
        process.child = None
        if process is self.processes[AGENT]:
            self.away = self.case.withhold and process.deaths == 1
        if self.case.forget and not self.anvil.mining():
            self.anvil.forget(_addresses(process.who))

    def _left(self, process: Process, code: int) -> None:
        """It ended by itself, as only an agent may that is done."""
        agent = process is self.processes[AGENT]
        if self.case.victim == CHAIN and code != 0 and began_without_a_node(process):
            process.child = None
        elif agent and self.case.mode == "steps":
            self._next_step(process, code)
        elif not agent or code != 0:
            raise Failed(f"{process.words[:2]} ended with {code}: {process.log.read_text()[-1500:]}")

    def _next_step(self, process: Process, code: int) -> None:
        """In the mode of commands: the next one after success, the same one again after anything else."""
        name = STEPS[self.step]
        done = self._delivered() >= PLACES if name == "ask" else code == 0
        if name == "release" and done:
            return
        process.child = None
        process.tries = 0 if done else process.tries + 1
        process.pause = 0.0 if done else time.monotonic() + 0.3
        self.step += done
        if process.tries > TRIES:
            raise Failed(f"`bench {name}` ends with {code}: {process.trace.with_suffix('.out').read_text()[-1500:]}")

    def _unhold(self) -> None:
        with suppress(AssayError):
            if self.anvil.mining():
                self.held_since = 0.0
                return
            victim = self.processes.get(self.case.victim)
            if victim is None or not victim.deaths or not victim.alive:
                return
            now = time.monotonic()
            self.held_since = self.held_since or now
            sent = passed(victim.trace, End("send", "after", 1, SEND)) > 0
            if now > self.held_since + (HELD_SECONDS if sent else LONGEST_HELD):
                self.anvil.mine_again()

    def _end_gateways(self) -> None:
        for name in ground.PROVIDERS:
            child = self.processes[name].child
            if child is None:
                raise Failed(f"{name} is gone")
            child.kill(signal.SIGTERM)
            if child.wait(30):
                raise Failed(f"{name} ended with {child.code} at SIGTERM: {self.processes[name].log.read_text()[-1500:]}")

    # The clock

    def _direct(self) -> None:
        """Move the chain's clock where everybody waits for it."""
        if self.anvil.steady:
            self.anvil.save()
        if self.round is None:
            self.round = self._sealed()
            return
        self.ends = self.ends or self.chain.rounds.deadlines(self.round)
        if self.ends is None:
            return
        if self.away:
            self._wait_for_posts()
            return
        phase = self.chain.rounds.phase(self.round)
        if phase is Phase.ANSWERING and self._delivered() >= PLACES and "answers" not in self.moved:
            self._move("answers", self.ends.answer_by + 1)
        if phase is Phase.CHALLENGING and "release" not in self.moved:
            self._move("release", self.ends.versions_released_at + 1)

    def _move(self, name: str, timestamp: int) -> None:
        self.anvil.move_to(timestamp)
        self.moved.add(name)

    def _wait_for_posts(self) -> None:
        """The agent is away: once its questions have run out, the gateways post; then it comes back."""
        if "posts" not in self.moved:
            (until,) = self._read("SELECT MAX(answer_until) FROM asks") or (0,)
            self.withheld = sum(self._unacknowledged(name) for name in ground.PROVIDERS)
            self._move("posts", until + ground.WINDOWS["post"] // 4 + 1)
        assert self.round
        posted = sum(
            self.chain.rounds.posted(self.round, bytes.fromhex(version[2:]), position) is not None  # type: ignore[arg-type]
            for version in self.facts.versions.values()
            for position in range(len(ground.QUESTIONS))
        )
        victim = self.processes.get(self.case.victim)
        if posted < self.withheld or not self.anvil.mining():
            return
        self.posted_since = self.posted_since or time.monotonic()
        if not (victim and victim.ends) or time.monotonic() > self.posted_since + LONGEST_HELD:
            self.away = False  # the victim has died as it should, or there were fewer posts than its number

    # What is seen from outside

    def _over(self) -> bool:
        agent = self.processes[AGENT].child
        if agent is None or agent.code != 0:
            return False
        return self.case.mode == "daemon" or (STEPS[self.step] == "release" and "release" in self.moved and self._released())

    def _released(self) -> bool:
        head = self.chain.head()
        assert self.round
        return head.timestamp > 0 and self.chain.rounds.phase(self.round) is Phase.FINAL

    def _sealed(self) -> RoundId | None:
        (found,) = self._read("SELECT round FROM rounds") or (None,)
        round_ = RoundId(found) if isinstance(found, bytes) else None
        return round_ if round_ and self.chain.rounds.round(round_) else None

    def _delivered(self) -> int:
        (count,) = self._read("SELECT COUNT(*) FROM deliveries") or (0,)
        return int(str(count))

    def _unacknowledged(self, name: str) -> int:
        query = "SELECT (SELECT COUNT(*) FROM answers) - (SELECT COUNT(*) FROM acks)"
        (count,) = self._read(query, self.folder / name / "gateway.sqlite")
        return int(str(count))

    def _read(self, query: str, path: Path | None = None) -> tuple[object, ...]:
        path = path or self.folder / ground.EXAMINER / "bench.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as db:
            return tuple(db.execute(query).fetchone() or ())

    def _where(self) -> str:
        phase = self.chain.rounds.phase(self.round).name if self.round else "not sealed"
        lives = {name: (process.deaths, process.alive) for name, process in self.processes.items()}
        return f"{phase}, step {self.step}, moved {sorted(self.moved)}, {lives}: {self.processes[AGENT].log.read_text()[-1500:]}"


def _addresses(person: Citizen) -> list[str]:
    return [address.lower() for _, address in keys.list_keys(person.home / "keys")]
