"""Reads every followed round at one block that all nodes have; nothing is decided here, and what is kept can be read again."""

from dataclasses import replace
from functools import partial

import structlog

from assay.chain import index
from assay.chain.client import Chain
from assay.chain.index import DemandRecord
from assay.chain.minima import check_task
from assay.errors import NotYet, Refused
from assay.types import Block, Closing, Phase, RoundId, TaskId, TaskParams
from assay.watch.agreement import Witnesses
from assay.watch.auditing import Auditor
from assay.watch.deciding import Look
from assay.watch.journal import Journal
from assay.watch.pauses import Pauses, renewal
from assay.watch.peers import Peers
from assay.watch.records import Known

__all__ = ["Lookout"]

_OVER = frozenset({Phase.FINAL, Phase.VOID, Phase.FORFEITED, Phase.SLASHED})
_NOTHING = Closing(0, 0)

log = structlog.get_logger()


class Lookout:
    """Looks at all rounds. `pauses` says, by a round's id and its `renewal`, when what was tried may be tried again."""

    def __init__(
        self, chain: Chain, witnesses: Witnesses, journal: Journal, auditor: Auditor, peers: Peers, pauses: Pauses
    ) -> None:
        """Nothing is read yet."""
        self._chain, self._witnesses, self._journal = chain, witnesses, journal
        self._auditor, self._peers, self._pauses = auditor, peers, pauses
        self._tasks: dict[TaskId, TaskParams] = {}
        self._accepted: dict[TaskId, bool] = {}
        self._fresh: list[Known] = []
        self._over: dict[RoundId, Look] = {}  # a phase that ends a round in a final block stays

    def looks(self, block: Block) -> list[Look]:
        """All rounds that are not closed. Disagreement, NotYet and Unreachable as of the nodes."""
        final = self._follow(block)
        looks = [self._look(known, block, final) for known in (*self._journal.rounds(), *self._fresh)]
        self._peers.see(looks)
        return [replace(look, evidence=self._auditor.evidence(look.round)) for look in looks]

    def _follow(self, block: Block) -> int:
        """Rounds sealed up to a final block are kept; younger ones are read again in every cycle. The final block's number."""
        chain, journal = self._chain, self._journal
        final = min(self._witnesses.finalized().number, block.number)
        first = chain.deployment.first_block
        scanned = journal.scanned()
        begin = first if scanned is None else scanned + 1
        found: list[Known] = []
        if begin <= block.number:
            read = partial(index.sealed_rounds, to_block=block.number, from_block=begin)
            found = [_known(sealed) for sealed in self._witnesses.same(read)]
        journal.add_rounds((known for known in found if known.block <= final), max(final, begin - 1))
        self._fresh = [known for known in found if known.block > final]
        return final

    def _look(self, known: Known, block: Block, final: int) -> Look:
        """All but its evidence, which depends on the other rounds."""
        if known.round not in self._over:
            look = self._look_anew(known, block, final)
            if not look.is_final:
                return look
            self._over[known.round] = look
        look, id_ = self._over[known.round], known.round
        demands, renew = self._demands(look.closing, id_, block), self._pauses.is_over(renewal(id_))
        return replace(look, now=block.timestamp, demands=demands, audit=self._journal.audit(id_), may_renew=renew)

    def _look_anew(self, known: Known, block: Block, final: int) -> Look:
        chain, at, id_ = self._chain, block.number, known.round
        witnesses = self._witnesses
        facts, phase = witnesses.same(lambda each: (each.rounds.round(id_, at=at), each.rounds.phase(id_, at=at)))
        deadlines = chain.rounds.deadlines(id_, at=at)
        if facts is None or deadlines is None:
            raise NotYet(f"round 0x{id_.hex()} is not in block {at}", "look again")
        closing = chain.rounds.closing(id_, at=at) if facts.revealed_at else _NOTHING
        over = phase in _OVER and (known.block <= final and chain.rounds.phase(id_, at=final) is phase)
        return Look(
            round=facts,
            phase=phase,
            now=block.timestamp,
            deadlines=deadlines,
            closing=closing,
            task=self._task_of(facts.task, at),
            demands=self._demands(closing, id_, block),
            audit=self._journal.audit(id_),
            may_fetch=self._pauses.is_over(id_),
            may_renew=self._pauses.is_over(renewal(id_)),
            is_final=over,
            accepted=self._accepts(facts.task, at),
        )

    def _demands(self, closing: Closing, round_: RoundId, block: Block) -> tuple[DemandRecord, ...]:
        return self._witnesses.same(lambda each: index.demands_of(each, round_, block.number)) if closing.queue_end else ()

    def _task_of(self, task: TaskId, at: int) -> TaskParams:
        found = self._tasks.get(task) or self._chain.tasks.params(task, at=at)
        if found is None:
            raise NotYet(f"task 0x{task.hex()} is not in block {at}", "look again")
        self._tasks[task] = found
        return found

    def _accepts(self, task: TaskId, at: int) -> bool:
        """Whether the task has a shipped metric and keeps the published bounds; asked once, since tasks never change."""
        if task not in self._accepted:
            try:
                check_task(self._chain, self._task_of(task, at))
            except Refused as error:
                log.warning("nothing is spent on a task", task="0x" + task.hex(), why=error.message)
                self._accepted[task] = False
            else:
                self._accepted[task] = True
        return self._accepted[task]


def _known(sealed: index.Sealed) -> Known:
    return Known(sealed.round, sealed.benchmarker, sealed.task, sealed.block)
