"""The output of a notebook's cell, also while the cell runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from labs_helpers.display import transfers
from labs_helpers.errors import LabError, said


def display(shown: Any) -> Any:
    """Show something in the cell. Returns a handle with which the output can be changed."""
    from IPython.display import display

    return display(shown, display_id=True)  # type: ignore[no-untyped-call]


def someone_looks() -> bool:
    """Whether a front end with a person runs the cell, and not a program such as nbclient.

    A front end tells the kernel that it can ask for input (``allow_stdin``), nbclient and nbval
    tell that they cannot:
    https://jupyter-client.readthedocs.io/en/stable/messaging.html#execute
    """
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(kernel and kernel.get_parent()["content"].get("allow_stdin"))


def say_when_the_sandbox_is_down() -> None:
    """From now on a cell whose boto3 finds no sandbox shows one line, without a traceback."""
    from botocore.exceptions import EndpointConnectionError
    from IPython import get_ipython

    def show(shell: Any, kind: Any, error: BaseException, trace: Any, tb_offset: Any = None) -> Any:
        line = said(error)
        if line == str(error):  # another host than the sandbox's
            shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
            return None
        shell._showtraceback(kind, error, [line])
        return [line]

    shell = get_ipython()
    if shell is not None:
        shell.set_custom_exc((EndpointConnectionError,), show)


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
