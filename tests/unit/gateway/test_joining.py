"""What an invitation means, looked up on a real chain."""

import hashlib
import secrets
from dataclasses import replace

import orjson
import pytest

from assay.chain.door import Door
from assay.chain.invitation import Invitation, SealedRound, contracts_of, date, deadlines_of
from assay.encoding.ids import model_id, version_id
from assay.encoding.receipts import LocalSigner
from assay.errors import Refused, TooLate, WrongChain
from assay.gateway.joining import Seating, clock, demand_admissible, look_up, risk, span
from assay.gateway.policy import TEMPLATE, parse
from unit.gateway.onchain import ETHER, Examiner, Provider, mine, parameters, rich

pytestmark = pytest.mark.chain
POLICY = parse(TEMPLATE)
DESCRIPTION = {"name": "story", "template": "{prompt}", "decoding": "as served", "licence": "CC0-1.0"}


@pytest.fixture
def examiner(devnet, chain):
    return Examiner(devnet, chain)


@pytest.fixture
def params(devnet):
    raw = orjson.dumps(DESCRIPTION, option=orjson.OPT_SORT_KEYS)
    # a task of its own for each test
    window = 1000 + secrets.randbelow(100_000)
    return parameters(devnet, description_digest=hashlib.sha256(raw).digest(), attest_window=window)


def open_invitation(chain, examiner, params):
    contracts = contracts_of(chain.deployment)
    return Invitation(31337, contracts, params, DESCRIPTION, examiner.owner.address, examiner.operator.address, 1)


def sealed_invitation(chain, examiner, params, items=3):
    round_ = examiner.seal(params, items)
    found = chain.rounds.round(round_)
    sealed = SealedRound(round_, found.set_root, items, found.sealed_at)
    return replace(open_invitation(chain, examiner, params), round=sealed)


def version_of(chain, provider):
    """A committed version."""
    name, commitment = secrets.token_bytes(32), secrets.token_bytes(32)
    owner, operator = provider.owner.address, provider.operator.address
    model = model_id(owner, name)
    provider.door.send(chain.models.register_model(owner, name))
    provider.door.send(chain.models.commit_version(model, commitment, operator))
    mine(chain, 1, 2)
    return version_id(model, 1, commitment, operator)


def test_deadlines_of__task_and_seal__as_the_chain_says(chain, examiner, params):
    invitation = sealed_invitation(chain, examiner, params)
    assert invitation.deadlines == chain.rounds.deadlines(invitation.round.id)
    assert deadlines_of(params, invitation.round.sealed_at) == invitation.deadlines


def test_look_up__versions_before_and_after_the_seal__seats_and_what_is_lacking(chain, examiner, params):
    provider, poor = Provider(chain), Provider(chain)
    early, idle = version_of(chain, provider), version_of(chain, poor)
    Door(chain, poor.owner).send(chain.vault.withdraw(ETHER, poor.owner.address))
    Door(chain, poor.owner).send(chain.vault.allow(poor.operator.address, params.version_bond - 1))
    invitation = sealed_invitation(chain, examiner, params)
    mine(chain, 1, 2)
    late = version_of(chain, provider)
    prospect = look_up(chain, invitation, POLICY, [early, late, idle])
    assert [candidate.seating for candidate in prospect.candidates] == [
        Seating.THIS_ROUND,
        Seating.LATER_ROUNDS,
        Seating.THIS_ROUND,
    ]
    assert [candidate.eligible_from - candidate.committed_at for candidate in prospect.candidates] == [1, 1, 1]
    assert prospect.candidates[2].eligible_from <= invitation.round.sealed_at < prospect.candidates[1].eligible_from
    assert prospect.locks_now == 2 * params.version_bond
    assert (prospect.sealed, prospect.last_sealed_at) == (1, invitation.round.sealed_at)
    assert prospect.windows["post_window"] == params.post_window
    assert [len(candidate.lacks) for candidate in prospect.candidates] == [0, 0, 2]
    assert f'deposit "{params.version_bond} wei"' in prospect.candidates[2].lacks[0]
    assert (prospect.refusal, prospect.version_bond) == (None, params.version_bond)
    assert prospect.locked_until == chain.rounds.deadlines(invitation.round.id).versions_released_at
    assert "locks   0.01 ether" in "".join(risk(invitation))


