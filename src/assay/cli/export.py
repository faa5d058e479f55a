"""`assay export`: a round as files that other programs read."""

import shlex
from contextlib import closing
from pathlib import Path

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, pass_settings
from assay.settings import Settings


@click.command("export")
@click.argument("round_", metavar="ROUND")
@click.option(
    "--sacrebleu", is_flag=True, required=True, expose_value=False, help="Plain text, one line a segment, as sacreBLEU reads it."
)
@click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path, file_okay=False), help="A new folder.")
@bundle_options
@pass_settings
def command(settings: Settings, round_: str, out: Path, source: Choice) -> None:
    """Write the scored items of ROUND so that stock sacreBLEU gives the score on chain.

    A version that was silent too often is Incomplete: it has files, and no score on chain.
    """
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
