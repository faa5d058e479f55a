"""Upstreams against real programs and objects: an answer, or silence, and nothing left running."""

import asyncio
import shlex
import sys
import threading
import time
from pathlib import Path

import pytest

from assay.errors import BadInput
from assay.gateway.upstreams import replay
from assay.gateway.upstreams.command import LineUpstream, TextUpstream, split
from assay.gateway.upstreams.python import PythonUpstream, load

HEAD = "import json, os, sys, time\n"


def program(tmp_path, body):
    path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.py"
    path.write_text(HEAD + body)
    return [sys.executable, "-S", str(path)]


def ask_all(upstream, *prompts):
    async def all_of_them():
        try:
            return [await upstream.translate(prompt) for prompt in prompts]
        finally:
            await upstream.close()

    return asyncio.run(all_of_them())


def lines(tmp_path, body, timeout=5.0, limit=1000):
    return LineUpstream(program(tmp_path, body), timeout=timeout, limit=limit)


def texts(tmp_path, body, timeout=5.0, limit=1000, parallel=2):
    return TextUpstream(program(tmp_path, body), timeout=timeout, limit=limit, parallel=parallel)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_for(path):
    while not (path.exists() and path.read_text()):
        time.sleep(0.02)


def assert_gone(pid):
    for _ in range(100):
        if not is_running(pid):
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")


ECHO = """
for line in sys.stdin:
    print(json.dumps(json.loads(line).upper()), flush=True)
"""

# -- a program that runs on


def test_lines__one_program__answers_each_in_turn(tmp_path):
    odd = 'ü\n\t" \\ \u2028'
    assert ask_all(lines(tmp_path, ECHO), "one", odd, "") == [b"ONE", odd.upper().encode(), b""]


def test_lines__asked_at_once__answers_belong_to_their_questions(tmp_path):
    upstream = lines(tmp_path, ECHO)

    async def crowd():
        answers = await asyncio.gather(*(upstream.translate(f"text {number}") for number in range(50)))
        await upstream.close()
        return answers

    assert asyncio.run(crowd()) == [f"TEXT {number}".encode() for number in range(50)]


def test_lines__null__silence_and_the_program_runs_on(tmp_path):
    body = """
for n, line in enumerate(sys.stdin):
    print("null" if n == 0 else json.dumps(str(n)), flush=True)
"""
    assert ask_all(lines(tmp_path, body), "a", "b") == [None, b"1"]


@pytest.mark.parametrize("answer", ["not json", "7", '["x"]', '"\\ud800"', "", '{"a": 1}'])
def test_lines__answer_that_is_no_string__silence_then_a_fresh_program(tmp_path, answer):
    body = f"""
for n, line in enumerate(sys.stdin):
    print({answer!r}, flush=True)
"""
    assert ask_all(lines(tmp_path, body), "a", "b") == [None, None]


def test_lines__dies__silence_and_started_again_for_the_next(tmp_path):
    body = """
line = sys.stdin.readline()
if json.loads(line) == "die": sys.exit(3)
print(json.dumps(str(os.getpid())), flush=True)
sys.stdin.readline()
"""
    dead, alive = ask_all(lines(tmp_path, body), "die", "live")
    assert dead is None
    assert alive.isdigit()


def test_lines__dies_after_an_answer__next_question_gets_a_fresh_one(tmp_path):
    body = """
print(json.dumps(str(os.getpid())), flush=True)
"""

    async def twice():
        upstream = lines(tmp_path, body)
        first = await upstream.translate("a")
        await asyncio.sleep(0.3)
        second = await upstream.translate("b")
        await upstream.close()
        return first, second

    first, second = asyncio.run(twice())
    assert first != second
    assert first.isdigit()
    assert second.isdigit()


def test_lines__hangs__silence_and_never_an_answer_to_an_older_question(tmp_path):
    body = """
for line in sys.stdin:
    text = json.loads(line)
    if text == "hang": time.sleep(4)
    print(json.dumps(text), flush=True)
"""
    assert ask_all(lines(tmp_path, body, timeout=2.0), "hang", "next") == [None, b"next"]


def test_lines__endless_line__silence_within_the_limit(tmp_path):
    body = """
sys.stdin.readline()
while True: sys.stdout.write("x" * 65536)
"""
    assert ask_all(lines(tmp_path, body), "a") == [None]


@pytest.mark.parametrize(("size", "answered"), [(1000, True), (1001, False)])
def test_lines__response_around_the_limit__in_bytes(tmp_path, size, answered):
    body = f"""
for line in sys.stdin:
    print(json.dumps("x" * {size}), flush=True)
"""
    assert (ask_all(lines(tmp_path, body), "a")[0] is not None) is answered


