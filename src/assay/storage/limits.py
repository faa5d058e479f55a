"""How much a bundle from a stranger may ask of us. Every reader of this package stops at these numbers."""

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]

MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on everything that is read from outside; sizes in bytes."""

    total_bytes: int = 4096 * MEBI
    """All files of a bundle together, and a CAR file."""
    block_bytes: int = 2 * MEBI
    """One block of a CAR; IPFS itself passes no larger ones on."""
    blocks: int = 1 << 18
    """Blocks in a CAR, and nodes visited while a folder is unpacked (a node may be linked to many times)."""
    files: int = 20_000
    """Files and folders in a bundle."""
    folder_depth: int = 4
    """Folders inside each other."""
    node_depth: int = 16
    """Levels of blocks under one file or sharded folder."""
    name_bytes: int = 200
    """One name of a file or folder."""
    manifest_bytes: int = 16 * MEBI
    """manifest.json. Hostile JSON takes some 33 bytes of memory a byte, so this and the next bound the memory of a reader."""
    card_bytes: int = 24 * MEBI
    """card.json and card.md, each: room for a million groups."""
    line_bytes: int = MEBI
    """One line of a JSONL file."""
    lines: int = 1 << 22
    """Lines in a file."""
    fetch_seconds: float = 900.0
    """Time for a whole bundle from one node or gateway."""
    stall_seconds: float = 20.0
    """Longest pause while bytes are awaited."""


DEFAULT_LIMITS = Limits()
