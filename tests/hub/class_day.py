"""A day of a class on a hub, played as root in a copy of this machine (machine.py).

    python -m tests.hub.class_day LEARNERS [OPTIONS OF JUPYTERHUB]

Follows docs/jupyterhub.md with that many learners, and prints what was found as JSON, last.
"""

from __future__ import annotations

import configparser
import json
import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import requests

from labs_helpers.workspace import Workspace
from tests.hub.learner import HUB, Learner

SECONDS = 240.0
"""How long anything may take on a machine whose cores others have."""
GUIDE = Path("/opt/labs/docs/jupyterhub.md")
UNIT = Path("/opt/labs/deploy/jupyterhub/jupyterhub.service")
LOG = Path("/var/log/jupyterhub.log")
CULL = 4
"""Seconds after which the last hub of the day stops a server that nobody uses."""


def step(number: int) -> str:
    """The commands of a step of the guide."""
    text = GUIDE.read_text(encoding="utf-8")
    part = re.split(r"\n## (?=\d+\. )", text)[number].partition("\n## ")[0]
    assert part.startswith(f"{number}. "), part[:80]
    return "\n".join(re.findall(r"```console\n(.*?)```", part, re.DOTALL))


def root(commands: str) -> str:
    """Run commands of the guide as root; what they print."""
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, f"{commands}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout


def hub(*options: str) -> subprocess.Popen[bytes]:
    """Start the hub as systemd does by the unit; returns when it answers."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    service = unit["Service"]
    state = Path("/var/lib") / service["StateDirectory"]
    state.mkdir(mode=int(service["StateDirectoryMode"], 8), exist_ok=True)
    name, _, value = service["Environment"].partition("=")
    environ = {name: f"{os.environ['LABS_TEST_PROXY']}:{value}", "STATE_DIRECTORY": str(state)}
    with LOG.open("ab") as log:
        started = subprocess.Popen(
            [*shlex.split(service["ExecStart"]), *options],
            cwd=service["WorkingDirectory"],
            env={**environ, "LABS_HUB_CULL": os.environ.get("CULL", "3600"), "LANG": "C.UTF-8"},
            stdout=log,
            stderr=log,
        )
    end = time.monotonic() + SECONDS
    while True:
        try:
            if requests.get(f"{HUB}/hub/health", timeout=5).status_code == 200:
                return started
        except requests.RequestException:
            pass
        assert started.poll() is None, tail()
        assert time.monotonic() < end, tail()
        time.sleep(1)


def tail() -> str:
    """The end of the hub's log."""
    return LOG.read_text(errors="replace")[-6000:] if LOG.exists() else ""


def processes(name: str) -> dict[str, dict[str, float]]:
    """The learner's processes: kind -> resident bytes and CPU seconds."""
    uid = pwd.getpwnam(name).pw_uid
    kinds = {
        "jupyterhub-singleuser": "server",
        "ipykernel_launcher": "kernel",
        "labs_helpers.sandbox.server": "sandbox",
        "labs_helpers.engine": "engine",
        "labs_helpers.runner": "runner",
    }
    found: dict[str, dict[str, float]] = {}
    for each in psutil.process_iter():
        try:
            if each.uids().real != uid:
                continue
            line = " ".join(each.cmdline())
            kind = next((kind for word, kind in kinds.items() if word in line), line or each.name())
            cpu = each.cpu_times()
            found[kind] = {"bytes": each.memory_info().rss, "cpu": cpu.user + cpu.system}
        except psutil.Error:
            continue
    return found


