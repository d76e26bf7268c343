"""The face of the labs: a notebook begins with ``from labs_helpers import start``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labs_helpers.lab import Lab

__all__ = ["start"]


def start(number: str, fresh: bool = False) -> Lab:
    """Open a lab by its number, such as "05"; see :func:`labs_helpers.startup.start`.

    Imported late: the sandbox is a process of this package too, and must not wait for what only
    a notebook needs.
    """
    from labs_helpers.startup import start as open_lab

    return open_lab(number, fresh)
