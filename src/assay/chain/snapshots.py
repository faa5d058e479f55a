"""A round's chain as a file: headers, receipts, codes and trie nodes, all of which prove themselves; and how they are fetched.

The file is a line that names the format, then RLP. Nothing in it is believed by being there: see `assay.audit.snapshot`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import rlp

from assay.chain import index
from assay.chain.client import Chain
from assay.chain.deployments import CONTRACTS
from assay.chain.headers import Header, header_of, list_root, may_hold, raw_header, raw_receipt
from assay.chain.layout import Stored, deadlines_of, stored
from assay.encoding.hashing import checksum, keccak
from assay.errors import BadInput, Tampered, WrongChain
from assay.types import Address, Block, Node, RoundId, VersionId

__all__ = ["MAX_FILE_BYTES", "BlockReceipts", "Snapshot", "account_key", "dump", "fetch", "load", "slot_key"]

MAX_FILE_BYTES = 256 << 20
_MAGIC = b"assay chain snapshot 1\n"
_KEYS_AT_ONCE = 64
_LEAST_NODE = 2 + 2 * 32
"""Hex digits of the smallest node that is named by its hash; smaller ones stand inside their parents."""

_REMEDY = "Export it again: assay export --chain ROUND FILE."


class BlockReceipts(NamedTuple):
    """All receipts of one block, and its signed transactions where an answer of the round was posted there: logs hold no Ask."""

    number: int
    receipts: tuple[bytes, ...]
    transactions: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a file holds, decoded and not yet checked.

    `headers` go without a gap from the block of the seal to the trusted one. `receipts` are those of the blocks that may have
    logged something of the round before answerBy, `nodes` those of the state trie and of storage tries. `commitments` and `roots`
    are events whose content hashes to what is stored.
    """

    chain_id: int
    contracts: tuple[Address, ...]
    round: RoundId
    headers: tuple[bytes, ...]
    receipts: tuple[BlockReceipts, ...]
    nodes: tuple[bytes, ...]
    codes: tuple[bytes, ...]
    commitments: tuple[tuple[VersionId, bytes], ...]
    roots: tuple[tuple[VersionId, Node], ...]


def dump(snapshot: Snapshot) -> bytes:
    """The file of a snapshot; the same snapshot gives the same bytes."""
    fields = [
        snapshot.chain_id,
        [bytes.fromhex(address[2:]) for address in snapshot.contracts],
        snapshot.round,
        list(snapshot.headers),
        [[number, list(receipts), list(transactions)] for number, receipts, transactions in snapshot.receipts],
        list(snapshot.nodes),
        list(snapshot.codes),
        [list(entry) for entry in snapshot.commitments],
        [[version, root.hash, list(root.sums)] for version, root in snapshot.roots],
    ]
    return _MAGIC + bytes(rlp.encode(fields))


def load(path: Path) -> Snapshot:
    """A snapshot from its file, its form checked and nothing else. BadInput where it is too large or none at all."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name another file", where=str(path)) from None
    if len(raw) > MAX_FILE_BYTES or not raw.startswith(_MAGIC):
        raise BadInput("is no chain snapshot, or too large", _REMEDY, where=str(path))
    try:
        return _parsed(rlp.decode(raw[len(_MAGIC) :]))
    except (rlp.exceptions.RLPException, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Tampered(f"is no chain snapshot ({type(error).__name__})", _REMEDY, where=str(path)) from None


def fetch(chain: Chain, round_: RoundId, block: Block) -> Snapshot:
    """Fetches all that proves a round at a block.

    BadInput where the chain knows no such round there, WrongChain where the node's blocks do not hash to what it says,
    Unreachable where it does not answer or keeps no proofs of that block.
    """
    log = index.round_log(chain, round_, to_block=block.number)
    versions = tuple(entry.version for entry in log.enrolled)
    slots: dict[Address, dict[int, None]] = {}
    found = stored(_recorder(chain, block.number, slots), chain.deployment, round_, versions)
    if found is None or log.sealed is None:
        raise BadInput(f"the chain knows no round 0x{round_.hex()} at block {block.number}", "Check the id and the block.")
    headers = tuple(_headers(chain, log.sealed.block, block))
    contracts = tuple(getattr(chain.deployment, name) for name in CONTRACTS)
    accounts = (*contracts, found.task.metric)
    return Snapshot(
        chain_id=chain.deployment.chain_id,
        contracts=contracts,
        round=round_,
        headers=headers,
        receipts=tuple(_receipts(chain, headers, log, found)),
        nodes=tuple(_nodes(chain, block.number, accounts, slots)),
        codes=tuple(dict.fromkeys(chain.node.code(address, block.number) for address in accounts)),
        commitments=tuple(_commitments(chain, versions, block.number)),
        roots=tuple((version, log.attested[version].root) for version in versions if version in log.attested),
    )


def account_key(address: Address) -> bytes:
    """Key of an account in the state trie."""
    return keccak(bytes.fromhex(address[2:]))


def slot_key(slot: int) -> bytes:
    """Key of a slot in a contract's storage trie."""
    return keccak(slot.to_bytes(32, "big"))


