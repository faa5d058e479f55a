"""Draws from the master secret, and statistics by the reference software."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from assay.agent.card import card_bytes
from assay.agent.records import SetItem
from assay.agent.salts import Salts, nonce_of, set_digest
from assay.agent.statistics import BLEU_SIGNATURE, CHRF_SIGNATURE, EXACT_SIGNATURE, statistics
from assay.agent.steps.ask import ask_order
from assay.agent.trees import measure
from assay.encoding.hashing import keccak
from assay.errors import BadInput, Refused
from assay.metrics import METRICS, by_signature
from assay.storage.limits import DEFAULT_LIMITS
from assay.types import Kind

ROUNDS = "0x00000000000000000000000000000000000000A1"
SECRET = bytes(range(32))
WORDS = ["a", "the", "cat", "sat", ".", ",", "3.5", "5", "…", "ሰላም", "&amp;", "<skipped>", "-", "\n", "no-one"]


def item(ordinal, prompt, reference=b"r", kind=Kind.SCORED, group=""):
    return SetItem(ordinal, kind, prompt, reference, group, (), keccak(prompt))


def test_salt__any_input_changed__another_salt():
    base = Salts(SECRET, 1, ROUNDS).salt(b"n", 0)
    others = [
        Salts(SECRET[::-1], 1, ROUNDS).salt(b"n", 0),
        Salts(SECRET, 2, ROUNDS).salt(b"n", 0),
        Salts(SECRET, 1, ROUNDS[:-1] + "2").salt(b"n", 0),
        Salts(SECRET, 1, ROUNDS).salt(b"m", 0),
        Salts(SECRET, 1, ROUNDS).salt(b"n", 1),
    ]
    assert len({base, *others}) == 6
    assert base == Salts(SECRET, 1, ROUNDS).salt(b"n", 0)


def test_salts__text_form__shows_no_secret():
    assert SECRET.hex() not in repr(Salts(SECRET, 1, ROUNDS))
    assert repr(SECRET) not in repr(vars(Salts)) + repr(Salts(SECRET, 1, ROUNDS))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_salts__secret_of_another_length__is_refused(length):
    with pytest.raises(ValueError, match="32 bytes"):
        Salts(bytes(length), 1, ROUNDS)


def test_nonce__of_sets__hangs_on_texts_kinds_and_attempt_alone():
    items = [item(0, b"a"), item(1, b"b")]
    base = nonce_of(set_digest(items), 0)
    assert base == nonce_of(set_digest([item(0, b"a", group="g"), item(1, b"b")]), 0)
    assert base != nonce_of(set_digest(items), 1)
    assert base != nonce_of(set_digest([item(0, b"a"), item(1, b"b", kind=Kind.DECOY)]), 0)
    assert base != nonce_of(set_digest([item(0, b"ab"), item(1, b"")]), 0)
    assert base != nonce_of(set_digest([item(0, b"a", b"x"), item(1, b"b")]), 0)


def test_placing__is_a_permutation_that_the_secret_decides():
    placing = Salts(SECRET, 1, ROUNDS).placing(b"n", 200)
    assert sorted(placing) == list(range(200))
    assert placing != Salts(SECRET[::-1], 1, ROUNDS).placing(b"n", 200)
    last = [placing.index(ordinal) for ordinal in range(190, 200)]  # decoys come last in the source, and end anywhere
    assert max(last) - min(last) > 60


def test_ask_order__is_a_permutation_that_the_root_decides():
    order = ask_order(b"\x01" * 32, 50)
    assert sorted(order) == list(range(50))
    assert order == ask_order(b"\x01" * 32, 50) != ask_order(b"\x02" * 32, 50)


def sentence(rng, most=30):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(most)))


def corpus(seed, size=120):
    rng = random.Random(seed)
    pairs = []
    for _ in range(size):
        reference = sentence(rng)
        kept = " ".join(word for word in reference.split(" ") if rng.random() < 0.8)
        pairs.append((kept if rng.random() < 0.8 else sentence(rng), reference))
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_statistics__summed_bleu_words__give_the_corpus_score_of_sacrebleu(seed):
    pairs = corpus(seed)
    words = measure(BLEU_SIGNATURE, [(response.encode(), reference.encode()) for response, reference in pairs])
    score = by_signature(BLEU_SIGNATURE).score([sum(word for (word,) in words)])
    expected = BLEU().corpus_score([response for response, _ in pairs], [[reference for _, reference in pairs]])
    assert score / 1e16 == pytest.approx(expected.score, abs=1e-9)
    assert score > 0


def test_statistics__bleu_lanes__in_the_order_of_the_contract():
    ((word,),) = statistics(BLEU_SIGNATURE, [(b"the cat sat down", b"the cat sat on the mat")])
    lanes = [word >> 28 * lane & (1 << 28) - 1 for lane in range(9)]
    assert lanes == [3, 2, 1, 0, 4, 3, 2, 1, 6]
    assert word >> 28 * 9 == 0


@pytest.mark.parametrize("seed", range(5))
def test_statistics__summed_chrf_words__give_the_corpus_score_of_sacrebleu(seed):
    pairs = corpus(seed)
    words = measure(CHRF_SIGNATURE, [(response.encode(), reference.encode()) for response, reference in pairs])
    score = by_signature(CHRF_SIGNATURE).score([sum(column) for column in zip(*words, strict=True)])
    expected = CHRF().corpus_score([response for response, _ in pairs], [[reference for _, reference in pairs]])
    assert score / 1e16 == pytest.approx(expected.score, abs=1e-9)
    assert score > 0


def test_statistics__every_shipped_metric__is_covered():
    for signature in METRICS:
        assert len(measure(signature, [(b"a b", b"a c")])[0]) == by_signature(signature).words


@given(st.lists(st.tuples(st.binary(max_size=60), st.binary(max_size=60)), min_size=1, max_size=5))
def test_measure__any_bytes__sacrebleu_and_the_mirror_agree(pairs):
    for signature in METRICS:
        assert len(measure(signature, pairs)) == len(pairs)


def test_statistics__silence__counts_the_reference_alone():
    ((word,),) = statistics(BLEU_SIGNATURE, [(b"", b"one two three")])
    assert word == 3 << 28 * 8


def test_statistics__exact_match__bytes_decide():
    words = measure(EXACT_SIGNATURE, [(b"a", b"a"), (b"a ", b"a"), (b"", b"a")])
    assert words == [(1 | 1 << 28,), (1 << 28,), (1 << 28,)]


def test_statistics__no_pairs__no_words():
    assert measure(BLEU_SIGNATURE, []) == []


def test_statistics__unknown_metric__is_refused():
    with pytest.raises(Refused, match="no reference software"):
        statistics("BLEU|nrefs:1|case:lc|eff:no|tok:13a|smooth:exp", [])


def test_card__larger_than_readers_take__is_refused_before_the_seal():
    assert b'"groups":["news"]' in card_bytes("set", ROUNDS, {}, [item(0, b"p", group="news")])
    with pytest.raises(BadInput, match="readers take"):
        card_bytes("set", ROUNDS, {}, [item(0, b"p", group="n" * DEFAULT_LIMITS.card_bytes)])
