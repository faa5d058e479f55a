"""The provider's side of a round: tried, invited, joined, served from an endpoint with a key. All by commands."""

import json
import sqlite3
from pathlib import Path

from stage import Person

from flow.world import QUESTIONS, World, failed, replay
from unit.gateway.endpoints import services

KEY = "sk-SECRET-story-0123456789"
CLOSED = {'benchmarkers = "any"': "benchmarkers = []", 'tasks = "any"': "tasks = []"}


def close_policy(person: Person) -> Path:
    path = person.home / "policy.toml"
    text = path.read_text()
    for before, after in CLOSED.items():
        text = text.replace(before, after)
    path.write_text(text)
    return path


def invite(examiner: Person, what: str) -> Path:
    file = examiner.home / "invitation.json"
    examiner.assay("bench", "invite", what, "--out", file)
    return file


def instructed_task(world: World, examiner: Person) -> str:
    """A task that says how to ask and how to decode."""
    world.task(examiner)
    file = examiner.home / "task.json"
    task = json.loads(file.read_text())
    task["description"] |= {"template": "Into Portuguese:\n{prompt}", "decoding": {"temperature": 0, "max_tokens": 50}}
    file.write_text(json.dumps(task))
    return str(examiner.json("task", "register", file, "--key", "operator")["task"])


def test_invited_provider__with_a_key_behind_an_endpoint__sits_the_round(world: World, examiner: Person) -> None:
    task, provider = instructed_task(world, examiner), world.provider("wordy")
    policy = close_policy(provider)
    invitation = invite(examiner, task)
    key = provider.home / "api-key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    with services("--key-file", key) as url:
        upstream = ("--upstream", "openai", "--url", f"{url}/v1", "--model", "word-by-word", "--api-key-file", str(key))
        assert provider.json("provider", "try", "Good morning", *upstream)["answer"] == "Bom manhã"
        version = provider.commit("wordy")
        server = provider.serve_model(version, *upstream)
        seen = provider.json("provider", "join", invitation, "--dry-run")
        assert (seen["joined"], seen["benchmarker"]) == (False, examiner.address("owner"))
        assert "not on this provider's list" in seen["policy"]
        joined = provider.json("provider", "join", invitation, "--yes")
        assert joined["joined"]
        assert [candidate["version"] for candidate in joined["versions"]] == [version]
        assert joined["versions"][0]["lacks"] == []
        assert policy.read_text().count("[[admitted]]") == 1
        assert provider.json("provider", "try", "Good morning", "--task", task, *upstream)["answer"] == "Bom manhã"
        round_ = world.seal(examiner, task)
        enrolled = examiner.json("bench", "enrol", round_, str(server.ready["url"]))
        assert enrolled["enrolled"] == [version]
        examiner.assay("bench", "ask", round_)
        world.settle(examiner, round_)
        server.stop()
    assert world.score(examiner, round_, version)["answered"] == 6
    assert world.reader.json("verify", round_, "--store", examiner.home / "store")["exit_code"] == 0
    with sqlite3.connect(provider.home / "gateway.sqlite") as journal:
        bodies = [json.loads(body) for (body,) in journal.execute("SELECT body FROM calls")]
    journal.close()
    asked = {f"Into Portuguese:\n{prompt}" for prompt, *_ in QUESTIONS}
    assert {body["messages"][0]["content"] for body in bodies} == asked
    assert {(body["temperature"], body["max_tokens"]) for body in bodies} == {(0, 50)}
    bundle = world.unpack(examiner, round_, provider.home / "bundle")
    files = [path for folder in (provider.home, bundle) for path in folder.rglob("*") if path.is_file() and path != key]
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_uninvited_round__refused_with_the_reason_told_to_the_examiner(world: World, examiner: Person) -> None:
    provider = world.provider("hermit")
    close_policy(provider)
    version = provider.commit("hermit")
    server = provider.serve_model(version, *replay(world.root / "hermit.tsv", {}))
    round_ = world.seal(examiner, world.task(examiner))
    enrolled = examiner.assay("--json", "bench", "enrol", round_, str(server.ready["url"]), codes=(1,)).json
    assert "is not on this provider's list" in enrolled["refused"][0]["reason"]
    server.stop()


