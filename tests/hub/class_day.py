"""A day of a class on a hub, played as root in a copy of this machine (machine.py).

    python -m tests.hub.class_day day|morning|disk LEARNERS [OPTIONS OF JUPYTERHUB]

Follows docs/jupyterhub.md with that many learners, and prints what was found as JSON, last. A
morning ends when each learner has run the first cell. disk: the disk fills (full_disk.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from labs_helpers.workspace import Workspace
from tests.hub import class_help, full_disk
from tests.hub.guide import SECONDS, end, hub, processes, root, step, tail, until
from tests.hub.learner import Learner

CULL = 4
"""Seconds after which the last hub of the day stops a server that nobody uses."""


def make_learners(count: int) -> list[Learner]:
    """Step 6 for a class of ``count``."""
    root(step(6).replace(" 40 ", f" {count} "))
    listed = Path("/root/learners.txt").read_text().split()
    Path("/home").chmod(0o755)
    return [Learner(*each) for each in zip(listed[::2], listed[1::2], strict=True)]


def at_once(
    learners: Sequence[Learner], what: Callable[[Learner], dict[str, Any]]
) -> list[dict[str, Any]]:
    """What all learners find, all at the same time."""
    with ThreadPoolExecutor(len(learners)) as pool:
        return list(pool.map(what, learners))


def first_cell(learner: Learner) -> dict[str, Any]:
    """A learner logs in and runs the first cell of lab 00."""
    learner.log_in()
    seconds = learner.spawn()
    path = "00-start-here.ipynb"
    cells = learner.api("GET", f"contents/{path}")["content"]["cells"]
    code = next(cell["source"] for cell in cells if cell["cell_type"] == "code")
    return {"seconds": seconds, "cells": learner.execute(path, [code])}


def first_minutes(learner: Learner) -> dict[str, Any]:
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


def with_a_wrong_password(name: str) -> str:
    """How the hub receives a stranger."""
    try:
        Learner(name, "not the password").log_in()
    except AssertionError:
        return "refused"
    return "let in"


def morning(count: int, options: Sequence[str]) -> dict[str, Any]:
    """Learners are made, the hub starts, each runs the first cell, and the hub stops."""
    learners = make_learners(count)
    server = hub(*options)
    found: dict[str, Any] = {"learners": at_once(learners, first_cell)}
    found["wrong_password"] = with_a_wrong_password(learners[0].name)
    found["seen"] = class_help.seen_by_the_instructor(learners[0])
    found["at_work"] = {each.name: sorted(processes(each.name)) for each in learners}
    runtime = ".labs/jupyter/runtime"
    found["sockets"] = {
        each.name: len(list(Path("/home", each.name, runtime).glob("kernel-*-ipc-*")))
        for each in learners
    }
    end(server)
    until("all end", lambda: not any(processes(each.name) for each in learners))
    return found


def disk(count: int, options: Sequence[str]) -> dict[str, Any]:
    """The disk of all homes fills; the first learner works meanwhile."""
    full_disk.mount()
    learner, *_ = make_learners(count)
    return full_disk.played(learner, options)


def day(count: int, options: Sequence[str]) -> dict[str, Any]:
    """The whole day."""
    found: dict[str, Any] = {"install": root(step(3).replace("/usr/bin/python3", sys.executable))}
    room = step(5).replace("--class 40", f"--json --class {count}")
    found["room"] = json.loads(root(room))
    learners = make_learners(count)
    server = hub(*options)
    found["learners"] = at_once(learners, first_minutes)
    first = learners[0]
    found["wrong_password"] = with_a_wrong_password(first.name)
    found["late"] = class_help.late_comer(count)
    found["stuck"] = class_help.stuck(learners[-1])
    # the hub stops, and with it everybody's processes
    end(server)
    until("all end", lambda: not any(processes(each.name) for each in learners))
    found["after_the_hub"] = {each.name: processes(each.name) for each in learners}
    # a learner who comes back finds what they made
    server = hub(*options)
    one = Learner(first.name, first.password)
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
    found["after_the_kill"] = sorted(processes(first.name))
    os.environ["CULL"] = str(CULL)
    server = hub(*options)
    until("the culled learner's processes end", lambda: not processes(first.name))
    found["after_the_cull"] = processes(first.name)
    end(server)
    found["as_a_learner"] = root(step(8).replace("learner01", first.name))
    root(step(10).replace(" 40)", f" {count + 1})"))
    found["removed"] = [each.name for each in learners if Path("/home", each.name).exists()]
    return found


if __name__ == "__main__":
    try:
        play = {"day": day, "morning": morning, "disk": disk}[sys.argv[1]]
        print(json.dumps(play(int(sys.argv[2]), sys.argv[3:])))
    except BaseException:
        print(tail(), file=sys.stderr)
        raise
