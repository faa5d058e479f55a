"""Tests cannot open a socket, except those marked `chain` or `loopback`, which talk to servers of their own on this machine."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import eth_account  # noqa: F401 - raises the recursion limit a hundredfold at its import; tests run with Python's own
import pytest
import structlog

from assay.chain.client import Chain
from assay.chain.devnet import Devnet, Options
from ipfs.daemon import CLI, Daemon

sys.setrecursionlimit(1_000)
FLOW = Path(__file__).with_name("flow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Close the network to every test that does not say it needs one. Stories are played by processes of their own."""
    for item in items:
        if item.get_closest_marker("chain") or item.get_closest_marker("loopback") or FLOW in item.path.parents:
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1", "localhost"]))
        else:
            item.add_marker(pytest.mark.disable_socket)


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """A command that a test runs in this process sends its logs to a stream that is closed with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def devnet() -> Iterator[Devnet]:
    """One development chain for all tests of a process; a block per transaction, so that tests move its clock themselves."""
    with Devnet(Options(block_time=0)) as running:
        yield running


@pytest.fixture(scope="session")
def ipfs() -> Iterator[Daemon]:
    """One real IPFS daemon for all tests of a process. Skipped where it is not installed, but for CI."""
    if not CLI.is_file() and "ASSAY_CI" not in os.environ:
        pytest.skip("no IPFS daemon is installed: make ipfs")
    with Daemon() as running:
        yield running


@pytest.fixture
def chain(devnet: Devnet) -> Iterator[Chain]:
    """The contracts on it."""
    connected = Chain.connect(devnet.rpc, devnet.deployment)
    yield connected
    connected.close()
