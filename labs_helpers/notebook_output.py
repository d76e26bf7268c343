"""The output of a notebook's cell, also while the cell runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from labs_helpers.display import transfers
from labs_helpers.display.rendering import Rendering, paragraph
from labs_helpers.errors import LabError


def display(shown: Any, raw: bool = False) -> Any:
    """Show something in the cell. Returns a handle with which the output can be changed.

    raw: shown is a dictionary by MIME type; an empty one shows nothing.
    """
    from IPython.display import display

    return display(shown, raw=raw, display_id=True)  # type: ignore[no-untyped-call]


def someone_looks() -> bool:
    """Whether a front end with a person runs the cell, and not a program such as nbclient.

    A front end tells the kernel that it can ask for input (``allow_stdin``), nbclient and nbval
    tell that they cannot:
    https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute
    """
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(kernel and kernel.get_parent()["content"].get("allow_stdin"))


def followed(ask: Callable[[Callable[[Rendering], object] | None], Rendering]) -> Rendering:
    """What ``ask`` returns; what it shows before is shown in the cell, while someone looks.

    The last picture is the cell's result, so that the changing output ends empty.
    """
    if not someone_looks():
        return ask(None)
    area = display({}, raw=True)
    try:
        return ask(area.update)
    finally:
        area.update({}, raw=True)


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """A line in the cell, while someone looks, that changes with what is said, and goes in the end.

    So the outputs of a notebook are the same however long the work took.
    """
    if not someone_looks():
        yield lambda line: None
        return
    area = display(paragraph(first))
    try:
        yield lambda line: area.update(paragraph(line))
    finally:
        area.update({}, raw=True)


def watch(stream: Iterable[Mapping[str, Any]], mbit: float | None) -> transfers.TransferResult:
    """Follow a push or a pull as ``Lab.watch`` does; raises LabError."""
    if mbit is not None and not mbit > 0:
        raise LabError(f"mbit={mbit}: a line carries more than 0 Mbit/s.")
    pace = transfers.Pace(mbit) if mbit else None
    live = transfers.Bars(pace) if someone_looks() else None
    area = display(live.box) if live else None
    try:
        seen = transfers.follow(stream, live.update) if live else transfers.follow(stream)
    except transfers.NotAStream as error:
        raise LabError(str(error)) from error
    finally:
        if area:
            # no widget stays in the notebook: in a reopened notebook, no kernel would serve it
            area.update({}, raw=True)
    if seen.error:
        if seen.layers:
            display(transfers.result(seen))
        raise LabError(seen.error)
    return transfers.result(seen)
