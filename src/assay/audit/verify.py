"""Checks a whole round from the chain's facts and its bundle: pure, offline, no clock, no settings, no key.

Of the bundle:
     1  P11  The folder is, byte for byte, the one that the chain names: its CID has the revealed digest.
     2  P6   Every file is there and is what the manifest says, and there are no others.
Of the round:
     3  P1   The round's id follows from chain, contract, benchmarker, task, set root, size and operator; so says the manifest.
     4  P10  The task's id follows from its parameters; its metric is one that we ship, code and all.
     5  P10  The deadlines follow from the seal and the task's windows, and were kept.
     6  P8   The dataset card is the one named at the seal, and the items keep the groups that it fixed.
Of the sealed set:
     7  P1   The items lead to the sealed root, bound to this chain, contract and benchmarker.
     8  P5   No scored question comes twice in the set.
     9  P5   No prompt, reference, response or evidence is over the task's cap.
Of the versions:
    10  P2   Every enrolled version was committed before the seal.
    11  P9   Every version's id follows from its model, number, commitment and operator.
    12  P7   Exactly the enrolled versions are attested and published.
Of each exchange:
    13  P3   Every Ask is the benchmarker's, over the sealed prompt, in time for an answer to be posted.
    14  P3   Every Answer is the provider's, over this prompt and response.
    15  P3   Every Ack is the benchmarker's, over this response.
Of each score tree:
    16  P1   Decoys and only decoys have outcome Decoy; Silent and Decoy leaves carry nothing.
    17  P7   No acknowledged or posted answer is Silent.
    18  P4   Each item's sums are its outcome and what the metric measures.
    19  P4   Leaves and sums lead to the attested root.
    20  P4   The counts are those on chain and in the manifest, and add up to the set.
    21  P4   The score computed anew from the texts is the score on chain.
    22  P7   A version is Incomplete if and only if more is Silent than the task allows.

Where step 1 fails, the bundle says nothing about the round, and all steps that need it cannot tell. Memory grows by one hash and
one group an item, never with texts or versions.
"""

from concurrent.futures import Executor

from assay.audit.answer_checks import check_answers
from assay.audit.evidence import NOTHING, Held
from assay.audit.evidence_checks import check_alone, check_held
from assay.audit.facts import ChainFacts
from assay.audit.line_checks import StepNumbers
from assay.audit.parts import ItemSteps
from assay.audit.reading import read_round
from assay.audit.report import Log, Report, Title
from assay.audit.round_checks import (
    check_deadlines,
    check_enrolment,
    check_round_id,
    check_task,
    check_version_ids,
    check_version_times,
)
from assay.audit.set_checks import check_card, check_digest, check_files, check_items, check_manifest, check_published
from assay.storage.bundle import Bundle
from assay.storage.cids import cid_of

__all__ = ["TITLES", "verify"]

