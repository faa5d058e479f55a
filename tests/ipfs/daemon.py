"""A real IPFS daemon for tests: js-ipfs, offline, on free ports of the loopback interface, with a repository of its own."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import httpx

HERE = Path(__file__).resolve().parent
CLI = HERE / "node_modules/ipfs/src/cli.js"
START_SECONDS = 180


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


class Daemon:
    """Use as a context manager. `rpc` is the address of its RPC, as people write it."""

    def __init__(self) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="assay-ipfs-")
        self._repo = Path(self._scratch.name) / "repo"
        api, gateway, grpc = free_ports(3)
        self.rpc = f"http://127.0.0.1:{api}"
        self._ports = {"API": api, "Gateway": gateway, "RPC": grpc}

    def __enter__(self) -> Self:
        environment = os.environ | {"IPFS_PATH": str(self._repo)}
        command = ["node", "--require", str(HERE / "node.cjs"), str(CLI)]
        subprocess.run([*command, "init", "--profile", "test", "--empty-repo"], env=environment, check=True, capture_output=True)
        self._configure()
        log = (Path(self._scratch.name) / "log").open("wb")
        # It shards folders of a thousand entries only when told to; Kubo does by size, and both agree on large ones.
        self._process = subprocess.Popen(
            [*command, "daemon", "--offline", "--enable-sharding-experiment"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self._await()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._scratch.cleanup()

    def _configure(self) -> None:
        path = self._repo / "config"
        config = json.loads(path.read_text())
        config["Addresses"] |= {name: f"/ip4/127.0.0.1/tcp/{port}" for name, port in self._ports.items()} | {"Swarm": []}
        path.write_text(json.dumps(config))

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.post(f"{self.rpc}/api/v0/version", timeout=5, trust_env=False).raise_for_status()
                return
            except httpx.HTTPError:
                told = (Path(self._scratch.name) / "log").read_text(errors="replace")[-2_000:]
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise AssertionError(f"the daemon did not start: {told}") from None
                time.sleep(0.2)