def test_model_that_lacks_the_description__does_not_consent(world: World, examiner: Person) -> None:
    provider = world.provider("blind")
    version = provider.commit("blind")
    with services() as url:
        server = provider.serve_model(version, "--upstream", "openai", "--url", f"{url}/v1", "--model", "word-by-word")
        round_ = world.seal(examiner, world.task(examiner))
        refused = examiner.assay("--json", "bench", "enrol", round_, str(server.ready["url"]), codes=(1,)).json["refused"]
        assert "description" in refused[0]["reason"]
        provider.assay("provider", "join", invite(examiner, round_), "--yes")
        assert examiner.json("bench", "enrol", round_, str(server.ready["url"]))["enrolled"] == [version]
        server.stop()


def test_join__version_committed_after_the_seal__sits_later_rounds(world: World, examiner: Person) -> None:
    early = world.provider("early")
    first = early.commit("early")
    task = world.task(examiner)
    round_ = world.seal(examiner, task)
    second = early.commit("early", "second")
    joined = early.json("provider", "join", invite(examiner, round_), "--yes")
    assert joined["round"] == round_
    assert joined["locked_until"] == examiner.json("bench", "show", round_)["deadlines"]["versions_released_at"]
    seating = {candidate["version"]: candidate["seating"] for candidate in joined["versions"]}
    assert seating == {first: "this_round", second: "later_rounds"}
    shown = early.assay("provider", "join", invite(examiner, task), "--dry-run").out
    assert "two different Answers" in shown
    assert "admits it already" in shown
    asked = early.assay("provider", "join", invite(examiner, task), codes=(2,))
    for told in ("locks ", "windows answer ", "seals   of this benchmarker under the task: 1 so far", "eligible for seals from"):
        assert told in asked.err + asked.out


def test_join__refused__each_with_its_reason(world: World, examiner: Person) -> None:
    task, provider = world.task(examiner), world.provider("careful")
    policy, file = provider.home / "policy.toml", invite(examiner, task)
    before = policy.read_text()

    def refusal(path: Path, *words: str) -> str:
        ran = provider.assay("--json", "provider", "join", path, *words, codes=(1, 2, 3))
        assert ran.json["remedy"]
        return failed(ran)

    assert "confirmed" in refusal(file)
    edited = provider.home / "edited.json"
    edited.write_text(file.read_text().replace("CC0-1.0", "CC0-2.0"))
    assert "BadInput" in refusal(edited, "--yes")
    record = json.loads(file.read_text())
    edited.write_text(json.dumps(record | {"signature": "0x" + "11" * 64 + "1b"}))
    assert "Tampered" in refusal(edited, "--yes")
    assert "cannot be read" in refusal(provider.home / "none.json", "--yes")
    policy.write_text(before.replace('"0.1 ether"', '"0.01 ether"'))
    assert "largest_version_bond" in refusal(file, "--yes")
    policy.write_text(before)
    examiner.assay("bench", "allow", "operator", "0 wei")
    assert "may not seal for" in refusal(file, "--yes")
    examiner.assay("bench", "allow", "operator", "5 ether")
    round_ = world.seal(examiner, task)
    late = invite(examiner, round_)
    world.pass_deadline(examiner, round_, "answer_by")
    assert "TooLate" in refusal(late, "--yes")
    assert examiner.assay("--json", "bench", "invite", round_, "--out", late, codes=(1,)).json["error"] == "TooLate"
    assert policy.read_text() == before
    assert not (provider.home / "tasks").exists()


def test_invite__to_what_is_not_there__message_and_remedy(world: World) -> None:
    host = Person(world, "host")
    host.assay("bench", "init", "--light")
    for what in ("0x" + "11" * 32, "nothing"):
        ran = host.assay("--json", "bench", "invite", what, "--out", host.home / "i.json", codes=(2,))
        assert ran.json["error"] == "BadInput"
        assert ran.json["remedy"]
