"""Terminals, logs, published ports and prunes, as people ask for them."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any

import docker
import pytest

from labs_helpers.engine.containers.describe import seconds
from tests.deadline import until
from tests.engine.containers.conftest import engine, load_box, page_at
from tests.engine.engine_room import require

DOCKER = {
    "docker": ["docker"],
    "stand-in": [sys.executable, "-m", "labs_helpers.engine.cli"],
}


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with engine("nobody") as found:
        yield found


@pytest.fixture(scope="module")
def client(socket: Path) -> Iterator[Any]:
    found: Any = docker.DockerClient(base_url=f"unix://{socket}")
    load_box(found)
    yield found
    found.close()


class Terminal:
    """A command that runs on a terminal of its own."""

    def __init__(self, words: list[str], socket: Path) -> None:
        self.master, side = pty.openpty()
        self.resize(20, 70)
        self.process = subprocess.Popen(
            words,
            stdin=side,
            stdout=side,
            stderr=side,
            env={**os.environ, "DOCKER_HOST": f"unix://{socket}"},
            start_new_session=True,
        )
        os.close(side)
        self.seen = ""

    def resize(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, words: str) -> None:
        while words not in self.seen:
            self.seen += os.read(self.master, 4096).decode()

    def close(self) -> int:
        code = self.process.wait(60)
        os.close(self.master)
        return code


@pytest.mark.parametrize("kind", DOCKER)
@pytest.mark.parametrize("verb", ["run", "exec"])
def test_a_terminal_has_the_size_of_the_client_s(
    client: Any, socket: Path, kind: str, verb: str
) -> None:
    require("docker")
    found = None
    if verb == "run":
        words = ["run", "-it", "--rm", "box", "sh"]
    else:
        found = client.containers.run("box", ["sleep", "100"], detach=True)
        words = ["exec", "-it", "-e", "A=b", "-w", "/bin", found.id, "sh"]
    terminal = Terminal([*DOCKER[kind], *words], socket)
    terminal.type("stty size; echo $((40+2)) $A $(pwd)\n")
    terminal.read_until("42 b /bin" if verb == "exec" else "42 /")
    assert "20 70" in terminal.seen
    terminal.resize(33, 99)

    def grown() -> bool:
        # a terminal tells its foreground group, to which this process does not belong
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.type("stty size; echo $((50+2))\n")
        terminal.seen = ""
        terminal.read_until("52")
        return "33 99" in terminal.seen

    until(grown)
    terminal.type("exit 7\n")
    assert terminal.close() == 7
    if found:
        found.remove(force=True)


def _times(container: Any) -> list[float]:
    lines = container.logs(timestamps=True).decode().splitlines()
    return [seconds(line.split()[0]) for line in lines]


def test_logs_from_a_time_to_a_time_and_the_end_of_them(client: Any) -> None:
    script = "for i in 1 2 3 4; do echo $i; echo e$i >&2; sleep 0.3; done"
    made = client.containers.run("box", ["sh", "-c", script], detach=True)
    followed = b"".join(made.logs(stream=True, follow=True, stderr=False))
    assert followed == b"1\n2\n3\n4\n"
    made.wait()
    times = _times(made)
    third = (times[3] + times[4]) / 2
    assert made.logs(since=third, stderr=False) == b"3\n4\n"
    assert made.logs(until=third, stderr=False) == b"1\n2\n"
    assert made.logs(since=(times[1] + times[2]) / 2, until=third, stderr=False) == b"2\n"
    assert made.logs(since=third, tail=1, stderr=False) in (b"4\n", b"")
    assert made.logs(tail=2).split() == [b"4", b"e4"]
    assert made.logs(tail=0) == b""
    assert b"".join(made.logs(stream=True, follow=True, tail=1, stdout=False)) == b"e4\n"
    made.remove()


def test_every_exposed_port_gets_a_port_of_this_machine(client: Any) -> None:
    script = "echo page > /index.html; httpd -f -p 80 -h /"
    made = client.containers.run(
        "box", ["sh", "-c", script], ports={"80/tcp": None}, publish_all_ports=True, detach=True
    )
    made.reload()
    (place,) = made.ports["80/tcp"]
    assert place["HostIp"] == "127.0.0.1"
    assert page_at(place["HostPort"]) == b"page\n"
    made.remove(force=True)


@pytest.mark.parametrize("kind", DOCKER)
def test_variables_of_a_file_a_port_by_its_name_and_the_machines_network(
    client: Any, socket: Path, tmp_path: Path, kind: str
) -> None:
    require("docker")

    def run(*words: str) -> str:
        variables = {**os.environ, "DOCKER_HOST": f"unix://{socket}"}
        done = subprocess.run(
            [*DOCKER[kind], *words], env=variables, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    variables = tmp_path / "variables"
    variables.write_text("# a comment\nONE=1 and more\nTWO=\n")
    shell = ("box", "sh", "-c", 'echo "<$ONE><${TWO-unset}>"')
    assert run("run", "--rm", "--env-file", str(variables), *shell) == "<1 and more><>\n"
    made = run("run", "-d", "-P", "--expose", "80", "box", "sleep", "60").strip()
    (place,) = client.containers.get(made).ports["80/tcp"]
    assert run("port", made) == f"80/tcp -> 127.0.0.1:{place['HostPort']}\n"
    assert run("port", made, "80") == f"127.0.0.1:{place['HostPort']}\n"
    run("rm", "-f", made)
    with create_server(("127.0.0.1", 0)) as server:
        listens = f":{server.getsockname()[1]:04X} 00000000:0000 0A"
        command = ("box", "grep", "-c", listens, "/proc/net/tcp")
        assert run("run", "--rm", "--network", "host", *command) == "1\n"


def test_a_prune_takes_what_its_filters_select(client: Any) -> None:
    keep, take, young = (
        client.containers.run("box", ["true"], labels=labels, detach=True)
        for labels in ({"kept": "yes"}, {"stage": "test"}, {})
    )
    for each in (keep, take, young):
        each.wait()
    gone = client.containers.prune({"label": "stage=test"})["ContainersDeleted"]
    assert gone == [take.id]
    assert client.containers.prune({"until": "1h"})["ContainersDeleted"] is None
    began = time.time()
    events = client.events(decode=True, filters={"event": "prune"}, since=began, until=began + 60)
    assert client.containers.prune({"label!": "kept"})["ContainersDeleted"] == [young.id]
    assert next(events)["Type"] == "container"
    events.close()
    keep.remove()


@pytest.mark.parametrize("kind", DOCKER)
def test_the_list_has_the_columns_that_are_asked_for(client: Any, socket: Path, kind: str) -> None:
    require("docker")
    made = client.containers.run(
        "box", ["sleep", "100"], name=f"listed-{kind}", labels={"a": "b"}, detach=True
    )

    def listed(*words: str) -> str:
        done = subprocess.run(
            [*DOCKER[kind], "ps", *words],
            env={**os.environ, "DOCKER_HOST": f"unix://{socket}"},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    name = f"name=listed-{kind}"
    form = "{{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Labels}} {{.Networks}}"
    short = made.id[:12]
    said = f'{short} listed-{kind} box "sleep 100" running a=b bridge\n'
    assert listed("--filter", name, "--format", form) == said
    assert listed("-q", "--filter", name, "--filter", "label=a=b") == f"{short}\n"
    assert listed("-q", "--no-trunc", "--filter", name) == f"{made.id}\n"
    assert listed("-q", "--filter", name, "--filter", "status=exited") == ""
    assert listed("-aqn", "1").strip() == short
    made.remove(force=True)
