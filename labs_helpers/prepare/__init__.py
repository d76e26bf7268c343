"""What a lab starts from: steps that make a fact true, whatever was there before.

``labs/labNN/prepare.py`` lists a lab's ``STEPS``; steps that several labs need are here, in the
module of their subject. A step's ``fact`` is the line of the lab's card. ``beginning.py`` runs the
steps, ``record.py`` remembers for which labs they have been run.
"""

from __future__ import annotations

from labs_helpers import curriculum
from labs_helpers.prepare.step import Place, Step

__all__ = ["Place", "Step", "steps"]


def steps(number: str, mode: str) -> tuple[Step, ...]:
    """The steps of a lab that hold in ``mode``; none when the lab needs nothing."""
    found = curriculum.module(number, "prepare")
    listed: tuple[Step, ...] = found.STEPS if found else ()
    return tuple(step for step in listed if (step.in_sandbox if mode == "sandbox" else step.on_aws))