def _recorder(chain: Chain, at: int, slots: dict[Address, dict[int, None]]) -> Any:
    def read(contract: Address, slot: int) -> int:
        slots.setdefault(contract, {})[slot] = None
        return int(chain.node.request("eth_getStorageAt", [contract, f"0x{slot:064x}", hex(at)]), 16)

    return read


def _headers(chain: Chain, first: int, last: Block) -> Iterator[bytes]:
    for number in range(first, last.number + 1):
        record = chain.node.request("eth_getBlockByNumber", [hex(number), False])
        if record is None:
            raise WrongChain(f"the node has no block {number}", "ask a node that keeps all blocks since the seal")
        yield raw_header(record)


def _receipts(chain: Chain, headers: Sequence[bytes], log: index.RoundLog, found: Stored) -> Iterator[BlockReceipts]:
    answer_by = deadlines_of(found.record, found.task).answer_by
    wanted = (bytes.fromhex(chain.deployment.rounds[2:]), log.round)
    posted = {entry.block for entry in log.posted}
    for raw in headers:
        header = header_of(raw, "a header of the node")
        if header.timestamp < answer_by and may_hold(header.bloom, wanted):
            yield _block_receipts(chain, header, with_transactions=header.number in posted)


def _block_receipts(chain: Chain, header: Header, *, with_transactions: bool) -> BlockReceipts:
    told = chain.node.request("eth_getBlockReceipts", [hex(header.number)])
    records = sorted(told, key=lambda record: int(record["transactionIndex"], 16))
    receipts, sent = tuple(map(raw_receipt, records)), tuple[bytes, ...]()
    if with_transactions:
        raws = (chain.node.request("eth_getRawTransactionByHash", [record["transactionHash"]]) for record in records)
        sent = tuple(bytes.fromhex(raw[2:]) for raw in raws)
    if list_root(receipts) != header.receipts_root or (sent and list_root(sent) != header.transactions_root):
        remedy = "This chain makes its blocks otherwise than Ethereum does: verify against a live node."
        raise WrongChain(f"receipts or transactions of block {header.number} do not lead to its header", remedy)
    return BlockReceipts(header.number, receipts, sent)


def _nodes(chain: Chain, at: int, accounts: Sequence[Address], slots: dict[Address, dict[int, None]]) -> Iterator[bytes]:
    seen: set[str] = set()
    for address in dict.fromkeys(accounts):
        keys = [f"0x{slot:064x}" for slot in slots.get(address, ())]
        for start in range(0, max(1, len(keys)), _KEYS_AT_ONCE):
            proof = chain.node.request("eth_getProof", [address, keys[start : start + _KEYS_AT_ONCE], hex(at)])
            for node in (*proof["accountProof"], *(node for entry in proof["storageProof"] for node in entry["proof"])):
                if node not in seen and len(node) >= _LEAST_NODE:
                    seen.add(node)
                    yield bytes.fromhex(node[2:])


def _commitments(chain: Chain, versions: Sequence[VersionId], at: int) -> Iterator[tuple[VersionId, bytes]]:
    for version in versions:
        committed = index.version_log(chain, version, to_block=at)
        if committed is not None:
            yield version, committed.commitment


def _parsed(fields: Any) -> Snapshot:
    """Strict: RLP has one spelling of each value, so a file that differs in a byte differs in content."""
    chain_id, contracts, round_, headers, receipts, nodes, codes, commitments, roots = fields
    if len(contracts) != len(CONTRACTS):
        raise ValueError("contracts")
    return Snapshot(
        _number(chain_id),
        tuple(checksum(_sized(address, 20)) for address in contracts),
        RoundId(_sized(round_, 32)),
        _blobs(headers),
        tuple(BlockReceipts(_number(number), _blobs(found), _blobs(sent)) for number, found, sent in receipts),
        _blobs(nodes),
        _blobs(codes),
        tuple((VersionId(_sized(version, 32)), _sized(commitment, 32)) for version, commitment in commitments),
        tuple((VersionId(_sized(v, 32)), Node(_sized(root, 32), tuple(map(_number, sums)))) for v, root, sums in roots),
    )


def _number(raw: Any) -> int:
    if not isinstance(raw, bytes) or len(raw) > 32 or raw[:1] == b"\0":
        raise ValueError("a number")
    return int.from_bytes(raw, "big")


def _sized(raw: Any, size: int) -> bytes:
    if not isinstance(raw, bytes) or len(raw) != size:
        raise ValueError("a size")
    return raw


def _blobs(values: Any) -> tuple[bytes, ...]:
    if not isinstance(values, list) or not all(isinstance(value, bytes) for value in values):
        raise ValueError("a list")
    return tuple(values)
