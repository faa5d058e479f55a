"""Figures for Prometheus, in a registry of their own, served on loopback alone."""

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from assay.types import Block, DemandState, Phase
from assay.watch.deciding import Look
from assay.watch.journal import Journal
from assay.watch.settings import Plan

__all__ = ["Meters"]

HOST = "127.0.0.1"


class Meters:
    """All figures of a watchtower. `scripts/assay-watch.rules.yml` says which of them should wake somebody."""

    def __init__(self) -> None:
        """Every figure begins at zero."""
        self.registry = CollectorRegistry()
        self.block = self._gauge("block", "Number of the last block that all nodes agreed on.")
        self.block_time = self._gauge("block_timestamp_seconds", "Its time.")
        self.last_cycle = self._gauge("last_cycle_timestamp_seconds", "Local time of the last cycle that came to its end.")
        self.rounds = Gauge("assay_watch_rounds", "Rounds that are followed, by phase.", ["phase"], registry=self.registry)
        self.unaudited = self._gauge("unaudited_rounds", "Revealed rounds in their window that were not audited yet.")
        self.unserved = self._gauge("unserved_rounds", "Revealed rounds in their window whose bundle cannot be had.")
        self.open_demands = self._gauge("open_demands", "Demands that nobody answered or expired yet.")
        self.least_seconds = self._gauge(
            "least_seconds_left", "Until the nearest deadline of something to be done; 0 without any."
        )
        self.spent_today = self._gauge("spent_today_wei", "Gas and fees of the last day, set aside or spent.")
        self.spent_ever = self._gauge("spent_ever_wei", "Gas and fees ever, set aside or spent.")
        self.budget_today = self._gauge("budget_today_wei", "Limit of a day.")
        self.budget_ever = self._gauge("budget_ever_wei", "Limit in all.")
        self.balance = self._gauge("balance_wei", "Money of the key that pays gas.")
        self.free_stake = self._gauge("free_stake_wei", "Free stake of the key, out of which fees of demands are locked.")
        self.limit_left = self._gauge(
            "limit_left_wei", "What is left of the key's limit on itself: fees lost to answers stay used."
        )
        self.open_acts = self._gauge("open_acts", "Acts whose transaction is not known to have ended.")
        self.evidence_problems = self._gauge("evidence_problems", "Files of evidence, and public sets, that could not be read.")
        self.audits = self._counter("audits", "Audits, by exit code and whether the bundle was served.", ["exit_code", "served"])
        self.faults = self._counter("faults", "Proofs that audits found, by kind.", ["kind"])
        self.acts = self._counter("acts", "What was brought to the chain, by kind and outcome.", ["kind", "outcome"])
        self.sightings = self._counter("sightings", "Prompts that were public before their round's seal.", ["kind"])
        self.errors = self._counter("errors", "Errors of cycles and of single tasks, by name.", ["error"])
        self.unexpected = self._counter("unexpected", "Errors that nobody foresaw: a full disk, or a defect of this program.", [])
        self.disagreements = self._counter("disagreements", "Cycles in which nodes disagreed, or one had no answer.", [])

    def observe(self, looks: Sequence[Look], block: Block, journal: Journal, plan: Plan) -> None:
        """Set what follows from a cycle's readings and from the journal."""
        window = [look for look in looks if look.phase is Phase.CHALLENGING]
        audits = [look.audit for look in window]
        waiting = [record for look in window for record in look.demands if record.state is DemandState.OPEN]
        ends = [record.deadline for record in waiting] + [look.closing.final_at for look in window]
        spent = journal.spent(block.timestamp)
        self.block.set(block.number)
        self.block_time.set(block.timestamp)
        for phase in Phase:
            self.rounds.labels(phase.name.lower()).set(sum(look.phase is phase for look in looks))
        self.unaudited.set(sum(audit is None or audit.early for audit in audits))
        self.unserved.set(sum(audit is not None and not audit.early and not audit.served for audit in audits))
        self.open_demands.set(len(waiting))
        self.least_seconds.set(max(min(ends, default=block.timestamp) - block.timestamp, 0))
        self.spent_today.set(spent.today)
        self.spent_ever.set(spent.ever)
        self.budget_today.set(plan.budget_per_day)
        self.budget_ever.set(plan.budget)
        self.open_acts.set(len(journal.acts(open_only=True)))

    def serve(self, port: int) -> Callable[[], None]:
        """Serve them on loopback; a function that ends it."""
        server, thread = start_http_server(port, HOST, registry=self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join(5)

        return stop

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"assay_watch_{name}", text, registry=self.registry)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"assay_watch_{name}", text, labels, registry=self.registry)
