"""The folder into which people put evidence. Each file is read when it is new or changed; a bad one is told and left out."""

import hashlib
from pathlib import Path

from assay.audit.evidence import Message, load
from assay.errors import BadInput
from assay.types import Address, RoundId

__all__ = ["Inbox"]

MAX_FILES = 1_000


class Inbox:
    """Messages by round. Without a folder it stays empty."""

    def __init__(self, folder: Path | None, chain_id: int, rounds: Address) -> None:
        """Nothing is read yet."""
        self._folder, self._here = folder, (chain_id, rounds)
        self._files: dict[Path, tuple[tuple[int, int], tuple[Message, ...]]] = {}
        self._messages: dict[RoundId, tuple[Message, ...]] = {}
        self.problems: dict[str, str] = {}

    def read(self) -> None:
        """Look for new files, and forget those that are gone. Never raises."""
        known, self._files, self.problems = self._files, {}, {}
        for path in self._paths():
            try:
                stat = path.stat()
                stamp = stat.st_mtime_ns, stat.st_size
                self._files[path] = known[path] if path in known and known[path][0] == stamp else (stamp, self._load(path))
            except BadInput as error:
                self.problems[path.name] = error.message
            except OSError as error:
                self.problems[path.name] = str(error.strerror)
        grouped: dict[RoundId, dict[Message, None]] = {}
        for _, messages in self._files.values():
            for message in messages:
                grouped.setdefault(message.round, {})[message] = None
        self._messages = {round_: tuple(messages) for round_, messages in grouped.items()}

    def messages(self, round_: RoundId) -> tuple[Message, ...]:
        """All that is held of a round, each message once."""
        return self._messages.get(round_, ())

    def digest(self, round_: RoundId) -> bytes:
        """A digest of that, empty where there is nothing; it changes when something is added."""
        messages = self.messages(round_)
        return hashlib.sha256("\n".join(sorted(map(repr, messages))).encode()).digest()[:16] if messages else b""

    def _paths(self) -> list[Path]:
        if self._folder is None or not self._folder.is_dir():
            return []
        paths = sorted(path for path in self._folder.glob("*.json") if path.is_file() and not path.is_symlink())
        if len(paths) > MAX_FILES:
            self.problems["…"] = f"more than {MAX_FILES} files: the rest is left out"
        return paths[:MAX_FILES]

    def _load(self, path: Path) -> tuple[Message, ...]:
        found = load(path)
        if (found.chain_id, found.rounds) != self._here:
            raise BadInput("it is about another chain or other contracts")
        return found.messages
