"""A ranking as plain data and as Markdown. Every score carries its metric's signature."""

from collections.abc import Mapping, Sequence

from assay.rank.table import SAMPLES, RoundResult, Row, rows, seed_of
from assay.types import Phase, RoundId, Standing, VersionId

Names = Mapping[VersionId, str]
Unranked = Mapping[RoundId, str]


def label(version: VersionId, names: Names) -> str:
    """What a version is called: the reader's name for it, else the beginning of its id."""
    return names.get(version, f"0x{version.hex()[:10]}…")


def state(phase: Phase) -> str:
    """Whether a score stands: final, or provisional while it can be challenged."""
    return "final" if phase is Phase.FINAL else "provisional"


def cells(result: RoundResult, row: Row, names: Names) -> tuple[str, ...]:
    """One row as people read it, in the order of `headings`."""
    answers = f"{row.answered} + {row.silent} silent" if row.silent else f"{row.answered}"
    other = f"{100 * row.other:.2f}" if result.other else ""
    if row.standing is not Standing.SCORED:
        return ("", label(row.version, names), "", "", other, answers, row.standing.name.lower())
    interval = f"{100 * row.low:.2f} – {100 * row.high:.2f}"
    return (str(row.tier), label(row.version, names), f"{100 * row.score:.2f}", interval, other, answers, state(result.phase))


def headings(result: RoundResult) -> tuple[str, ...]:
    """Names of the columns; metrics by the first part of their signatures."""
    name, other = (metric.signature.partition("|")[0] if metric else "" for metric in (result.metric, result.other))
    return ("tier", "version", name, "95 % interval", other, "answered", "standing")


def signatures(result: RoundResult) -> str:
    """Both metrics in full. Only the first is attested."""
    beside = f"; beside it, not attested, {result.other.signature}" if result.other else ""
    return result.metric.signature + beside


def gas_line(result: RoundResult) -> str:
    """What the round cost, step by step."""
    return "gas: " + ", ".join(f"{step} {gas:,}" for step, gas in result.gas.items())


def as_record(results: Sequence[RoundResult], unranked: Unranked, names: Names) -> dict[str, object]:
    """The ranking as JSON types; scores on the scale 0 to 1."""
    return {
        "samples": SAMPLES,
        "rounds": [
            {
                "round": result.round,
                "benchmarker": result.benchmarker,
                "phase": result.phase,
                "signature": result.metric.signature,
                "other_signature": result.other.signature if result.other else None,
                "seed": seed_of(result.round),
                "items": len(result.groups),
                "groups": len(set(result.groups)),
                "gas": result.gas,
                "versions": [
                    {
                        "version": row.version,
                        "name": names.get(row.version),
                        "standing": row.standing,
                        "score": row.score,
                        "low": row.low,
                        "high": row.high,
                        "band_high": row.band_high,
                        "tier": row.tier,
                        "p": row.p,
                        "answered": row.answered,
                        "silent": row.silent,
                        "other": row.other,
                    }
                    for row in rows(result)
                ],
            }
            for result in results
        ],
        "unranked": [{"round": round_, "reason": reason} for round_, reason in unranked.items()],
    }


def as_markdown(results: Sequence[RoundResult], unranked: Unranked, names: Names) -> str:
    """The ranking as Markdown tables, one a round."""
    lines = []
    for result in results:
        lines += [
            f"### Round 0x{result.round.hex()[:10]}… of {result.benchmarker}",
            "",
            f"{len(result.groups)} items in {len(set(result.groups))} documents · {signatures(result)}",
            "",
            gas_line(result),
            "",
            "| " + " | ".join(headings(result)) + " |",
            "|" + "---|" * len(headings(result)),
            *("| " + " | ".join(cells(result, row, names)) + " |" for row in rows(result)),
            "",
        ]
    lines += [f"Not ranked: round 0x{round_.hex()[:10]}… ({reason})" for round_, reason in unranked.items()]
    return "\n".join(lines) + "\n"
