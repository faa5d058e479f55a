"""Settings of one run: where the node, the deployment and the home folder are. Built once, in `cli/main.py`, and passed on.

Home holds `keys/` (keystores), `tasks/` (descriptions), `bench.sqlite`, `gateway.sqlite`, `store/` (bundles) and `policy.toml`.
"""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_RPC = "http://127.0.0.1:8545"
DEFAULT_HOME = "~/.assay"
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the global options say. `deployment` None means the packaged file of the node's chain."""

    rpc: str
    deployment: Path | None
    home: Path
    json: bool = False
    log_level: str = "info"

    @property
    def keys(self) -> Path:
        """Folder of keystores."""
        return self.home / "keys"

    @property
    def tasks(self) -> Path:
        """Folder of task descriptions."""
        return self.home / "tasks"

    @property
    def store(self) -> Path:
        """Folder of the embedded store."""
        return self.home / "store"

    @property
    def debug(self) -> bool:
        """Whether tracebacks are shown."""
        return self.log_level == "debug"


def private_folder(path: Path) -> Path:
    """The folder, made where it is missing, readable by its owner alone."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def home_folder(path: Path) -> Path:
    """The home, made where it is missing, then readable by its owner alone. One that was there keeps its mode."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