TITLES = (
    Title("P11", "the bundle is the one that the chain names"),
    Title("P6", "all files are there and are what the manifest says"),
    Title("P1", "the round's id follows from what it is made of"),
    Title("P10", "task and metric are fixed and known"),
    Title("P10", "deadlines follow from the seal and were kept"),
    Title("P8", "the dataset card is the one named at the seal"),
    Title("P1", "the items are the sealed ones"),
    Title("P5", "no scored question comes twice"),
    Title("P5", "no text is over the cap"),
    Title("P2", "versions were committed before the seal"),
    Title("P9", "version ids follow from model and number"),
    Title("P7", "exactly the enrolled versions are attested and published"),
    Title("P3", "every Ask is signed over the sealed prompt"),
    Title("P3", "every Answer is signed over prompt and response"),
    Title("P3", "every Ack is signed over the response"),
    Title("P1", "decoys count for nothing, and only decoys do"),
    Title("P7", "no acknowledged or posted answer was dropped"),
    Title("P4", "each item's statistics are what the metric measures"),
    Title("P4", "leaves and sums lead to the attested root"),
    Title("P4", "counts are those on chain"),
    Title("P4", "the score computed anew is the score on chain"),
    Title("P7", "silence is within the limit, or there is no score"),
)
_OF_BUNDLE = (1, 2, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
_ITEMS = ItemSteps(groups=6, root=7, repeats=8, caps=9, steps=len(TITLES))
_ANSWERS = StepNumbers(
    caps=9, asks=13, answers=14, acks=15, leaves=16, dropped=17, statistics=18, root=19, counts=20, score=21, silence=22
)


def verify(facts: ChainFacts, bundle: Bundle | None, held: Held = NOTHING, *, executor: Executor | None = None) -> Report:
    """Runs all steps and returns what they found; the list is in the docstring of this module.

    `executor` checks the lines in parts, here where there is none; the report is the same, whoever does it.
    `held` is what somebody holds outside the bundle; it counts in steps 13, 15 and 17, and adds notes to 14.

    `bundle` None means that it could not be had: then only what the chain alone tells is checked. A damaged bundle is a finding,
    not an error; only a bundle that cannot even be listed (links, devices, limits) raises BadInput.
    """
    log = Log(TITLES)
    check_round_id(facts, log, 3)  # (3)
    check_task(facts, log, 4)  # (4)
    check_deadlines(facts, log, 5)  # (5)
    check_version_times(facts, log, 10)  # (10)
    check_version_ids(facts, log, 11)  # (11)
    check_enrolment(facts, log, 12)  # (12)
    check_alone(facts, held, log, _ANSWERS)  # (13) (14)
    tampered = False
    if not facts.round.revealed_at:
        log.missing(_OF_BUNDLE, f"a revealed bundle: the round is {facts.phase.name.capitalize()}")
    elif bundle is None:
        log.missing(_OF_BUNDLE, f"the bundle {cid_of(facts.round.bundle_digest)}")
    elif check_digest(facts, bundle, log, 1):  # (1)
        _check_bundle(facts, bundle, held, executor, log)
    else:
        tampered = True
        log.missing(_OF_BUNDLE[1:], "the bundle that the chain names")
    return _report(facts, log, tampered=tampered)


def _check_bundle(facts: ChainFacts, bundle: Bundle, held: Held, executor: Executor | None, log: Log) -> None:
    if not check_files(bundle, log, 2):  # (2)
        log.missing(_OF_BUNDLE[2:], "a readable manifest")
        return
    told = bundle.manifest.facts
    check_manifest(facts, told, log, 3)  # (3)
    log.expect(3, "task", facts.round.task, bundle.manifest.task, "manifest.json:1")  # (3)
    groups = check_card(facts, bundle, log, 6)  # (6)
    published = {entry.version: entry for entry in told.versions}
    sittings = [sitting for sitting in facts.sittings if sitting.version.id in published]
    read = read_round(facts, bundle, sittings, groups, _ITEMS, _ANSWERS, executor)
    items_hold = check_items(facts, read.items, log, _ITEMS, groups=groups is not None)  # (6) (7) (8) (9)
    check_published(facts, told, log, 12)  # (12)
    versions = iter(read.versions)
    for sitting in facts.sittings:
        version = sitting.version.id
        if version not in published:
            log.missing(_ANSWERS, f"the answers of version {version.hex()}")
            continue
        # (9) (13) to (22)
        holds = check_answers(facts, read.items.broken, next(versions), published[version], log, _ANSWERS, items_hold=items_hold)
        check_held(facts, version, bundle, held, log, _ANSWERS, items_hold=items_hold, leaves_hold=holds)  # (13) (15) (17)


def _report(facts: ChainFacts, log: Log, *, tampered: bool) -> Report:
    cid = cid_of(facts.round.bundle_digest) if facts.round.revealed_at else ""
    metric = facts.metric.signature
    phase = facts.phase.name.lower()
    return Report(facts.round.id, facts.block.number, phase, cid, metric, log.steps, tuple(log.scores), tampered)
