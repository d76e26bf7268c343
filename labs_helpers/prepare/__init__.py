"""What a lab starts from: steps that make a fact true, whatever was there before.

One module a lab, ``labNN.py``, with ``STEPS``; steps that several labs need are in the module of
their subject. A step's ``fact`` is the line of the lab's card. ``beginning.py`` runs the steps,
``record.py`` remembers for which labs they have been run.
"""

from __future__ import annotations

import importlib
import importlib.util

from labs_helpers.prepare.step import Place, Step

__all__ = ["Place", "Step", "steps"]


def steps(number: str, mode: str) -> tuple[Step, ...]:
    """The steps of a lab that hold in ``mode``; none when the lab needs nothing."""
    name = f"{__name__}.lab{number}"
    if importlib.util.find_spec(name) is None:
        return ()
    listed: tuple[Step, ...] = importlib.import_module(name).STEPS
    return tuple(step for step in listed if mode == "sandbox" or step.on_aws)
