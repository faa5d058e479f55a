"""One world for all stories of a worker process: starting chains and neural models is what takes the time."""

import hashlib
from collections.abc import Iterator

import pytest
from stage import Person

from flow.world import QUESTIONS, Candidate, World, replay


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A devnet and whoever comes to live on it."""
    with World(tmp_path_factory.mktemp("world")) as running:
        yield running


@pytest.fixture
def examiner(world: World, request: pytest.FixtureRequest) -> Person:
    """A benchmarker of the story's own: nobody may ask a question twice."""
    return world.benchmarker(hashlib.sha256(request.node.name.encode()).hexdigest()[:8])


@pytest.fixture(scope="session")
def parrot(world: World) -> Candidate:
    """A candidate that knows every reference but the first, which it gets half right."""
    answers = {prompt: reference for prompt, reference, *_ in QUESTIONS}
    answers[QUESTIONS[0][0]] = "O comitê se encontra na terça."
    return world.candidate("parrot", *replay(world.root / "parrot.tsv", answers))
