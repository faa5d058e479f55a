"""TaskRegistry: what is examined, by which metric, in which windows, for which bonds."""

from dataclasses import astuple

from assay.chain.contracts.base import Call, Contract
from assay.chain.node import At
from assay.errors import Reverted
from assay.types import TaskId, TaskParams


class Tasks(Contract):
    """The registry of tasks."""

    artifact = "TaskRegistry"

    def params(self, task: TaskId, *, at: At = "latest") -> TaskParams | None:
        """Parameters of a task, None for an unknown one."""
        try:
            (values,) = self._read("paramsOf", task, at=at)
        except Reverted as error:
            if error.error.startswith("UnknownTask("):
                return None
            raise
        return TaskParams(*values)

    def register(self, params: TaskParams) -> Call:
        """Register a task; a second time is harmless."""
        return self._call("register", astuple(params), what="register the task")