def test_look_up__before_the_seal__no_date_and_later_seats(chain, examiner, params):
    provider = Provider(chain)
    version = version_of(chain, provider)
    examiner.door.send(chain.tasks.register(params))
    prospect = look_up(chain, open_invitation(chain, examiner, params), POLICY, [version])
    assert prospect.locked_until is None
    assert (prospect.locks_now, prospect.sealed, prospect.last_sealed_at) == (0, 0, 0)
    assert "none so far" in "".join(clock(prospect))
    assert prospect.candidates[0].seating is Seating.LATER_ROUNDS


def test_clock_and_risk__a_sealed_round__dates_of_the_chain_and_what_costs_the_bond(chain, examiner, params):
    invitation = sealed_invitation(chain, examiner, params)
    ends = chain.rounds.deadlines(invitation.round.id)
    text = "\n".join(clock(look_up(chain, invitation, POLICY, [])))
    for moment in (ends.answer_by - params.post_window, ends.answer_by, ends.attest_by, ends.reveal_by):
        assert date(moment) in text
    said = "\n".join(risk(invitation))
    assert date(ends.versions_released_at) in said
    assert "two different Answers" in said


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (59, "59 s"), (600, "10 min"), (7200, "2 h"), (864_000, "10 d")])
def test_span__exact(seconds, said):
    assert span(seconds) == said


def test_look_up__policy_that_says_no__its_reason(chain, examiner, params):
    closed = parse(TEMPLATE.replace('benchmarkers = "any"', "benchmarkers = []"))
    prospect = look_up(chain, sealed_invitation(chain, examiner, params), closed, [])
    assert "not on this provider's list" in prospect.refusal
    demand_admissible(prospect, closed)
    tight = replace(closed, largest_version_bond=params.version_bond - 1)
    with pytest.raises(Refused):
        demand_admissible(prospect, tight)
    demand_admissible(prospect, replace(closed, largest_version_bond=params.version_bond))


def test_look_up__unregistered_task__refused(chain, examiner, params):
    with pytest.raises(Refused, match="no task"):
        look_up(chain, open_invitation(chain, examiner, params), POLICY, [])


def test_look_up__another_chain_or_contract__wrong_chain(chain, examiner, params):
    invitation = sealed_invitation(chain, examiner, params)
    elsewhere = replace(invitation, chain_id=1)
    other = replace(invitation, contracts={**invitation.contracts, "vault": rich(chain).address})
    for wrong in (elsewhere, other):
        with pytest.raises(WrongChain):
            look_up(chain, wrong, POLICY, [])


def test_look_up__round_that_is_not_sealed_or_at_another_time__refused(chain, examiner, params):
    invitation = sealed_invitation(chain, examiner, params)
    sealed = invitation.round
    for odd in (sealed._replace(id=secrets.token_bytes(32)), sealed._replace(sealed_at=sealed.sealed_at + 1)):
        with pytest.raises(Refused, match="no such round"):
            look_up(chain, replace(invitation, round=odd), POLICY, [])


def test_look_up__operator_whom_the_benchmarker_never_allowed__refused_before_a_seal(chain, examiner, params):
    examiner.door.send(chain.tasks.register(params))
    stranger = LocalSigner(secrets.token_bytes(32)).address
    with pytest.raises(Refused, match="may not seal"):
        look_up(chain, replace(open_invitation(chain, examiner, params), operator=stranger), POLICY, [])


def test_look_up__answers_are_over__too_late(chain, examiner, params):
    invitation = sealed_invitation(chain, examiner, params)
    mine(chain, 1, params.answer_window)
    with pytest.raises(TooLate):
        look_up(chain, invitation, POLICY, [])
