"""The cells of a lab up to its first exercise, with a wrong answer and the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labs_helpers.catch_up import Cell, until
from labs_helpers.curriculum import FIRST, LABS
from labs_helpers.labs.exercises import exercises

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

MISTAKES = {
    "00": ("hello-labs", "helo-labs"),
    "01": ("eu-west-1", "eu-west-2"),
    "02": ("|repository/payments/api|", "|repository/payments/apis|"),
    "03": ("mirror/nginx:alpine", "mirror/nginx:alpin"),
    "04": ("team-a/api", "team-a/apis"),
    "05": ("eu-west-1", "eu-central-1"),
    "06": ("VERSION=2.0.0", "VERSION=1.0.0"),
    "07": ("2.0.0", "2.0.1"),
    "08": ("1.1.0", "1.1.1"),
    "09": ("sh test.sh", "sh tests.sh"),
    "10": ("imageTag=1.1.0", "imageTag=1.0.0"),
    "11": ("s/:$VERSION/", "s/:$VERSIONS/"),
    "12": (
        "aws ecs stop-service-deployment --service-deployment-arn $deployment",
        "revision=$(aws ecs register-task-definition --cli-input-json file://next.json "
        "--query taskDefinition.taskDefinitionArn --output text)\n"
        "aws ecs update-service --cluster demo --service front --task-definition $revision",
    ),
    "13": ("taskDefinitionArns[1]", "taskDefinitionArns[-1]"),
    "14": ("--repository-name demo-app-repo --force", "--repository-name demo-app-repo"),
}
"""By lab, what a learner mistakes in the solution of the first exercise: (right, wrong).

The wrong answer changes something, so that the check notes a try, and the right one can follow.
"""
AGAIN = {"12": 4}
"""By lab, how many cells before the exercise a learner runs again before the right answer.

What lab 12 takes back is a deployment, which the wrong answer has ended.
"""
WATCHED = {"12": 'lab.service("front", cluster="demo", wait=600)'}
"""By lab, the cell with which a learner waits for what the right answer has begun."""


@dataclass(frozen=True)
class Work:
    """What a learner runs in a lab, up to the check of its first exercise.

    ``path``: of the notebook in the workbook; ``after``: cells between an answer and the check;
    ``again``: cells between the wrong answer and the right one; ``watched``: a cell after the right
    one.
    """

    number: str
    exercise: str
    path: str
    before: Sequence[Cell]
    wrong: Cell
    again: Sequence[Cell]
    right: Cell
    watched: Sequence[Cell]
    after: Sequence[Cell]

    @property
    def start(self) -> str:
        """The lab's first cell."""
        return f'from labs_helpers import start\nlab = start("{self.number}")'

    @property
    def check(self) -> str:
        """The cell with the check of the exercise."""
        return f'lab.check("{self.exercise}")'


def work(number: str) -> Work:
    """The work in a lab."""
    lab = LABS[number]
    notebook = NOTEBOOKS / lab.notebook
    first, *_ = exercises(notebook).values()
    cells = until(notebook, first.id, lambda _: False)
    at = next(n for n, cell in enumerate(cells) if cell.source == first.solution)
    right, wrong = MISTAKES[number]
    assert right in first.solution, f"{first.id} has no {right!r} any more"
    return Work(
        number,
        first.id,
        lab.notebook if number == FIRST else f"{lab.folder}/{lab.notebook}",
        cells[:at],
        Cell(first.solution.replace(right, wrong), may_fail=True),
        cells[at - AGAIN.get(number, 0) : at],
        cells[at],
        [Cell(WATCHED[number], may_fail=False)] if number in WATCHED else [],
        cells[at + 1 :],
    )
