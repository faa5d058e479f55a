"""The contracts as ape sees them: deployed by the function that everything deploys with, spoken to through ape's own encoder."""

from collections.abc import Callable
from typing import Any

import ape
import pytest

from assay.chain.deploy import deploy
from assay.chain.deployments import Deployment
from assay.chain.node import Node
from assay.encoding.receipts import LocalSigner

ETHER = 10**18


@pytest.fixture(scope="session")
def deployment(networks: Any) -> Deployment:
    payer = ape.accounts.test_accounts[0]
    with Node(str(networks.provider.http_uri)) as node:
        return deploy(node, LocalSigner(bytes.fromhex(payer.private_key[2:])))


@pytest.fixture(scope="session")
def vault(project: Any, deployment: Deployment) -> Any:
    return project.StakeVault.at(deployment.vault)


@pytest.fixture(scope="session")
def tasks(project: Any, deployment: Deployment) -> Any:
    return project.TaskRegistry.at(deployment.tasks)


@pytest.fixture(scope="session")
def models(project: Any, deployment: Deployment) -> Any:
    return project.ModelRegistry.at(deployment.models)


@pytest.fixture(scope="session")
def rounds(project: Any, deployment: Deployment) -> Any:
    return project.Rounds.at(deployment.rounds)


@pytest.fixture
def owner(accounts: Any) -> Any:
    return accounts[1]


@pytest.fixture
def operator(accounts: Any) -> Any:
    return accounts[2]


@pytest.fixture
def provider(accounts: Any) -> Any:
    return accounts[3]


@pytest.fixture
def params(deployment: Deployment) -> dict[str, Any]:
    return {
        "descriptionDigest": b"\x11" * 32,
        "metric": deployment.metrics["Bleu"],
        "metricWords": 1,
        "maxItems": 100,
        "maxBytes": 500,
        "maxSilenceBps": 100,
        "answerWindow": 1_000,
        "postWindow": 100,
        "attestWindow": 1_000,
        "revealWindow": 1_000,
        "challengeWindow": 1_000,
        "roundBond": ETHER,
        "demandWindow": 10,
        "versionBond": ETHER // 10,
        "demandFee": ETHER // 1_000,
    }


@pytest.fixture
def at(chain: Any) -> Callable[[int], None]:
    """Moves the chain: the next block has this time."""

    def move(timestamp: int) -> None:
        chain.pending_timestamp = timestamp

    return move
