"""The watchtower's tables, as numbered migrations; one that was released is never edited. All are append-only, by triggers."""

__all__ = ["MIGRATIONS", "TABLES", "append_only"]

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE scans (id INTEGER PRIMARY KEY, block INTEGER NOT NULL) STRICT;
    CREATE TABLE rounds (
        round BLOB PRIMARY KEY CHECK (length(round) = 32), benchmarker TEXT NOT NULL, task BLOB NOT NULL, block INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE closed (round BLOB PRIMARY KEY, phase TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
    CREATE TABLE audits (
        id INTEGER PRIMARY KEY, round BLOB NOT NULL, evidence BLOB NOT NULL, block INTEGER NOT NULL, exit_code INTEGER NOT NULL,
        served INTEGER NOT NULL CHECK (served IN (0, 1)), record TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX audits_of_a_round ON audits (round);
    CREATE TABLE acts (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, round BLOB NOT NULL, version BLOB NOT NULL, position INTEGER NOT NULL,
        reward TEXT NOT NULL, locks TEXT NOT NULL, block INTEGER NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE transactions (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32), act INTEGER NOT NULL REFERENCES acts, raw BLOB NOT NULL,
        nonce INTEGER NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE outcomes (
        act INTEGER PRIMARY KEY REFERENCES acts, state TEXT NOT NULL CHECK (state IN ('mined', 'failed', 'dropped')),
        hash BLOB NOT NULL, block INTEGER NOT NULL, fee TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE ledger (
        id INTEGER PRIMARY KEY, act INTEGER NOT NULL REFERENCES acts, wei TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE prompts (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL CHECK (length(hash) = 32), source TEXT NOT NULL, position INTEGER NOT NULL,
        scored INTEGER NOT NULL, text BLOB NOT NULL, UNIQUE (source, position)
    ) STRICT;
    CREATE INDEX prompts_by_hash ON prompts (hash);
    CREATE TABLE bands (band INTEGER NOT NULL, key INTEGER NOT NULL, prompt INTEGER NOT NULL REFERENCES prompts) STRICT;
    CREATE INDEX bands_by_key ON bands (band, key);
    CREATE TABLE sightings (
        id INTEGER PRIMARY KEY, round BLOB NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
        place INTEGER NOT NULL, similarity REAL NOT NULL, at INTEGER NOT NULL, UNIQUE (round, position, source, place)
    ) STRICT;
    """,
)
"""Numbered from one; `user_version` of the file says how many it has had."""

TABLES = (
    "facts", "scans", "rounds", "closed", "audits", "acts", "transactions", "outcomes", "ledger", "prompts", "bands", "sightings",
)  # fmt: skip


def append_only(table: str) -> str:
    """Triggers that refuse every change of a row."""
    return "".join(
        f"CREATE TRIGGER IF NOT EXISTS {table}_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
        for verb in ("UPDATE", "DELETE")
    )
