"""One wrapper per contract: reads return facts, writes return a `Call` for the door."""

from assay.chain.contracts.base import Call, Contract
from assay.chain.contracts.disputes import Disputes
from assay.chain.contracts.judge import Judge, opening_tuple
from assay.chain.contracts.metric import MetricContract
from assay.chain.contracts.models import Models
from assay.chain.contracts.rounds import Rounds
from assay.chain.contracts.tasks import Tasks
from assay.chain.contracts.vault import Vault

__all__ = ["Call", "Contract", "Disputes", "Judge", "MetricContract", "Models", "Rounds", "Tasks", "Vault", "opening_tuple"]
