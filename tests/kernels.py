"""A kernel of a notebook, as `labs lab` gives a learner one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from labs_helpers.jupyter import folders
from labs_helpers.workspace import Workspace


class Kernel:
    """A kernel, and what its cells show."""

    def __init__(self, client: Any, manager: Any) -> None:
        self._client = client
        self._manager = manager
        self._changes: list[str] = []

    def run(
        self, code: str, cell: str = "", somebody_looks: bool = False, interrupted_at: str = ""
    ) -> list[str]:
        """The texts that a cell shows: of streams, displays and errors, in order.

        ``somebody_looks``: as a front end with a person runs the cell, and not a program.
        ``interrupted_at``: the learner interrupts the kernel once the cell has shown this text.
        """
        session = self._client.session
        content = {"code": code, "silent": False, "store_history": True}
        content["allow_stdin"] = somebody_looks
        message = session.msg("execute_request", content, metadata={"cellId": cell})
        self._client.shell_channel.send(message)
        shown = []
        while True:
            answer = self._next()
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            kind, what = answer["msg_type"], answer["content"]
            if kind == "stream":
                shown.append(what["text"])
            elif kind in ("display_data", "execute_result"):
                shown.append(what["data"]["text/plain"])
            elif kind == "error":
                shown.append("\n".join(what["traceback"]))
            elif kind == "status" and what["execution_state"] == "idle":
                return shown
            if interrupted_at and any(interrupted_at in text for text in shown):
                interrupted_at = ""
                self._manager.interrupt_kernel()

    def changed(self) -> str:
        """The text of the next change of an output that is there; waits for the change."""
        while not self._changes:
            self._next()
        return self._changes.pop(0)

    def _next(self) -> Any:
        answer = self._client.get_iopub_msg(timeout=60)
        if answer["msg_type"] == "update_display_data":
            self._changes.append(str(answer["content"]["data"]["text/plain"]))
        return answer


@contextmanager
def kernel_in(home: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Kernel]:
    """A kernel as `labs lab` gives one, in the workspace ``home`` and with this environment."""
    specs = KernelSpecManager(kernel_dirs=[])
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    given = {"LABS_HOME": str(home), **folders.environment(Workspace(home))}
    manager.start_kernel(env={**environ, **given}, cwd=str(home))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield Kernel(client, manager)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
