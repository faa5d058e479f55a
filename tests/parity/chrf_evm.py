"""chrF in a real EVM: the contract and the harness `ChrfBatch` in an Anvil of `parity.evm`."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector as selector

from parity.evm import BUILD, Evm, Pair, _batches, anvil

HARNESS, CHRF = (f"0x{0xA55A0010 + number:040x}" for number in range(2))
CONTRACTS = {HARNESS: "ChrfBatch", CHRF: "Chrf"}

Words = tuple[int, int]


class ChrfEvm:
    """The contract in an EVM."""

    def __init__(self, evm: Evm) -> None:
        self.evm = evm
        for address, name in CONTRACTS.items():
            artifact = json.loads((BUILD / f"out/{name}.sol/{name}.json").read_text())
            evm._request("anvil_setCode", [address, artifact["deployedBytecode"]["object"]])

    def measure(self, pairs: Sequence[Pair], seed: int) -> list[Words]:
        """The two words of each (response, reference)."""
        words: list[int] = []
        for batch in _batches(pairs):
            responses, references = zip(*batch, strict=True)
            types = ["address", "bytes[]", "bytes[]", "uint256"]
            words += self._harness("measure", types, [CHRF, responses, references, seed], "uint256[]")
        return list(zip(words[::2], words[1::2], strict=True))

    def score(self, totals: Sequence[Sequence[int]]) -> list[int]:
        """The score of each list of totals."""
        return list(self._harness("score", ["address", "uint256[][]"], [CHRF, totals], "uint256[]"))

    def characters(self, text: bytes) -> bytes:
        """The characters of a text, four bytes each."""
        return bytes(self._harness("characters", ["bytes"], [text], "bytes"))

    def gas(self, pair: Pair, seeds: Sequence[int] = (1,)) -> list[int]:
        """Gas of one call of `measure` for each seed."""
        types = ["address", "bytes", "bytes", "uint256[]"]
        return list(self._harness("gasOf", types, [CHRF, *pair, seeds], "uint256[]"))

    def gas_of_score(self, totals: Words) -> int:
        """Gas of one call of `score`."""
        return int(self._harness("gasOfScore", ["address", "uint256[]"], [CHRF, totals], "uint256"))

    def _harness(self, name: str, types: list[str], values: list[Any], result: str) -> Any:
        return self.evm._call(HARNESS, selector(f"{name}({','.join(types)})") + encode(types, values), result)


@contextmanager
def chrf_anvil() -> Iterator[ChrfEvm]:
    """An Anvil of one's own with the contracts as the working tree has them."""
    with anvil() as evm:
        yield ChrfEvm(evm)