def test_lines__longest_escapes_of_a_response_in_the_limit__answered(tmp_path):
    body = """
for line in sys.stdin:
    print(json.dumps("\\x01" * 1000), flush=True)
"""
    assert ask_all(lines(tmp_path, body), "a") == [b"\x01" * 1000]


def test_lines__no_utf8__silence(tmp_path):
    body = """
for line in sys.stdin:
    sys.stdout.buffer.write(b'"\\xff"\\n'); sys.stdout.flush()
"""
    assert ask_all(lines(tmp_path, body), "a") == [None]


def test_lines__no_such_program__silence():
    assert ask_all(LineUpstream(["/nowhere/model"], timeout=1, limit=10), "a") == [None]


def test_lines__closed__program_and_its_children_are_gone(tmp_path):
    body = """
import subprocess
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
for line in sys.stdin:
    print(json.dumps(f"{os.getpid()} {child.pid}"), flush=True)
"""
    (answer,) = ask_all(lines(tmp_path, body), "a")
    for pid in answer.split():
        assert_gone(int(pid))


def test_lines__after_close__silence(tmp_path):
    async def late():
        upstream = lines(tmp_path, ECHO)
        await upstream.close()
        return await upstream.translate("a")

    assert asyncio.run(late()) is None


def test_lines__environment__without_assays_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ASSAY_PASSWORD_FILE", "/secret/place")
    monkeypatch.setenv("MODEL_HINT", "yes")
    body = """
for line in sys.stdin:
    print(json.dumps(" ".join(sorted(k for k in os.environ if k in ("ASSAY_PASSWORD_FILE", "MODEL_HINT")))), flush=True)
"""
    assert ask_all(lines(tmp_path, body), "a") == [b"MODEL_HINT"]


# -- a program a text


def test_texts__output__without_one_line_end(tmp_path):
    body = "sys.stdout.write(sys.stdin.read().upper() + '\\n\\n')\n"
    assert ask_all(texts(tmp_path, body), "olá\n") == ["OLÁ\n\n".encode()]


def test_texts__no_utf8__bytes_as_they_are(tmp_path):
    assert ask_all(texts(tmp_path, "sys.stdout.buffer.write(b'\\xff\\xfe')\n"), "a") == [b"\xff\xfe"]


def test_texts__nothing_written__empty_answer(tmp_path):
    assert ask_all(texts(tmp_path, "sys.stdin.read()\n"), "a") == [b""]


@pytest.mark.parametrize(
    "body",
    [
        "print('half an answer'); sys.exit(1)\n",
        "print('x', flush=True); os.kill(os.getpid(), 9)\n",
        "time.sleep(60)\n",
        "while True: sys.stdout.write('x' * 65536)\n",
        "print('x', flush=True); os.close(1); time.sleep(60)\n",
    ],
    ids=["exit code", "killed", "hangs", "endless", "closes its output and stays"],
)
def test_texts__trouble__silence(tmp_path, body):
    assert ask_all(texts(tmp_path, body, timeout=1.0), "a") == [None]


def test_texts__does_not_read__still_answers(tmp_path):
    assert ask_all(texts(tmp_path, "print('x')\n"), "a" * 500_000) == [b"x"]


def test_texts__many_at_once__at_most_parallel(tmp_path):
    body = f"""
open(os.path.join({str(tmp_path)!r}, f"start-{{os.getpid()}}"), "w").close()
time.sleep(0.2)
print(len([n for n in os.listdir({str(tmp_path)!r}) if n.startswith("start-")]))
os.unlink(os.path.join({str(tmp_path)!r}, f"start-{{os.getpid()}}"))
"""
    upstream = texts(tmp_path, body, parallel=2)

    async def crowd():
        answers = await asyncio.gather(*(upstream.translate("a") for _ in range(6)))
        await upstream.close()
        return answers

    assert max(int(answer) for answer in asyncio.run(crowd())) == 2


def test_texts__closed_while_running__killed(tmp_path):
    body = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"

    async def stop():
        upstream = texts(tmp_path, body, timeout=30)
        task = asyncio.create_task(upstream.translate("a"))
        await asyncio.to_thread(wait_for, tmp_path / "pid")
        await upstream.close()
        return await task

    assert asyncio.run(stop()) is None
    assert_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("line", ["", "  ", "'open"])
def test_split__no_command__bad_input(line):
    with pytest.raises(BadInput):
        split(line)


def test_split__quotes__as_a_shell():
    assert split("run 'a b' c") == ["run", "a b", "c"] == shlex.split("run 'a b' c")


# -- a Python object


class Model:
    def __init__(self, result=None, error=None):
        self.result, self.error, self.threads = result, error, set()

    def translate(self, text):
        self.threads.add(threading.get_ident())
        if self.error:
            raise self.error
        return text.upper() if self.result is None else self.result


