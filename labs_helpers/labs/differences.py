"""Where the sandbox differs from AWS: ``labs/labNN/differences.json``.

An entry says what happens ``here``, what happens on ``aws``, the ``source`` of that as a URL, and
the ``test`` (a pytest node id) that fails when the entry is no longer true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from labs_helpers import curriculum
from labs_helpers.own_names import USUAL, OwnNames


@dataclass(frozen=True)
class Difference:
    """One difference from AWS.

    ``lab`` is the lab in whose folder the entry is; ``also`` are the other labs that show it.
    """

    id: str
    lab: str
    here: str
    aws: str
    source: str
    test: str
    also: tuple[str, ...] = ()


def every() -> list[Difference]:
    """The entries of all labs, in the order of the labs and then of the file."""
    return [
        Difference(**{**entry, "lab": lab, "also": tuple(entry.get("also", ()))})
        for lab in curriculum.LABS
        for entry in curriculum.data(lab, "differences")
    ]


def of_lab(number: str, names: OwnNames = USUAL) -> list[Difference]:
    """The entries that one lab shows: the lab's own first, then those of other labs.

    The texts have the account and the region of ``names``.
    """
    entries = [replace(one, here=names.of(one.here), aws=names.of(one.aws)) for one in every()]
    own = [entry for entry in entries if entry.lab == number]
    return own + [entry for entry in entries if number in entry.also]
