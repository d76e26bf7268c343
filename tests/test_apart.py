"""Root's command that goes on as another user, with a real terminal: what reaches the terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.deadline import deadline

START = """
import fcntl, os, sys, termios
from labs_helpers.cli import apart
given = os.ttyname(0)
print("root:", given, flush=True)
apart.stand_apart()
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
WITHOUT = START.replace("os.ttyname(0)", "''")
WAITS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [{0:d}])
print('waits', flush=True)
signal.sigwait([{0:d}])
"""
"""Python's own handlers lose a signal that comes just before a sleep begins: sigwait loses none."""
TYPES = """
def types(where):
    try:
        for letter in b"touch /tmp/labs-was-here\\n":
            fcntl.ioctl(where, termios.TIOCSTI, bytes([letter]))
    except OSError:
        pass
for number in (0, 1, 2):
    types(number)
for path in ("/dev/tty", given):
    try:
        types(os.open(path, os.O_RDWR))
    except OSError:
        pass
print("done", flush=True)
"""


SHELL = """
import os, select, subprocess, sys
subprocess.run([sys.executable, "-P", "-c", sys.argv[1]])
typed = b""
while select.select([0], [], [], 0)[0]:
    typed += os.read(0, 4096)
print("root's shell reads", typed, flush=True)
"""
"""Runs a command as root's shell does, and then reads what was typed."""


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    with deadline():
        yield


class Terminal:
    """A terminal in which a program runs, and what the program has printed."""

    def __init__(self, script: str, *arguments: str) -> None:
        self.printed = ""
        self.pid, self.keys = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, "-P", "-c", script, *arguments])

    def until(self, text: str) -> None:
        while text not in self.printed:
            data = self._read()
            assert data, self.printed
            self.printed += data

    def _read(self) -> str:
        assert select.select([self.keys], [], [], 60)[0], self.printed
        try:
            return os.read(self.keys, 4096).decode()
        except OSError:
            return ""

    def end(self) -> int:
        while data := self._read():
            self.printed += data
        os.close(self.keys)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_nothing_is_typed_into_root_s_terminal() -> None:
    found = Terminal(SHELL, START + TYPES)
    found.end()
    assert "done" in found.printed
    assert "root's shell reads b''" in found.printed


def test_the_terminal_is_another_and_not_root_s() -> None:
    found = Terminal(
        START + "print('theirs:', os.ttyname(0), os.getsid(0) == os.getpid(), flush=True)"
    )
    found.end()
    root, theirs = (line.split()[1] for line in found.printed.splitlines())
    assert root != theirs
    assert found.printed.split()[-1] == "True"


def test_what_is_typed_and_the_exit_code_are_passed_on() -> None:
    found = Terminal(START + "print('name?', flush=True); print('hello', input()); sys.exit(7)")
    found.until("name?")
    os.write(found.keys, b"Ann\n")
    assert found.end() == 7
    assert "hello Ann" in found.printed


def test_control_c_interrupts_the_program() -> None:
    found = Terminal(
        START + WAITS.format(signal.SIGINT) + "print('interrupted', flush=True); sys.exit(130)\n"
    )
    found.until("waits")
    os.write(found.keys, b"\x03")
    assert found.end() == 130
    assert "interrupted" in found.printed


def test_pipes_stay_pipes() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT + "print(input())"],
        input="through\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "through"
    assert done.stderr == ""


SLOW = """
import os, signal
fork = os.fork
def slow():
    child = fork()
    while child and signal.SIGTERM not in signal.sigpending():
        os.sched_yield()
    return child
os.fork = slow
"""
"""Root's process goes on after the signal has come: the program is ready earlier than that."""


@pytest.mark.parametrize("before", ["", SLOW], ids=["waits", "has just started the program"])
def test_a_signal_to_root_s_process_reaches_the_program(before: str) -> None:
    script = before + WITHOUT + WAITS.format(signal.SIGTERM) + "sys.exit(9)"
    command = [sys.executable, "-P", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert next(line for line in process.stdout if line == "waits\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 9


def test_a_program_that_stays_behind_does_not_hold_root_s_command() -> None:
    found = Terminal(
        START + "print('begun', flush=True)\n"
        "if os.fork() == 0:\n"
        "    import signal\n"
        "    signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "    print('behind', os.getpid(), flush=True)\n"
        "    signal.pause()\n"
        "sys.stdin.readline()\n"
    )
    found.until("behind")
    os.write(found.keys, b"\n")
    assert found.end() == 0
    behind = int(found.printed.split("behind")[1].split()[0])
    os.kill(behind, signal.SIGKILL)  # which fails where the program has ended
