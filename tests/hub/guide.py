"""The commands of docs/jupyterhub.md, and the hub that they start, in a copy of this machine."""

from __future__ import annotations

import configparser
import os
import pwd
import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import requests

from tests.hub.learner import HUB

SECONDS = 900.0
"""How long anything may take on a machine whose cores others have."""
GUIDE = Path("/opt/labs/docs/jupyterhub.md")
UNIT = Path("/opt/labs/deploy/jupyterhub/jupyterhub.service")
LOG = Path("/var/log/jupyterhub.log")


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


def end(server: subprocess.Popen[bytes]) -> None:
    """Stop the hub in an orderly way, and wait for its end."""
    server.terminate()
    server.wait(SECONDS)


def tail() -> str:
    """The end of the hub's log, without a line for each request."""
    if not LOG.exists():
        return ""
    lines = LOG.read_text(errors="replace").splitlines()
    requests_answered = ("JupyterHub log:", "JupyterHub pages:", "XSRF", "_xsrf")
    told = [line for line in lines if not any(word in line for word in requests_answered)]
    return "\n".join(told)[-6000:]


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
