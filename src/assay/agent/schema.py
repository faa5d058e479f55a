"""The journal's tables, as numbered migrations. A migration that was ever released is never edited; the next one is appended.

Every table is append-only: triggers refuse UPDATE and DELETE. What must never exist twice is a key, and what must not be forged
between tables is a foreign key, so that no path through the code can break it:

* one Answer and one Ack a (round, version, position), and an Ack only for exactly the answer that is stored;
* Asks of one (round, version, position) carry one prompt, and each later Ask a later `answer_until`;
* an Ask only for a position of a round that was journaled, with the prompt hash that was sealed there.
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE sets (
        name TEXT PRIMARY KEY,
        digest BLOB NOT NULL,
        imported_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE items (
        set_name TEXT NOT NULL REFERENCES sets,
        ordinal INTEGER NOT NULL,
        kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
        prompt BLOB NOT NULL,
        reference BLOB NOT NULL,
        doc_group TEXT NOT NULL,
        tags TEXT NOT NULL,
        prompt_hash BLOB NOT NULL CHECK (length(prompt_hash) = 32),
        PRIMARY KEY (set_name, ordinal),
        UNIQUE (set_name, prompt_hash)
    ) STRICT;
    CREATE TABLE rounds (
        round BLOB PRIMARY KEY CHECK (length(round) = 32),
        set_name TEXT NOT NULL REFERENCES sets,
        chain_id INTEGER NOT NULL,
        rounds_contract TEXT NOT NULL,
        benchmarker TEXT NOT NULL,
        operator TEXT NOT NULL,
        task BLOB NOT NULL,
        description BLOB NOT NULL,
        nonce BLOB NOT NULL,
        set_root BLOB NOT NULL,
        items INTEGER NOT NULL,
        card BLOB NOT NULL,
        journaled_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE positions (
        round BLOB NOT NULL REFERENCES rounds,
        position INTEGER NOT NULL,
        set_name TEXT NOT NULL,
        ordinal INTEGER NOT NULL,
        prompt_hash BLOB NOT NULL,
        PRIMARY KEY (round, position),
        UNIQUE (round, ordinal),
        UNIQUE (round, position, prompt_hash),
        FOREIGN KEY (set_name, ordinal) REFERENCES items
    ) STRICT;
    CREATE INDEX positions_by_prompt ON positions (prompt_hash);
    CREATE TABLE transactions (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        round BLOB REFERENCES rounds,
        step TEXT NOT NULL,
        what TEXT NOT NULL,
        nonce INTEGER NOT NULL,
        raw BLOB NOT NULL,
        journaled_at REAL NOT NULL
    ) STRICT;
    CREATE INDEX transactions_by_round ON transactions (round, step);
    CREATE TABLE enrolments (
        round BLOB NOT NULL REFERENCES rounds,
        version BLOB NOT NULL CHECK (length(version) = 32),
        model BLOB NOT NULL,
        operator TEXT NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 65),
        journaled_at REAL NOT NULL,
        PRIMARY KEY (round, version)
    ) STRICT;
    CREATE TABLE gateways (
        id INTEGER PRIMARY KEY,
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        url TEXT NOT NULL,
        FOREIGN KEY (round, version) REFERENCES enrolments
    ) STRICT;
    CREATE TABLE asks (
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        position INTEGER NOT NULL,
        answer_until INTEGER NOT NULL,
        prompt_hash BLOB NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 65),
        asked_at REAL NOT NULL,
        PRIMARY KEY (round, version, position, answer_until),
        FOREIGN KEY (round, version) REFERENCES enrolments,
        FOREIGN KEY (round, position, prompt_hash) REFERENCES positions (round, position, prompt_hash)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER asks_later BEFORE INSERT ON asks
    WHEN EXISTS (
        SELECT 1 FROM asks WHERE round = NEW.round AND version = NEW.version AND position = NEW.position
            AND answer_until >= NEW.answer_until
    ) BEGIN SELECT RAISE(ABORT, 'an ask is repeated only with a later answer_until'); END;
    CREATE TABLE answers (
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        position INTEGER NOT NULL,
        answer_until INTEGER NOT NULL,
        response BLOB NOT NULL,
        response_hash BLOB NOT NULL CHECK (length(response_hash) = 32),
        signature BLOB NOT NULL CHECK (length(signature) = 65),
        answered_at REAL NOT NULL,
        latency_ms REAL NOT NULL,
        PRIMARY KEY (round, version, position),
        UNIQUE (round, version, position, response_hash),
        FOREIGN KEY (round, version, position, answer_until) REFERENCES asks
    ) STRICT;
    CREATE TABLE contradictions (
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        position INTEGER NOT NULL,
        response BLOB NOT NULL,
        response_hash BLOB NOT NULL CHECK (length(response_hash) = 32),
        signature BLOB NOT NULL CHECK (length(signature) = 65),
        source TEXT NOT NULL,
        seen_at REAL NOT NULL,
        PRIMARY KEY (round, version, position, response_hash),
        FOREIGN KEY (round, version, position) REFERENCES answers
    ) STRICT;
    CREATE TABLE acks (
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        position INTEGER NOT NULL,
        response_hash BLOB NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 65),
        acknowledged_at REAL NOT NULL,
        PRIMARY KEY (round, version, position),
        FOREIGN KEY (round, version, position, response_hash) REFERENCES answers (round, version, position, response_hash)
    ) STRICT;
    CREATE TABLE deliveries (
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        position INTEGER NOT NULL,
        delivered_at REAL NOT NULL,
        PRIMARY KEY (round, version, position),
        FOREIGN KEY (round, version, position) REFERENCES acks
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE scores (
        id INTEGER PRIMARY KEY,
        round BLOB NOT NULL,
        version BLOB NOT NULL,
        root_hash BLOB NOT NULL CHECK (length(root_hash) = 32),
        sums BLOB NOT NULL,
        block_number INTEGER NOT NULL,
        block_hash BLOB NOT NULL,
        scored_at REAL NOT NULL,
        FOREIGN KEY (round, version) REFERENCES enrolments
    ) STRICT;
    CREATE TABLE bundles (
        id INTEGER PRIMARY KEY,
        round BLOB NOT NULL REFERENCES rounds,
        cid TEXT NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        made_at REAL NOT NULL,
        UNIQUE (round, digest)
    ) STRICT;
    """,
    """
    CREATE TABLE publications (
        round BLOB NOT NULL REFERENCES rounds,
        cid TEXT NOT NULL,
        node TEXT NOT NULL,
        published_at REAL NOT NULL,
        PRIMARY KEY (round, cid, node)
    ) STRICT;
    """,
)

TABLES = (
    "sets", "items", "rounds", "positions", "transactions", "enrolments", "gateways", "asks", "answers", "contradictions",
    "acks", "deliveries", "scores", "bundles", "publications",
)  # fmt: skip


def append_only(table: str) -> str:
    """Triggers that refuse to change or remove a row of a table."""
    return "".join(
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
        for verb in ("UPDATE", "DELETE")
    )
