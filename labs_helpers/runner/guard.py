"""Starts the commands of one build, and leaves no process of the build behind.

    python -P -m labs_helpers.runner.guard

Two processes. The **guard** is outside of the build, where no command of the build signals or
traces it (landlock.py), and is the subreaper of all: a program that changes its session, its
environment and its parent stays below the guard. When the runner has gone, in whatever way, or the
build has killed the starter, the guard kills all that is below it. The **starter** is within the
build, restricted as the commands are, and starts them one after the other. It is no thread of the
runner: a command may trace whatever is restricted as itself, and with it the memory and variables
of that process.
https://docs.kernel.org/userspace-api/landlock.html#ptrace-restrictions

Standard input is a socket to the runner, with JSON by lines. The first is a `Place`; then come
``{"argv", "environment", "folder"}``, answered by ``{"started"}`` or ``{"error"}`` and later by
``{"ended"}``, and ``{"terminate"}``. Standard output is where the commands write.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

from labs_helpers.runner import landlock, sockets
from labs_helpers.runtime import isolated, orphans

_MESSAGE = 1 << 16
_UMASK = 0o022
"""Files that all may read, as on CodeBuild's machine, also in an image that the build makes."""
_LONGEST_FILE = 4 << 30


def main() -> int:
    """Serve one runner until it goes; 1 where the starter cannot be restricted."""
    with socket.socket(fileno=os.dup(0)) as control:
        place, rest = _first_line(control)
        orphans.adopt()
        starter = os.fork()
        if starter == 0:
            try:
                _start_commands(control, place, rest)
            except BaseException:
                traceback.print_exc()  # in the build's log: os._exit prints nothing
                raise
            finally:
                os._exit(1)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(null, descriptor)
        _wait(control, starter)
    _kill_all_below()
    return 0


def _wake_on_the_end_of_a_child() -> int:
    wake, written = os.pipe()
    for end in (wake, written):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return wake


def _first_line(control: socket.socket) -> tuple[dict[str, Any], bytes]:
    data = b""
    while b"\n" not in data:
        more = control.recv(_MESSAGE)
        if not more:
            raise SystemExit(1)
        data += more
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


def _wait(control: socket.socket, starter: int) -> None:
    """Return when the runner or the starter has gone."""
    wake = _wake_on_the_end_of_a_child()
    waiting = select.poll()
    waiting.register(control, 0)  # no data: the end of the other side alone
    waiting.register(wake, select.POLLIN)
    ready: list[int] = []
    while starter not in _reaped() and control.fileno() not in ready:
        ready = [number for number, _ in waiting.poll()]
        if wake in ready:
            os.read(wake, _MESSAGE)


def _reaped() -> dict[int, int]:
    """The children that have ended, with their statuses as subprocess gives them."""
    found = {}
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found[ended[0]] = os.waitstatus_to_exitcode(ended[1])
    return found


def _kill_all_below() -> None:
    """Kill until no child is left: what a child has started is a child of ours once that has ended.

    A program that only forks and ends is a moving target, so nothing here waits or reads much.
    """
    with contextlib.suppress(ChildProcessError):
        while True:
            for pid in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, os.WNOHANG)


def _children() -> list[int]:
    try:
        # https://man7.org/linux/man-pages/man5/proc_pid_task.5.html
        found = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except FileNotFoundError:  # a kernel without this file
        import psutil

        return [each.pid for each in psutil.Process().children()]
    return [int(pid) for pid in found.split()]


def _start_commands(control: socket.socket, place: dict[str, Any], buffer: bytes) -> None:
    wake = _wake_on_the_end_of_a_child()
    try:
        _restrict(place)
    except OSError as error:
        _send(control, {"error": [error.errno, error.strerror, error.filename]})
        return
    _send(control, {"ready": True})
    running = 0
    while True:
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            asked = json.loads(line)
            if "terminate" not in asked:
                running = _start(control, asked)
            elif running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(running, signal.SIGTERM)
        ready = select.select([control.fileno(), wake], [], [])[0]
        if wake in ready:
            os.read(wake, _MESSAGE)
            ended = _reaped()
            if running in ended:
                _send(control, {"ended": ended[running]})
                running = 0
        if control.fileno() in ready:
            more = control.recv(_MESSAGE)
            if not more:
                return
            buffer += more


def _restrict(place: dict[str, Any]) -> None:
    """Give up what no command of a build has; raises OSError."""
    os.umask(_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    longest = _LONGEST_FILE if hard == resource.RLIM_INFINITY else min(hard, _LONGEST_FILE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (longest, longest))
    if landlock.version():
        folders = {name: [Path(each) for each in place[name]] for name in place if name != "folder"}
        sockets.hide(folders["sockets"])
        landlock.restrict([Path(place["folder"])], **folders)
    landlock.give_up_capability(isolated.RAISES_LIMITS)


def _start(control: socket.socket, asked: dict[str, Any]) -> int:
    """Start a command in a session of its own, and say so; its pid, or 0 where it cannot start."""
    try:
        process = subprocess.Popen(
            asked["argv"],
            env=asked["environment"],
            cwd=asked["folder"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        _send(control, {"error": [error.errno, error.strerror, error.filename]})
        return 0
    except ValueError as error:  # a null byte
        _send(control, {"error": [errno.EINVAL, str(error), None]})
        return 0
    process.returncode = 0  # the loop waits for it, not subprocess
    _send(control, {"started": True})
    return process.pid


def _send(control: socket.socket, document: dict[str, Any]) -> None:
    control.sendall(json.dumps(document).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
