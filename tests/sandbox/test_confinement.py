"""A confined process starts no program and reaches no other machine; tried in a process of its own,
because confinement lasts as long as the process does."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.ports import free_port

BEGIN = """
import http.client, os, socket, subprocess, sys
from labs_helpers.sandbox.confinement import Confined, cause_of, confine
confine(int(sys.argv[1]), [sys.executable])
try:
    {}
except BaseException as error:
    print("stopped:", cause_of(error))
"""


def said(code: str, port: int = 9) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN.format(code), str(port)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("code", "stopped"),
    [
        ("os.system('echo ran')", "start the program echo ran"),
        ("os.popen('echo ran')", "start the program /bin/sh"),
        ("subprocess.run(['echo', 'ran'])", "start the program echo"),
        ("os.execv('/bin/echo', ['echo', 'ran'])", "start the program /bin/echo"),
        ("os.posix_spawn('/bin/echo', ['echo', 'ran'], {{}})", "start the program /bin/echo"),
        ("os.fork()", "start the program "),
        ("socket.create_connection(('127.0.0.1', 8))", "connect to ('127.0.0.1', 8)"),
        ("socket.create_connection(('192.0.2.1', 9))", "look up the host 192.0.2.1"),
        ("socket.socket().connect(('192.0.2.1', 9))", "connect to ('192.0.2.1', 9)"),
        ("socket.gethostbyname('labs.invalid')", "look up the host labs.invalid"),
        ("socket.socket(socket.AF_UNIX).connect('/run/docker.sock')", "connect to /run/docker"),
        (
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
            "connect to ('192.0.2.1', 53)",
        ),
        (
            "import requests; requests.get('http://labs.invalid')",
            "look up the host labs.invalid",
        ),
    ],
)
def test_what_is_stopped(code: str, stopped: str) -> None:
    """Reported as D7."""
    told = said(code.replace("{{}}", "{}"))
    assert told.startswith(f"stopped: {stopped}")
    assert "ran\n" not in told.removeprefix(f"stopped: {stopped}")


def test_a_program_that_is_allowed_starts() -> None:
    assert said("subprocess.run([sys.executable, '-c', 'print(1)'])") == "1\n"


def test_the_sandbox_reaches_its_own_port() -> None:
    code = "server = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
    code += "socket.create_connection(server.getsockname()); print('reached')"
    assert said(code, free_port()) == "reached\n"


ELSEWHERE = """
from labs_helpers.sandbox import confinement
confinement.confine(int(sys.argv[1]), online={online})
server = socket.create_server(("127.0.0.1", 0))
there = server.getsockname()
def reach(code):
    try:
        code()
        print("reached")
    except BaseException as error:
        print(cause_of(error))
with confinement.outward():
    reach(lambda: socket.create_connection(there))
    reach(lambda: socket.getaddrinfo("192.0.2.1", 443))
    reach(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", there))
    reach(lambda: socket.socket(socket.AF_UNIX).connect("/run/docker.sock"))
    reach(lambda: os.system("true"))
    import threading
    other = threading.Thread(target=reach, args=(lambda: socket.create_connection(there),))
    other.start(); other.join()
reach(lambda: socket.create_connection(there))
"""


@pytest.mark.parametrize("online", [True, False])
def test_a_thread_leaves_the_machine_when_it_may_and_the_learner_chose_so(online: bool) -> None:
    begin = BEGIN.partition("confine(int")[0] + ELSEWHERE.format(online=online)
    done = subprocess.run(
        [sys.executable, "-c", begin, "9"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    may = [line == "reached" for line in done.stdout.splitlines()]
    assert may == [online, online, False, False, False, False, False]
