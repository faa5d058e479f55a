"""A node behind JSON-RPC. Every request is bounded in time, every answer in size; what goes wrong on the way is Unreachable."""

import itertools
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import orjson

from assay.errors import BadInput, NotYet, Unreachable
from assay.types import Block

MAX_ANSWER_BYTES = 128 << 20
TIMEOUT = 10.0
MOST_COUNT = 2**63 - 1
"""No block, time or amount of gas is larger; SQLite keeps no larger integers either."""

At = int | str
"""A block: its number, or one of the tags latest, finalized, safe, pending, earliest."""


class RpcError(Unreachable):
    """The node answered with an error. `data` holds what a reverted call returned, if anything."""

    def __init__(self, message: str, remedy: str = "", *, code: int = 0, data: bytes | None = None) -> None:
        super().__init__(message, remedy)
        self.code = code
        self.data = data


class Node:
    """One node. Safe to share between threads."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        """`timeout` in seconds holds for each request as a whole. BadInput for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput("that is no address of a node", "give http://HOST:PORT or https://…", where="--rpc")
        self.url = url
        self.name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")  # paths may hold a key
        self._timeout = timeout
        self._client = httpx.Client(timeout=timeout, headers={"Content-Type": "application/json"})
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Result of one request, as JSON types. RpcError where the node says no, Unreachable where it says nothing useful."""
        body = orjson.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)})
        raw = self._post(method, body)
        try:
            answer = orjson.loads(raw)
            if not isinstance(answer, dict) or ("error" not in answer and "result" not in answer):
                raise ValueError("neither result nor error")
        except (ValueError, TypeError):
            raise Unreachable(f"{self.name} is no Ethereum node: its answer to {method} is not JSON-RPC", "check --rpc") from None
        if answer.get("error"):
            raise _rpc_error(self.name, method, answer["error"])
        return answer.get("result")

    def number(self, method: str, params: Sequence[Any] = ()) -> int:
        """Result of a request that is answered by a number. Errors as `request`; Unreachable where it is none."""
        try:
            return natural(self.request(method, params))
        except ValueError:
            raise Unreachable(f"{self.name} answered {method} with what is no number", "ask another node") from None

    def chain_id(self) -> int:
        """Chain id of the node."""
        return self.number("eth_chainId")

    def head(self) -> Block:
        """The newest block."""
        return self.block("latest")

    def finalized(self) -> Block:
        """The newest block that cannot be reorganised away."""
        return self.block("finalized")

    def block(self, at: At) -> Block:
        """A block by number or tag. NotYet where there is none yet."""
        found = self.request("eth_getBlockByNumber", [tag_of(at), False])
        if found is None:
            raise NotYet(f"there is no block {at} yet", "wait until the chain is there")
        try:
            return Block(
                natural(found["number"], MOST_COUNT), bytes.fromhex(found["hash"][2:]), natural(found["timestamp"], MOST_COUNT)
            )
        except (KeyError, TypeError, ValueError):
            raise Unreachable(f"{self.name} shows a block {at} that is none", "ask another node") from None

    def code(self, address: str, at: At = "latest") -> bytes:
        """Code at an address, empty where there is none."""
        return self._data("eth_getCode", [address, tag_of(at)])

    def balance(self, address: str, at: At = "latest") -> int:
        """Wei of an account."""
        return self.number("eth_getBalance", [address, tag_of(at)])

    def gas_price(self) -> int:
        """Wei per gas that the node would pay now."""
        return self.number("eth_gasPrice")

    def base_fee(self) -> int:
        """Wei per gas that the newest block burns, 0 on a chain without. Unreachable."""
        found = self.request("eth_getBlockByNumber", ["latest", False])
        try:
            return natural(found.get("baseFeePerGas", "0x0"))
        except (AttributeError, ValueError):
            raise Unreachable(f"{self.name} shows a newest block that is none", "ask another node") from None

    def nonce(self, address: str, at: At = "latest") -> int:
        """How many transactions of an account were mined up to a block, or, at `pending`, are known."""
        return self.number("eth_getTransactionCount", [address, tag_of(at)])

    def call(self, to: str, data: bytes, at: At = "latest", *, sender: str | None = None, value: int = 0) -> bytes:
        """What a call of a contract returns. RpcError with its data where it reverts."""
        transaction = {"to": to, "data": "0x" + data.hex()}
        if sender is not None:
            transaction |= {"from": sender, "value": hex(value)}
        return self._data("eth_call", [transaction, tag_of(at)])

    def _data(self, method: str, params: Sequence[Any]) -> bytes:
        """Result of a request that is answered by bytes. Errors as `number`."""
        try:
            return octets(self.request(method, params))
        except ValueError:
            raise Unreachable(f"{self.name} answered {method} with what are no bytes", "ask another node") from None

    def _post(self, method: str, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout
        try:
            with self._client.stream("POST", self.url, content=body) as response:
                chunks, size = [], 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    chunks.append(chunk)
                    if size > MAX_ANSWER_BYTES:
                        raise Unreachable(
                            f"{self.name} answered more than {MAX_ANSWER_BYTES >> 20} MiB to {method}", "ask another node"
                        )
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("too slow")
        except httpx.TimeoutException:
            raise Unreachable(
                f"{self.name} did not answer {method} within {self._timeout:g} s", "try again, or ask another node"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"{self.name} cannot be reached ({type(error).__name__})",
                "is a node running there? For a chain of your own: assay devnet",
            ) from None
        return b"".join(chunks)


def natural(text: object, most: int = 2**256 - 1) -> int:
    """A number as JSON-RPC writes it. ValueError for anything else, and above `most`."""
    if not isinstance(text, str) or not re.fullmatch("0x[0-9a-fA-F]{1,64}", text) or (number := int(text, 16)) > most:
        raise ValueError("no number")
    return number


def octets(text: object) -> bytes:
    """Bytes as JSON-RPC writes them. ValueError for anything else."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("no bytes")
    return bytes.fromhex(text[2:])


def tag_of(at: At) -> str:
    """A block's number or tag as JSON-RPC writes it."""
    return hex(at) if isinstance(at, int) else at


def _rpc_error(name: str, method: str, error: Any) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(f"{name} refused {method}")
    message, code = str(error.get("message", "no reason given"))[:500], error.get("code", 0)
    return RpcError(
        f"{name} refused {method}: {message}", "try again, or ask another node", code=code, data=_revert_data(error.get("data"))
    )


def _revert_data(data: Any) -> bytes | None:
    """Bytes of a revert: a hex string, or an object that holds one under `data`, as some clients answer."""
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, str):
        return None
    try:
        return bytes.fromhex(data.removeprefix("Reverted ").removeprefix("0x"))
    except ValueError:
        return None
