"""`assay export`: a round as files that other programs read, or that prove it without a node."""

import shlex
from contextlib import closing
from pathlib import Path

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings


@click.command("export")
@click.argument("round_", metavar="ROUND")
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sacrebleu", is_flag=True, help="Plain text, one line a segment, as sacreBLEU reads it, into --out DIR.")
@click.option("--chain", "chain_", is_flag=True, help="All that proves the round under one block hash, into FILE.")
@click.option("--at", default="finalized", show_default=True, metavar="BLOCK", help="For --chain: a number, finalized or latest.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="For --sacrebleu: a new folder.")
@bundle_options
@pass_settings
def command(
    settings: Settings,
    round_: str,
    file: Path | None,
    sacrebleu: bool,
    chain_: bool,
    at: str,
    out: Path | None,
    source: Choice,
) -> None:
    """Write ROUND as files: for stock sacreBLEU (--sacrebleu --out DIR), or for a verification without a node (--chain FILE).

    sacreBLEU gives the score on chain for the scored items; a version that was silent too often is Incomplete: it has files,
    and no score on chain. The chain's file is read by `assay verify --snapshot FILE --trust BLOCKHASH`; take the hash from
    somebody else than who gives you the file.
    """
    if sacrebleu == chain_:
        raise click.UsageError("say what is wanted: --sacrebleu or --chain")
    if sacrebleu:
        if out is None or file is not None:
            raise click.UsageError("--sacrebleu goes with --out DIR, and with no FILE")
        _sacrebleu(settings, round_, out, source)
        return
    if file is None or out is not None:
        raise click.UsageError("--chain goes with a FILE, and with no --out")
    _chain(settings, round_, file, at)


def _sacrebleu(settings: Settings, round_: str, out: Path, source: Choice) -> None:
    from assay.audit import sources
    from assay.audit.export import REFERENCE, export_sacrebleu, hypothesis_name
    from assay.audit.facts import collect
    from assay.metrics import by_signature
    from assay.types import Standing

    with closing(connect(settings)) as chain:
        facts = collect(chain, sources.find_round(chain, round_))
    with source.of_round(settings, facts) as found:
        bundle = sources.need_bundle(facts, found)
        sources.demand_true(facts, bundle)
        written = export_sacrebleu(facts, bundle, out)
    metric, scores = by_signature(facts.metric.signature), []
    for sitting in facts.sittings:
        files = [str(out / REFERENCE), "-i", str(out / hypothesis_name(sitting.version.id))]
        line = shlex.join(["sacrebleu", *files, *written.options, "-w", "4"])
        shown = "Incomplete" if sitting.view.standing is Standing.INCOMPLETE else metric.display(sitting.attested_score)
        scores.append({"version": sitting.version.id, "score": sitting.attested_score, "shown": shown, "command": line})
    text = [f"{written.segments} segments in {out}", *(f"{entry['shown']}  {entry['command']}" for entry in scores)]
    emit(settings, {"out": out, "segments": written.segments, "scores": scores}, text)


def _chain(settings: Settings, round_: str, file: Path, at: str) -> None:
    from assay.audit.snapshot import prove
    from assay.audit.sources import find_round
    from assay.chain.snapshots import dump, fetch

    if at not in ("finalized", "latest") and not at.isdecimal():
        raise BadInput(f"{at!r:.40} is no block", "give a number, finalized or latest", where="--at")
    if file.exists():
        raise BadInput("is there already", "name a new file", where=str(file))
    with closing(connect(settings)) as chain:
        block = chain.block(int(at) if at.isdecimal() else at)
        snapshot = fetch(chain, find_round(chain, round_), block)
        prove(snapshot, block.hash, chain.deployment)  # what cannot be read back is not written
    file.write_bytes(dump(snapshot))
    name, trust = f"0x{snapshot.round.hex()}", f"0x{block.hash.hex()}"
    told = {"round": name, "file": file, "bytes": file.stat().st_size, "block": block.number, "block_hash": trust}
    text = [
        f"{file}: round {name[:14]} at block {block.number}, {len(snapshot.headers)} headers, {told['bytes']:,} bytes",
        f"next: assay verify --snapshot {shlex.quote(str(file))} --trust {trust} --bundle PATH",
    ]
    emit(settings, told, text)
