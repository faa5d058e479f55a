"""What a case left, and what is demanded of it: on chain, in the journals, in the bundle and on the wire.

`outcome` is what every case must have in common with the undisturbed run, to the byte; `faults` are promises that were broken,
each in words. Both read everything that was ever signed, wherever it was found.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.chain import artifacts
from assay.chain.deployments import CONTRACTS
from assay.encoding.hashing import keccak
from assay.storage.cids import cid_of
from assay.storage.store import Store
from crash import ground
from crash.cast import Case
from crash.play import AGENT, Played
from crash.signed import Place, hexed, places_of, rows, take, twice

OFTEN = {"ask", "asked_at", "answered_at", "latency_ms", "check"}
"""Members of an answer's line that tell when and how often it was asked for, and its checksum."""
DECOY = "decoy"


@dataclass(frozen=True)
class Landed:
    """A transaction of the case that was mined."""

    hash: str
    sender: str
    nonce: int
    what: str
    good: bool


@dataclass(frozen=True)
class Evidence:
    """What came of a case. `sent` counts mined transactions by sender and function."""

    outcome: Mapping[str, Any]
    faults: tuple[str, ...]
    sent: Mapping[str, int]


def gather(case: Case, played: Played, verify: Callable[[], int]) -> Evidence:
    """Look at everything; `verify` runs `assay verify` and gives its exit code. `compared` finds the other faults."""
    places, landed = places_of(played), _landed(played)
    bundle, contents = _bundle(played)
    for place, line in contents.items():
        take(places[place], line, "bundle")
    logs = _logs(played)
    outcome = {
        "round": played.round.hex(),
        "scores": _scores(played),
        "bundle": bundle,
        "logs": [entry for entry in logs if not entry.startswith("AnswerPosted")],
    }
    sent = dict(Counter(f"{entry.sender} {entry.what}" for entry in landed))
    faults = [*twice(places, contents), *_chain_faults(played, landed), *_posts(case, played, logs), *_journals(played)]
    if (code := verify()) != 0:
        faults.append(f"assay verify ends with {code}")
    return Evidence(outcome, tuple(faults), sent)


# On chain


def _landed(played: Played) -> list[Landed]:
    """Every transaction since the ground."""
    node, names, found = played.chain.node, _functions(), []
    for number in range(played.facts.block + 1, node.head().number + 1):
        for sent in node.request("eth_getBlockByNumber", [hex(number), True])["transactions"]:
            receipt = node.request("eth_getTransactionReceipt", [sent["hash"]])
            what, good = names.get(sent["input"][:10], sent["input"][:10]), int(receipt["status"], 16) == 1
            found.append(Landed(sent["hash"], sent["from"], int(sent["nonce"], 16), what, good))
    return found


def _chain_faults(played: Played, landed: list[Landed]) -> Iterator[str]:
    """Nothing failed, no nonce is left out or used without the journal's knowledge."""
    node, journaled = played.chain.node, _journaled(played)
    for sender in {entry.sender for entry in landed}:
        first = played.nonces[sender]
        used = [entry.nonce for entry in landed if entry.sender == sender]
        if used != list(range(first, first + len(used))):
            yield f"{sender} used the nonces {used}, from {first}"
        if int(node.request("eth_getTransactionCount", [sender, "pending"]), 16) != first + len(used):
            yield f"a transaction of {sender} still waits"
    for entry in landed:
        if not entry.good:
            yield f"{entry.what} of {entry.sender} failed on chain: paid for nothing"
        if entry.hash not in journaled:
            yield f"{entry.what} of {entry.sender} was sent without being in a journal"
    nonces = Counter(journaled.values())
    yield from (f"{count} transactions were signed for nonce {place}" for place, count in nonces.items() if count > 1)


def _journaled(played: Played) -> dict[str, tuple[str, int]]:
    """Hash of every journaled transaction since the ground, with journal and nonce."""
    found = {}
    for name in (ground.EXAMINER, *ground.PROVIDERS):
        column, file = ("hash", "bench.sqlite") if name == ground.EXAMINER else ("tx_hash", "gateway.sqlite")
        query = f"SELECT {column}, nonce FROM transactions"  # noqa: S608 - names of columns
        for digest, nonce in rows(played.folder / name / file, query):
            found[hexed(digest)] = (name, nonce)
    return found


def _logs(played: Played) -> list[str]:
    """Every event since the ground, by name, topics and data, sorted; of a reveal not the digest, which depends on times."""
    node, deployment = played.chain.node, played.chain.deployment
    names = {getattr(deployment, name): name for name in CONTRACTS}
    events = _events()
    query = {"fromBlock": hex(played.facts.block + 1), "toBlock": "latest"}
    lines = []
    for log in node.request("eth_getLogs", [query]):
        name = events.get(log["topics"][0], log["topics"][0])
        at = next((known for address, known in names.items() if address.lower() == log["address"].lower()), log["address"])
        data = "" if name == "Revealed" else log["data"]
        lines.append(" ".join((name, at, *log["topics"][1:], data)))
    return sorted(lines)


