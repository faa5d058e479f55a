"""`assay provider try`: one question to any model, before any key, chain or stake."""

import contextlib
import hashlib
import io
import json
import sys

import pytest
import structlog

from assay.cli.common import run
from assay.cli.main import cli
from assay.encoding.hashing import keccak
from unit.gateway.endpoints import SERVICES, endpoint, hang, reply, services

pytestmark = pytest.mark.loopback
KEY = "sk-SECRET-0123456789abcdef"
WORDS = SERVICES.with_name("word_by_word.py")


def attempt(home, *arguments, as_json=True):
    """Exit code, standard output and standard error of a try."""
    out, err = io.StringIO(), io.StringIO()
    options = ["--json"] if as_json else []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(cli, [*options, "--home", str(home), "provider", "try", *arguments])
    structlog.reset_defaults()
    assert "Traceback" not in err.getvalue()
    assert KEY not in out.getvalue() + err.getvalue()
    return code, json.loads(out.getvalue()) if as_json else out.getvalue(), err.getvalue()


def key_file(tmp_path):
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text(KEY + "\n")
    return path


def openai(url, *more):
    return ["--upstream", "openai", "--url", f"{url}/v1", "--model", "word-by-word", *map(str, more)]


def test_try__openai__answer_latency_bytes_and_what_was_sent(tmp_path):
    path = key_file(tmp_path)
    with services("--key-file", path) as url:
        code, said, _ = attempt(
            tmp_path, "Good morning", *openai(url, "--api-key-file", path, "--decoding", '{"temperature": 0}')
        )
        shown = attempt(tmp_path, "Good morning", *openai(url, "--api-key-file", path), as_json=False)[1]
    assert (code, said["answered"], said["answer"], said["bytes"]) == (0, True, "Bom manhã", 10)
    assert said["latency_ms"] > 0
    assert said["sent"]["url"] == f"{url}/v1/chat/completions"
    assert json.loads(said["sent"]["body"])["temperature"] == 0
    for part in ("Bom manhã", f"POST {url}/v1/chat/completions", "ms"):
        assert part in shown


def test_try__openai_with_a_task__as_its_description_says(tmp_path):
    raw = json.dumps({"template": "To Portuguese:\n{prompt}", "decoding": {"max_tokens": 1}}).encode()
    task = keccak(b"task").hex()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / f"0x{task}.json").write_bytes(raw)
    assert hashlib.sha256(raw).digest()
    with services() as url:
        code, said, _ = attempt(tmp_path, "Good morning", *openai(url, "--task", f"0x{task}"))
        unknown = attempt(tmp_path, "Good morning", *openai(url, "--task", "0x" + "11" * 32))
    assert (code, said["answer"]) == (0, "Bom")
    assert json.loads(said["sent"]["body"])["messages"][0]["content"] == "To Portuguese:\nGood morning"
    assert (unknown[0], unknown[1]["error"]) == (2, "BadInput")


def test_try__wrong_key_or_model__exit_1_with_a_remedy_that_names_the_option(tmp_path):
    other = tmp_path / "other"
    other.write_text("another")
    with services("--key-file", other) as url:
        code, said, _ = attempt(tmp_path, "x", *openai(url, "--api-key-file", key_file(tmp_path)))
        assert (code, said["answered"], said["failure"]) == (1, False, "bad-key")
        assert "--api-key-file" in said["remedy"]
    with services() as url:
        code, said, _ = attempt(tmp_path, "x", *openai(url, "--model", "nobody"))
        assert (code, said["failure"]) == (1, "no-model")
        assert "--model" in said["remedy"]


def test_try__no_quota_and_silence__told(tmp_path):
    with endpoint(reply({"error": {"code": "insufficient_quota", "message": KEY}}, 429)) as server:
        code, said, _ = attempt(tmp_path, "x", *openai(server.url))
        assert (code, said["failure"]) == (1, "no-quota")
    with endpoint(hang) as server:
        code, said, _ = attempt(tmp_path, "x", *openai(server.url, "--timeout", "0.5"))
        assert (code, said["failure"]) == (1, "timeout")


def test_try__http__translates(tmp_path):
    body = '{"q": "{prompt}", "source": "en", "target": "pt"}'
    with services() as url:
        arguments = ("--upstream", "http", "--url", f"{url}/translate", "--body", body, "--answer", "/translatedText")
        code, said, _ = attempt(tmp_path, 'The "rain"', *arguments)
    assert (code, said["answered"]) == (0, True)
    assert json.loads(said["sent"]["body"])["q"] == 'The "rain"'


def test_try__program__answer_or_silence(tmp_path):
    code, said, _ = attempt(tmp_path, "Good morning", "--upstream", "command", "--command", f"{sys.executable} {WORDS}")
    assert (code, said["answer"]) == (0, "Bom manhã")
    code, said, _ = attempt(tmp_path, "x", "--upstream", "command", "--command", "false")
    assert (code, said["answered"]) == (1, False)
    assert said["remedy"]


def test_try__answer_that_is_no_utf8__shown_in_base64(tmp_path):
    program = "import sys; sys.stdout.buffer.write(bytes([255]))"
    line = f"{sys.executable} -S -c '{program}'"
    code, said, _ = attempt(tmp_path, "x", "--upstream", "command", "--per-text", "--command", line)
    assert (code, said["answer_b64"], said["bytes"]) == (0, "/w==", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--upstream", "openai", "--model", "m"],
        ["--upstream", "openai", "--url", "http://127.0.0.1:1/v1"],
        ["--upstream", "openai", "--url", "http://127.0.0.1:1/v1", "--model", ""],
        ["--upstream", "openai", "--url", "http://127.0.0.1:1/v1", "--model", "m", "--api-key-file", "/nowhere"],
        ["--upstream", "openai", "--url", "http://127.0.0.1:1/v1", "--model", "m", "--decoding", "{"],
        ["--upstream", "openai", "--url", "http://127.0.0.1:1/v1", "--model", "m", "--decoding", '{"n": 2}'],
        ["--upstream", "http", "--url", "http://127.0.0.1:1/", "--body", '"{prompt}"'],
        ["--upstream", "http", "--url", "http://127.0.0.1:1/", "--answer", "/a"],
    ],
)
def test_try__options_that_do_not_do__message_and_remedy(tmp_path, arguments):
    code, said, _ = attempt(tmp_path, "x", *arguments)
    assert (code, said["error"]) == (2, "BadInput")
    assert said["remedy"]
