"""A program that the keeper started: its streams, its attached clients, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
from functools import partial

from . import cgroup, isolation, terminal, tracer
from .client import Client
from .logfile import LogFile
from .loop import PORTION, READ, WRITE, Loop, Sink, close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_MOST_AT_END = 16
"""Portions of output that are read after a program's end: 1 MB, the most that a pipe holds. What it
left in the background may write for ever."""


class Process:
    """The first process of a container, or one that `exec` added.

    ``ended(process)`` is called once, with ``code`` set, after all output has been read.
    """

    def __init__(
        self,
        loop: Loop,
        spec: dict[str, Any],
        log: LogFile | None,
        clients: list[Client],
        ended: Callable[[Process], None],
        of: int | None = None,
    ) -> None:
        """Start the program. Raises CannotStart."""
        self._loop, self._log, self._ended = loop, log, ended
        self.spec, self.clients, self.code, self.oom = spec, clients, 0, False
        self._first = of is None
        self._framed, self._once = bool(spec["framed"]), bool(spec["stdin_once"])
        self._outputs: dict[int, str] = {}
        self._input: Sink | None = None
        self._master = -1
        ends = _pipes(spec)
        try:
            self.launched = isolation.launch(spec, ends[0], of)
        except BaseException:
            for descriptor in ends[1]:
                if descriptor >= 0:
                    os.close(descriptor)
            raise
        finally:
            for descriptor in set(ends[0] or ()):
                os.close(descriptor)
        self.pid = self.launched.pid
        self._pidfd = os.pidfd_open(self.pid)
        stdin, stdout, stderr = ends[1]
        if self.launched.terminal is not None:
            self._master = self.launched.terminal
            stdin = os.dup(self._master) if spec["open_stdin"] else -1
            stdout = self._master
        for descriptor, name in ((stdout, "stdout"), (stderr, "stderr")):
            if descriptor >= 0:
                os.set_blocking(descriptor, False)
                self._outputs[descriptor] = name
        if stdin >= 0:
            os.set_blocking(stdin, False)
            self._stdin = stdin
            self._input = Sink(loop, stdin, self._input_changed)
        loop.watch(self._pidfd, READ, self._has_ended)
        self.update()
        for client in list(clients):
            client.join(self)

    @property
    def is_full(self) -> bool:
        """Whether clients have to wait with input."""
        return self._input is not None and self._input.is_full

    def signal(self, number: int) -> None:
        """Send a signal; nothing happens when the program has ended."""
        if self.spec.get("proot") and number == signal.SIGKILL:
            number = tracer.END
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def wait(self) -> None:
        """Wait until the program has ended, and do what its end asks for."""
        self._has_ended(READ)

    def resize(self, rows: int, columns: int) -> None:
        """Set the size of the terminal, if there is one."""
        if self._master in self._outputs:
            terminal.resize(self._master, rows, columns)

    def attach(self, client: Client) -> None:
        """Add a client."""
        self.clients.append(client)
        client.join(self)

    def left(self, client: Client) -> None:
        """A client has gone."""
        if client in self.clients:
            self.clients.remove(client)
            self.update()

    def input(self, data: bytes) -> None:
        """Pass input to the program."""
        if self._input:
            self._input.write(data)

    def end_of_input(self) -> None:
        """A client's input has ended; for the last client's, the program's input ends, too."""
        if self._input and self._once and not self.spec["tty"]:
            self._input.end()

    def update(self) -> None:
        """Read output unless a client is slow."""
        pause = any(client.is_full for client in self.clients)
        for descriptor in self._outputs:
            self._loop.watch(descriptor, 0 if pause else READ, partial(self._output, descriptor))

    def _output(self, descriptor: int, events: int) -> None:
        self._read(descriptor)

    def _input_changed(self) -> None:
        sink = self._input
        if sink is None:
            return
        if sink.broken or sink.ended:
            self._input = None
            close(self._loop, self._stdin)
        else:
            self._loop.watch(self._stdin, WRITE if sink.waiting else 0, lambda _: sink.flush())

    def _read(self, descriptor: int) -> bool:
        """Read one portion; False when there is nothing to read now, or ever."""
        name = self._outputs[descriptor]
        try:
            data = os.read(descriptor, PORTION)
        except BlockingIOError:
            return False
        except OSError:
            data = b""  # EIO: no process has the terminal any more
        if not data:
            del self._outputs[descriptor]
            close(self._loop, descriptor)
            return False
        if self._log:
            self._log.write(name, data)
        for client in list(self.clients):
            client.output(name, data, self._framed)
        return True

    def _has_ended(self, events: int) -> None:
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.code = code if code >= 0 else 128 - code
        close(self._loop, self._pidfd)
        for descriptor in list(self._outputs):
            for _ in range(_MOST_AT_END):
                if not self._read(descriptor):
                    break
            if descriptor in self._outputs:
                # a process in the background still has the stream
                del self._outputs[descriptor]
                close(self._loop, descriptor)
        if self._input:
            self._input = None
            close(self._loop, self._stdin)
        if self._log:
            self._log.close()
        if self._first:
            self.oom = cgroup.killed_for_memory(self.launched.cgroups)
            cgroup.remove(self.launched.cgroups)
        self._ended(self)
        for client in list(self.clients):
            client.end()


Ends = tuple[tuple[int, int, int] | None, tuple[int, int, int]]


def _pipes(spec: dict[str, Any]) -> Ends:
    """The program's three streams (None: a terminal), and our ends of them; -1 for none."""
    if spec["tty"]:
        return None, (-1, -1, -1)
    if spec["open_stdin"]:
        stdin, ours = os.pipe()
    else:
        stdin, ours = os.open(os.devnull, os.O_RDONLY), -1
    (out, stdout), (err, stderr) = os.pipe(), os.pipe()
    return (stdin, stdout, stderr), (ours, out, err)
