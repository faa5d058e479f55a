"""Word by word as two web services that people know: an OpenAI-compatible endpoint, and one of LibreTranslate's shape.

It prints one line of JSON with its address when it listens. With `--key-file` it wants that key: as a bearer token for /v1, as
member `api_key` or the header X-API-Key for /translate. What is translated is the last line of what a chat asks.
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from word_by_word import load, translate

TABLE = load()


class Service(BaseHTTPRequestHandler):
    """Answers POST requests with JSON."""

    protocol_version = "HTTP/1.1"
    key = ""
    names: tuple[str, ...] = ("word-by-word",)

    def do_POST(self) -> None:
        """Route by path."""
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        routes = {"/v1/chat/completions": self.chat, "/v1/completions": self.complete, "/translate": self.libre}
        route = routes.get(self.path)
        status, body = route(json.loads(raw)) if route else (404, {"error": {"message": "Not Found"}})
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def chat(self, asked: dict[str, Any]) -> tuple[int, Any]:
        """/v1/chat/completions"""
        if refused := self.refused(asked):
            return refused
        text, reason = self.generate(asked["messages"][-1]["content"], asked)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        return 200, {"id": "1", "object": "chat.completion", "model": asked["model"], "choices": [choice]}

    def complete(self, asked: dict[str, Any]) -> tuple[int, Any]:
        """/v1/completions"""
        if refused := self.refused(asked):
            return refused
        text, reason = self.generate(asked["prompt"], asked)
        choice = {"index": 0, "text": text, "finish_reason": reason}
        return 200, {"id": "1", "object": "text_completion", "model": asked["model"], "choices": [choice]}

    def libre(self, asked: dict[str, Any]) -> tuple[int, Any]:
        """/translate"""
        if self.key and asked.get("api_key") != self.key and self.headers.get("x-api-key") != self.key:
            return 403, {"error": "Please contact the server operator to get an API key"}
        if (asked.get("source"), asked.get("target")) != ("en", "pt"):
            return 400, {"error": f"{asked.get('source')} is not supported"}
        return 200, {"translatedText": translate(asked["q"], TABLE)}

    def refused(self, asked: dict[str, Any]) -> tuple[int, Any] | None:
        """A wrong key, or a model that is not here, as OpenAI says it."""
        if self.key and self.headers.get("authorization") != f"Bearer {self.key}":
            message = f"Incorrect API key provided: {self.headers.get('authorization')}"
            return 401, {"error": {"message": message, "type": "invalid_request_error", "code": "invalid_api_key"}}
        if asked.get("model") not in self.names:
            return 404, {"error": {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found"}}
        return None

    def generate(self, prompt: str, asked: dict[str, Any]) -> tuple[str, str]:
        """The translation of the last line, cut at max_tokens words."""
        words = translate(prompt.rsplit("\n", 1)[-1], TABLE).split(" ")
        most = asked.get("max_tokens", 1_000)
        return " ".join(words[:most]), "stop" if len(words) <= most else "length"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key-file", type=Path)
    options = parser.parse_args()
    Service.key = options.key_file.read_text().strip() if options.key_file else ""
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Service)
    sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
