"""The same commands about containers get the same answers on every engine.

The labs' own engine, with Docker's command and with the stand-in, and the front: before Docker,
before Docker with containerd's store, and before Podman. No container has a network: the daemons of
the tests have none. What differs between daemons themselves is in a table, with a word.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from labs_helpers.engine.front.address import Address
from tests.clients import daemons
from tests.deadline import deadline, until
from tests.engine.containers.conftest import load_box
from tests.engine.engine_room import Ended, Room, require, running

RUN = ("run", "--network", "none")
GRACE = ("-t", "30")
"""Podman 4.3 kills at once when no time is named."""
LOOP = "trap 'exit 5' TERM; echo ready; while true; do sleep 0.1; done"


@dataclass
class Engine:
    """An engine with the image ``box``: a static busybox; ``kind`` names it."""

    kind: str
    room: Room

    def docker(self, *words: str, given: bytes | None = None) -> Ended:
        """Run a command of docker."""
        if self.kind != "stand-in":
            return self.room.docker(*words, given=given)
        done = subprocess.run(
            [sys.executable, "-m", "labs_helpers.engine.cli", *words],
            env=self.room.environment,
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())

    def run(self, *words: str, given: bytes | None = None) -> Ended:
        """docker run --rm, without a network.

        Podman 4.3 has forgotten the status of a container that it has removed, and says 0.
        """
        if self.kind != "podman":
            return self.docker(*RUN, "--rm", *words, given=given)
        done = self.docker(*RUN, *words, given=given)
        self.docker("container", "prune", "--force")
        return done

    def begin(self, name: str, script: str = LOOP, *options: str) -> None:
        """docker run -d of a script that says "ready"; returns when it has."""
        done = self.docker(*RUN, "-d", "--name", name, *options, "box", "sh", "-c", script)
        assert done.code == 0, done
        assert re.fullmatch("[0-9a-f]{64}\n", done.out)
        until(lambda: "ready" in self.docker("logs", name).out)

    def ask(self, name: str, form: str) -> str:
        """docker inspect of a container, in a form."""
        return self.docker("inspect", "--format", form, name).out.strip()

    def end(self, name: str) -> None:
        """docker rm --force."""
        done = self.docker("rm", "--force", name)
        assert (done.code, done.out) == (0, f"{name}\n"), done


@pytest.fixture(scope="module", params=["embedded", "stand-in", "dockerd", "containerd", "podman"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    require("docker")
    own = request.param in ("embedded", "stand-in")
    daemon: Address | None = None if own else request.getfixturevalue(request.param)
    if daemon is not None:
        daemons.empty(daemon)
    with running(tmp_path_factory.mktemp("hub"), daemon) as room:
        client: Any = docker.DockerClient(base_url=f"unix://{room.socket}")
        load_box(client)
        client.close()
        yield Engine(request.param, room)
    if daemon is not None:
        daemons.empty(daemon)


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    with deadline():
        yield


@dataclass(frozen=True)
class Said:
    """One docker run and what it answers; ``err`` is a part of standard error."""

    words: tuple[str, ...]
    code: int = 0
    out: str = ""
    err: str = ""
    given: bytes | None = None


SHORT = {
    "streams and status": Said(
        ("box", "sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\n", "err\n"
    ),
    "standard input": Said(("-i", "box", "cat"), 0, "typed\n", given=b"typed\n"),
    "a terminal": Said(("-t", "box", "echo", "a"), 0, "a\r\n"),
    "options": Said(
        (
            *("-e", "A=b", "-w", "/work", "-u", "7:8", "--hostname", "here", "--entrypoint", "sh"),
            *("box", "-c", "echo $A $(pwd) $(id -u):$(id -g) $(cat /etc/hostname)"),
        ),
        0,
        "b /work 7:8 here\n",
    ),
    "a user by name": Said(("-u", "app", "box", "id", "-u"), 0, "1000\n"),
    "a user that is not there": Said(("-u", "nobody-here", "box", "id"), 125, "", "nobody-here"),
    "a program that is not there": Said(
        ("box", "nosuch"), 127, "", 'exec: "nosuch": executable file not found in $PATH'
    ),
    "a path that is not there": Said(("box", "/nosuch"), 127, "", "no such file or directory"),
    "a file that is no program": Said(("box", "/bin/data"), 126, "", "permission denied"),
    "an image that is not there": Said(
        ("--pull", "never", "nosuch:1", "true"), 125, "", "nosuch:1"
    ),
    "a name that is none": Said(("--name", "a/b", "box", "true"), 125, "", "a/b"),
    "a read-only root": Said(
        ("--read-only", "box", "touch", "/x"), 1, "", "touch: /x: Read-only file system\n"
    ),
    "a file system in memory": Said(
        ("--read-only", "--tmpfs", "/t", "box", "sh", "-c", "touch /t/x && ls /t"), 0, "x\n"
    ),
    "a read-only bind": Said(
        ("-v", "/usr/share:/x:ro", "box", "touch", "/x/y"), 1, "", "/x/y: Read-only file system\n"
    ),
    "a signal that ends it": Said(("box", "sh", "-c", "sh -c 'kill -9 $$'; exit $?"), 137),
}

_NOT_STARTED = (1, "unable to upgrade to tcp, received 409")
"""Podman 4.3 prepares the program when a client attaches, and has no words for what fails then."""
OTHERWISE = {
    ("a user that is not there", "podman"): _NOT_STARTED,
    ("a program that is not there", "podman"): _NOT_STARTED,
    ("a path that is not there", "podman"): _NOT_STARTED,
    ("a file that is no program", "podman"): _NOT_STARTED,
    ("a name that is none", "podman"): (125, "names must match"),
}
"""Code and words where a daemon has its own."""


@pytest.mark.parametrize("name", SHORT)
def test_a_short_run(engine: Engine, name: str) -> None:
    said = SHORT[name]
    done = engine.run(*said.words, given=said.given)
    code, err = OTHERWISE.get((name, engine.kind), (said.code, said.err))
    assert (done.code, done.out) == (code, said.out), done
    assert err in done.err


def test_its_life(engine: Engine) -> None:
    engine.begin("life", LOOP, "-e", "A=b", "-u", "7", "--label", "x=y")
    asked = (
        "{{.State.Status}} {{.State.Running}} {{.Name}} {{.Path}} {{json .Args}} {{.Config.User}}"
        " {{json .Config.Cmd}} {{.HostConfig.NetworkMode}} {{.Config.Labels.x}}"
    )
    words, command = (
        json.dumps(each, separators=(",", ":")) for each in (["-c", LOOP], ["sh", "-c", LOOP])
    )
    assert engine.ask("life", asked) == f"running true /life sh {words} 7 {command} none y"
    assert engine.docker("ps", "--filter", "name=life", "--format", "{{.Names}}").out == "life\n"
    refused = engine.docker("rm", "life")
    assert refused.code == 1
    assert "running" in refused.err
    again = engine.docker(*RUN, "--name", "life", "box", "true")
    assert again.code == 125
    assert "already in use" in again.err
    assert engine.docker("stop", *GRACE, "life").out == "life\n"
    assert engine.ask("life", "{{.State.Status}} {{.State.ExitCode}}") == "exited 5"
    status = engine.docker("ps", "-a", "--filter", "name=life", "--format", "{{.Status}}").out
    assert status.startswith("Exited (5)")
    assert engine.docker("wait", "life").out == "5\n"
    assert engine.docker("start", "life").code == 0
    assert engine.ask("life", "{{.State.Running}}") == "true"
    assert engine.docker("kill", "life").out == "life\n"
    assert engine.docker("wait", "life").out == "137\n"
    assert engine.docker("rm", "life").out == "life\n"
    assert engine.docker("inspect", "life").code == 1


def test_exec(engine: Engine) -> None:
    engine.begin("joined", LOOP, "-e", "A=b")
    for words, code, out in (
        (("joined", "sh", "-c", "echo $A; exit 4"), 4, "b\n"),
        (("-e", "A=c", "-w", "/bin", "joined", "sh", "-c", "echo $A $(pwd)"), 0, "c /bin\n"),
        (("-u", "app", "joined", "id", "-u"), 0, "1000\n"),
    ):
        done = engine.docker("exec", *words)
        assert (done.code, done.out) == (code, out), done
    typed = engine.docker("exec", "-i", "joined", "cat", given=b"typed\n")
    assert (typed.code, typed.out) == (0, "typed\n")
    missing = engine.docker("exec", "joined", "nosuch")
    # Docker before 23 says 126: https://github.com/moby/moby/pull/43698
    assert missing.code in (126, 127)
    assert "executable file not found" in missing.err + missing.out
    engine.end("joined")
    gone = engine.docker("exec", "joined", "true")
    assert gone.code in (1, 125)
    assert "joined" in gone.err


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(engine: Engine) -> None:
    engine.begin("deaf", "trap '' TERM; echo ready; while true; do sleep 0.1; done")
    assert engine.docker("stop", "-t", "1", "deaf").code == 0
    assert engine.ask("deaf", "{{.State.ExitCode}}") == "137"
    engine.end("deaf")


def test_logs(engine: Engine) -> None:
    script = "seq 5; echo err >&2; exit 2"
    made = engine.docker(*RUN, "-d", "--name", "told", "box", "sh", "-c", script)
    assert made.code == 0, made
    assert engine.docker("wait", "told").out == "2\n"
    told = engine.docker("logs", "told")
    assert (told.out, told.err) == ("1\n2\n3\n4\n5\n", "err\n")
    assert engine.docker("logs", "--follow", "told").out == told.out
    assert engine.docker("logs", "--tail", "3", "told").out.endswith("4\n5\n")
    assert "1" not in engine.docker("logs", "--tail", "3", "told").out
    first = engine.docker("logs", "--timestamps", "told").out.splitlines()[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*(Z|[+-]\d\d:\d\d) 1", first)
    engine.end("told")


def test_volumes_and_copies(engine: Engine, tmp_path: Path) -> None:
    assert engine.docker("volume", "create", "kept").out == "kept\n"
    mount = ("-v", "kept:/data")
    assert engine.run(*mount, "box", "sh", "-c", "echo 1 > /data/x").code == 0
    assert engine.docker(*RUN, "--name", "user", *mount, "box", "cat", "/data/x").out == "1\n"
    refused = engine.docker("volume", "rm", "kept")
    assert refused.code == 1
    assert "in use" in refused.err or "being used" in refused.err
    own = tmp_path / "f"
    own.write_text("copied\n")
    assert engine.docker("cp", str(own), "user:/in").code == 0
    assert engine.docker("cp", "user:/in", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out").read_text() == "copied\n"
    engine.end("user")
    assert engine.docker("volume", "rm", "kept").out == "kept\n"


def test_a_stand_in_gets_its_programs(engine: Engine, tmp_path: Path) -> None:
    assert engine.docker("pull", "--quiet", "nginx:alpine").code == 0
    made = engine.docker("create", "--network", "none", "--name", "web", "nginx:alpine")
    assert made.code == 0, made
    page = tmp_path / "index.html"
    page.write_text("my page\n")
    page.chmod(0o644)
    copied = engine.docker("cp", str(page), "web:/usr/share/nginx/html/index.html")
    assert copied.code == 0, copied
    assert engine.docker("start", "web").code == 0
    fetch = ("exec", "web", "/bin/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1/")
    until(lambda: engine.docker(*fetch).out == "my page\n")
    assert '"GET / HTTP/1.1" 200' in engine.docker("logs", "web").out
    assert engine.docker("exec", "web", "sh", "-c", "echo a shell").out == "a shell\n"
    assert engine.docker("stop", *GRACE, "web").code == 0
    assert engine.ask("web", "{{.State.ExitCode}}") == "0"
    engine.end("web")
    assert engine.run("nginx:alpine", "sh", "-c", "echo of mine").out == "of mine\n"