def until(what: str, holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until something holds; AssertionError, with the hub's log, when it does not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}\n{tail()}"
        time.sleep(0.5)


def one_learner(learner: Learner) -> dict[str, Any]:
    """What a learner does in the first minutes."""
    learner.log_in()
    seconds = learner.spawn()
    at_first = processes(learner.name)
    files = {each["name"] for each in learner.api("GET", "contents/")["content"]}
    cells = learner.run("00-start-here.ipynb")
    # one terminal for all: each opens with a start of the labs
    shown = learner.terminal(
        "labs status --json | grep mode; aws sts get-caller-identity --query Account --output text;"
        " docker version --format '{{.Server.Platform.Name}}'; command -v labs aws docker; pwd;"
        " echo $LABS_HOME; aws ecr create-repository --repository-name kept --output text"
    )
    workspace = Workspace(Path(f"/home/{learner.name}/.labs"))
    record = json.loads((workspace.sandbox / "server.json").read_text())
    engine = json.loads((workspace.engine / "engine.json").read_text())
    return {
        "seconds": seconds,
        "at_first": at_first,
        "files": sorted(files),
        "cells": cells,
        "terminal": shown,
        "port": record["port"],
        "engine": engine["choice"]["kind"],
        "mode": oct(workspace.home.stat().st_mode & 0o777),
        "processes": processes(learner.name),
        "others_may_read": readable(learner.name),
    }


def readable(name: str) -> bool:
    """Whether another user may list the learner's home."""
    ran = subprocess.run(
        ["runuser", "-u", "nobody", "--", "ls", f"/home/{name}"], capture_output=True
    )
    return ran.returncode == 0


def main(count: int, options: Sequence[str]) -> dict[str, Any]:
    """The day."""
    found: dict[str, Any] = {"install": root(step(3).replace("/usr/bin/python3", sys.executable))}
    room = step(5).replace("--class 40", f"--json --class {count}")
    found["room"] = json.loads(root(room))
    text = step(6).replace(" 40 ", f" {count} ")
    root(text)
    listed = Path("/root/learners.txt").read_text().split()
    passwords = dict(zip(listed[::2], listed[1::2], strict=True))
    first = next(iter(passwords))
    Path("/home").chmod(0o755)
    server = hub(*options)
    learners = [Learner(name, password) for name, password in passwords.items()]
    with ThreadPoolExecutor(len(learners)) as pool:
        found["learners"] = list(pool.map(one_learner, learners))
    stranger = Learner(first, "not the password")
    try:
        stranger.log_in()
        found["wrong_password"] = "let in"
    except AssertionError:
        found["wrong_password"] = "refused"
    found["ports"] = [each["port"] for each in found["learners"]]
    # the hub stops, and with it everybody's processes
    server.terminate()
    server.wait(SECONDS)
    until("all end", lambda: not any(processes(each.name) for each in learners))
    found["after_the_hub"] = {each.name: processes(each.name) for each in learners}
    # a learner who comes back finds what they made
    server = hub(*options)
    one = Learner(first, passwords[first])
    one.log_in()
    one.spawn()
    query = "aws ecr describe-repositories --query repositories[].repositoryName --output text"
    found["kept"] = one.terminal(query)
    # the hub is killed: the servers run on, and the next hub stops those that nobody uses
    server.kill()
    server.wait(SECONDS)
    proxy = int(Path("/var/lib/jupyterhub/proxy.pid").read_text().split()[0])
    os.kill(proxy, signal.SIGKILL)
    until("the proxy ends", lambda: not psutil.pid_exists(proxy))
    found["after_the_kill"] = sorted(processes(first))
    os.environ["CULL"] = str(CULL)
    server = hub(*options)
    until("the culled learner's processes end", lambda: not processes(first))
    found["after_the_cull"] = processes(first)
    server.terminate()
    server.wait(SECONDS)
    trial = step(8).replace("learner01", first)
    found["as_a_learner"] = root(trial)
    root(step(10).replace(" 40)", f" {count})"))
    found["removed"] = [name for name in passwords if Path("/home", name).exists()]
    return found


if __name__ == "__main__":
    try:
        print(json.dumps(main(int(sys.argv[1]), sys.argv[2:])))
    except BaseException:
        print(tail(), file=sys.stderr)
        raise