def _scores(played: Played) -> dict[str, Any]:
    found = {}
    for version in played.facts.versions.values():
        view = played.chain.rounds.score(played.round, bytes.fromhex(version[2:]))  # type: ignore[arg-type]
        root = played.chain.rounds.commitment(played.round, bytes.fromhex(version[2:]))  # type: ignore[arg-type]
        found[version] = [view.standing.name, view.score, view.answered, view.silent, view.decoys, root.hex()]
    return found


def _posts(case: Case, played: Played, logs: list[str]) -> Iterator[str]:
    """What was withheld was posted, each once; nothing else was."""
    posts = [entry for entry in logs if entry.startswith("AnswerPosted")]
    if len(posts) != played.withheld or (case.withhold and not posts):
        yield f"{len(posts)} answers were posted, {played.withheld} had to be"


# Bundle and journals


def _bundle(played: Played) -> tuple[dict[str, str], dict[Place, Mapping[str, Any]]]:
    """Digests of the bundle's files without what depends on times, and the answers' lines by place."""
    facts = played.chain.rounds.round(played.round)
    assert facts is not None
    store = Store(played.folder / ground.EXAMINER / "store")
    folder = store.fetch(cid_of(facts.bundle_digest), played.folder / "bundle")
    digests, contents = {}, {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.parent.name == "answers":
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            for line in lines:
                contents[hexed(played.round), f"0x{path.stem}", line["position"]] = line
            kept = [_lasting(line) for line in lines]
            digests[name] = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
        elif path.is_file() and path.name != "manifest.json":
            digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"].sort(key=lambda version: str(version["version"]))  # whoever came back from a crash is enrolled later
    digests["manifest"] = json.dumps(
        {key: value for key, value in manifest.items() if key not in ("files", "check")}, sort_keys=True
    )
    return digests, contents


def _lasting(line: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer's line must be the same after every crash: of a decoy, whose text is drawn anew, only that it is one."""
    fleeting = OFTEN | {"response", "answer", "ack"} if line["outcome"] == DECOY else OFTEN
    return {key: value for key, value in line.items() if key not in fleeting}


def _journals(played: Played) -> Iterator[str]:
    """Files that SQLite finds whole, and one bundle."""
    for path in (
        played.folder / ground.EXAMINER / "bench.sqlite",
        *(played.folder / n / "gateway.sqlite" for n in ground.PROVIDERS),
    ):
        if (said := rows(path, "PRAGMA integrity_check")) != [("ok",)]:
            yield f"{path.name}: {said}"
    bundles = rows(played.folder / ground.EXAMINER / "bench.sqlite", "SELECT cid FROM bundles")
    if len(bundles) != 1:
        yield f"{len(bundles)} bundles were journaled"


def compared(case: Case, found: Evidence, plain: Evidence) -> Iterator[str]:
    """The same end as without any crash, by the same transactions; only an enrolment may take one for each provider."""
    for name, value in plain.outcome.items():
        if found.outcome[name] != value:
            yield f"{name} differ: {_difference(value, found.outcome[name])}"
    for what in {*found.sent, *plain.sent}:
        most = plain.sent.get(what, 0)
        if what.endswith(" enrol") and case.victim != AGENT:
            most = max(most, len(ground.PROVIDERS))
        if what.endswith(" postAnswer"):
            continue
        if not min(plain.sent.get(what, 0), 1) <= found.sent.get(what, 0) <= most:
            yield f"{found.sent.get(what, 0)} transactions `{what}`, {plain.sent.get(what, 0)} undisturbed"


def _difference(expected: Any, got: Any) -> str:
    if isinstance(expected, list):
        lost, new = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
        return f"missing {lost[:3]}, new {new[:3]}, {len(got)} of {len(expected)}"
    if isinstance(expected, dict):
        return str({key: (value, got.get(key)) for key, value in expected.items() if got.get(key) != value})[:1500]
    return f"expected {expected}, got {got}"


def _functions() -> dict[str, str]:
    return {
        hexed(keccak(_signature(entry).encode())[:4]): entry["name"]
        for name in artifacts.CORE
        for entry in artifacts.load(name).abi
        if entry["type"] == "function"
    }


def _events() -> dict[str, str]:
    return {
        hexed(keccak(_signature(entry).encode())): entry["name"]
        for name in artifacts.CORE
        for entry in artifacts.load(name).abi
        if entry["type"] == "event"
    }


def _signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(part) for part in entry['inputs'])})"


def _type(part: Mapping[str, Any]) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(_type(inner) for inner in part['components'])}){part['type'][5:]}"
