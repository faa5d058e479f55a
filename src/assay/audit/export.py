"""Writes a round as the plain files that stock sacreBLEU reads: one line a scored position, silence as an empty line.

Files of lines cannot hold every text. A text is put on one line in one of the ways below, and only if the metric's statistics
stay exactly what they were; so the corpus score of the files is the score on chain, or there are no files.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assay.audit.facts import ChainFacts
from assay.errors import BadInput
from assay.metrics import Metric, by_signature
from assay.storage.bundle import AnswerLine, Bundle, ItemLine
from assay.types import Kind, VersionId

__all__ = ["REFERENCE", "Exported", "export_sacrebleu", "hypothesis_name", "sacrebleu_options"]

REFERENCE = "reference.txt"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: lines in each file, the versions, and sacreBLEU's options for this metric."""

    segments: int
    versions: tuple[VersionId, ...]
    options: tuple[str, ...]


def hypothesis_name(version: VersionId) -> str:
    """File of a version's responses."""
    return f"{version.hex()}.txt"


def sacrebleu_options(signature: str) -> tuple[str, ...]:
    """Options that make stock sacreBLEU compute the metric of this signature. BadInput where it knows no such metric."""
    name, _, rest = signature.partition("|")
    knobs = dict(part.partition(":")[::2] for part in rest.split("|"))
    if name == "BLEU" and set(knobs) == {"nrefs", "case", "eff", "tok", "smooth"} and knobs["case"] == "mixed":
        return "-m", "bleu", "--tokenize", knobs["tok"], "--smooth-method", knobs["smooth"]
    if name == "chrF2" and set(knobs) == {"nrefs", "case", "eff", "nc", "nw", "space"} and knobs["case"] == "mixed":
        return "-m", "chrf", "--chrf-char-order", knobs["nc"], "--chrf-word-order", knobs["nw"]
    raise BadInput(f"sacreBLEU has no metric {signature!r}", "Only BLEU and chrF rounds can be exported this way.")


def export_sacrebleu(facts: ChainFacts, bundle: Bundle, out: Path) -> Exported:
    """Writes one file of references and one of responses for each version into `out`, which must not exist or be empty.

    BadInput, naming file and line, for a text whose statistics would change on one line; then nothing is left in `out`.
    """
    options, metric = sacrebleu_options(facts.metric.signature), by_signature(facts.metric.signature)
    versions = tuple(sitting.version.id for sitting in facts.sittings)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise BadInput("is not empty", "Give a new folder.", where=str(out))
    names = (REFERENCE, *map(hypothesis_name, versions))
    try:
        with ExitStack() as stack:
            files = [stack.enter_context((out / name).open("x", encoding="utf-8", newline="\n")) for name in names]
            segments = _write(metric, bundle, versions, files)
    except BaseException:
        for name in names:
            (out / name).unlink(missing_ok=True)
        raise
    return Exported(segments, versions, options)


def _write(metric: Metric, bundle: Bundle, versions: Sequence[VersionId], files: Sequence[IO[str]]) -> int:
    segments = 0
    with ExitStack() as stack:
        items = stack.enter_context(closing(bundle.items()))
        answers = [stack.enter_context(closing(bundle.answers(version))) for version in versions]
        for item, *lines in zip(items, *answers, strict=True):
            if item.kind is Kind.DECOY:
                continue
            for file, text in zip(files, _segment(metric, item, lines, versions), strict=True):
                file.write(text + "\n")
            segments += 1
    return segments


def _segment(metric: Metric, item: ItemLine, lines: Sequence[AnswerLine], versions: Sequence[VersionId]) -> list[str]:
    """The reference and each version's response on one line each."""
    blamed = "items.jsonl"
    for reference in _one_line(item.reference):
        written = [reference]
        for version, line in zip(versions, lines, strict=True):
            response = line.response or b""
            true = metric.measure(response, item.reference)
            fitting = (text for text in _one_line(response) if metric.measure(text.encode(), reference.encode()) == true)
            text = next(fitting, None)
            if text is None:
                blamed = f"answers/{version.hex()}.jsonl" if reference.encode() == item.reference else blamed
                break
            written.append(text)
        else:
            return written
    where = f"{blamed}:{item.position + 1}"
    message = f"item {item.position} cannot be put on one line: its statistics would change"
    raise BadInput(message, "Read the bundle itself; `assay verify` computes its score.", where=where)


def _one_line(text: bytes) -> Iterator[str]:
    """Ways to write a text on one line, the most faithful first. sacreBLEU's tokenizer joins words hyphenated at a line's end."""
    plain = text.decode("utf-8", "replace")
    seen = set()
    for form in (plain, plain.replace("-\n", "")):
        line = form.replace("\r", " ").replace("\n", " ")
        if line not in seen:
            seen.add(line)
            yield line
