"""The tasks of one deployment or task set: started and stopped until their number is right.

`shifting.py` and `task_sets.py` have several deployments or sets at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labs_helpers.sandbox.ecs import rolling, tasks
from labs_helpers.sandbox.ecs.naming import Document
from labs_helpers.sandbox.ecs.plans import Plan


@dataclass
class Crew:
    """One look at a service: all its tasks, and the plan to which each method adds.

    at: sandbox time, for the documents; real: the machine's time, for pauses.
    """

    service: Document
    found: Sequence[Document]
    plan: Plan
    at: float
    real: float

    def live(self, deployment: Document) -> list[Document]:
        """The tasks of a deployment whose end nobody has asked for."""
        ending = {task["_id"] for task, _, _ in self.plan.stop}
        return [
            task
            for task in self.found
            if task["_deployment"] == deployment["id"]
            and tasks.is_live(task)
            and task["_id"] not in ending
        ]

    def is_gone(self, deployment: Document) -> bool:
        """Whether every task of a deployment has stopped."""
        own = [task for task in self.found if task["_deployment"] == deployment["id"]]
        return all(task["lastStatus"] == tasks.STOPPED for task in own)

    def scale(self, deployment: Document, count: int) -> None:
        """Start or stop tasks of a deployment until there are `count`."""
        deployment["desiredCount"] = count
        live = self.live(deployment)
        missing = count - len(live)
        if missing > 0:
            if deployment["_retry_at"] <= self.real:
                self.plan.starts[deployment["id"]] = missing
            self.plan.again = True
        spare = sorted(live, key=lambda task: rolling.is_up(task, self.real))[: max(-missing, 0)]
        rolling.end(self.service, spare, self.plan, self.at)

    def up(self, deployment: Document) -> int:
        """How many tasks of a deployment serve."""
        return sum(rolling.is_up(task, self.real) for task in self.live(deployment))