def python(model, timeout=2.0, limit=100):
    return PythonUpstream(model, timeout=timeout, limit=limit)


def test_python__object__answers_from_one_thread_that_is_not_ours():
    model = Model()
    assert ask_all(python(model), "olá", "b") == ["OLÁ".encode(), b"B"]
    assert len(model.threads) == 1
    assert threading.get_ident() not in model.threads


@pytest.mark.parametrize("result", [7, ["x"], "\ud800", "x" * 101, object()])
def test_python__result_that_is_no_text__silence(result):
    assert ask_all(python(Model(result)), "a") == [None]


def test_python__bytes__as_they_are():
    assert ask_all(python(Model(b"\xff")), "a") == [b"\xff"]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt(), StopIteration(), StopAsyncIteration()])
def test_python__raises__silence_and_lives_on(error):
    model = Model(error=error)

    async def twice():
        upstream = python(model)
        first = await upstream.translate("a")
        model.error = None
        second = await upstream.translate("b")
        await upstream.close()
        return first, second

    assert asyncio.run(twice()) == (None, b"B")


def test_python__hangs__silence_and_the_gateway_stays_awake():
    release = threading.Event()

    class Slow:
        def translate(self, text):
            release.wait(10)
            return text

    async def ask():
        upstream = python(Slow(), timeout=1.0)
        task = asyncio.create_task(upstream.translate("a"))
        await asyncio.sleep(0.05)
        awake = not task.done()
        result = await task
        release.set()
        later = await upstream.translate("b")
        await upstream.close()
        return awake, result, later

    awake, result, later = asyncio.run(ask())
    assert awake
    assert result is None
    assert later == b"b"


def test_python__thread_safe__several_at_once():
    barrier = threading.Barrier(3, timeout=5)

    class Safe:
        thread_safe = True

        def translate(self, text):
            barrier.wait()
            return text

    async def crowd():
        upstream = PythonUpstream(Safe(), timeout=5, limit=10, threads=3)
        answers = await asyncio.gather(*(upstream.translate("a") for _ in range(3)))
        await upstream.close()
        return answers

    assert asyncio.run(crowd()) == [b"a"] * 3


def test_load__file_with_object_class_or_factory__the_object(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("class M:\n def translate(self, t): return t\nmodel = M()\ndef make(): return M()\n")
    for attribute in ("model", "make"):
        assert load(f"{path}:{attribute}").translate("x") == "x"


@pytest.mark.parametrize(
    "spec", ["", "json", "json:", ":x", "json:nothing", "json:dumps", "no.such.module:x", "nowhere.py:x", "json:decoder"]
)
def test_load__nothing_usable__bad_input(spec):
    with pytest.raises(BadInput):
        load(spec)


# -- replay


def tsv(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_replay__one_file__exact_lookup(tmp_path):
    path = tsv(tmp_path, "o.tsv", "id\tprompt\toutput\r\n1\tHello\tOlá\r\n2\tEmpty\t\r\n")
    assert ask_all(replay.load(path, "output", "prompt"), "Hello", "hello", "Hello ", "Empty") == [
        "Olá".encode(),
        None,
        None,
        b"",
    ]


def test_replay__prompts_in_another_file__joined_by_id(tmp_path):
    outputs = tsv(tmp_path, "o.tsv", "id\tsystem\nb\tdois\na\tum\n")
    prompts = tsv(tmp_path, "p.tsv", "id\tsource\na\tone\nb\ttwo\nc\tthree\n")
    assert ask_all(replay.load(outputs, "system", "source", prompts), "one", "two", "three") == [b"um", b"dois", None]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("prompt\toutput\na\t1\na\t2\n", ":3"),
        ("prompt\toutput\na\n", ":2"),
        ("prompt\tother\na\t1\n", ":1"),
        ("prompt\toutput\toutput\na\t1\t1\n", ":1"),
        ("", ":1"),
    ],
)
def test_replay__unusable_file__named_by_line(tmp_path, text, where):
    path = tsv(tmp_path, "o.tsv", text)
    with pytest.raises(BadInput) as caught:
        replay.load(path, "output", "prompt")
    assert caught.value.where == f"{path}{where}"


def test_replay__no_utf8__named_by_line(tmp_path):
    path = tmp_path / "o.tsv"
    path.write_bytes(b"prompt\toutput\na\tb\nc\t\xff\n")
    with pytest.raises(BadInput) as caught:
        replay.load(path, "output", "prompt")
    assert caught.value.where == f"{path}:3"


def test_replay__no_file__bad_input(tmp_path):
    with pytest.raises(BadInput):
        replay.load(tmp_path / "none.tsv", "output", "prompt")
