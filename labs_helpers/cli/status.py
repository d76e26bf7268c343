"""Say what runs and what is stored: mode, account, region, endpoint, uptime, memory, the
sandbox's clock, repositories, images and bytes, and which docker command and engine are used."""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import datetime, timedelta
from typing import Any

from labs_helpers.cli.terminal import columns, duration, size
from labs_helpers.defaults import CLOCK_GOES_FORWARD, registry
from labs_helpers.engine import process as engine_process
from labs_helpers.engine.choice import EMBEDDED, NAMES
from labs_helpers.engine.process import Health
from labs_helpers.learners_copy.place import folder
from labs_helpers.modes import AWS, endpoint, mode
from labs_helpers.runner import process as runner_process
from labs_helpers.runtime.shims import choose_docker
from labs_helpers.sandbox import process as sandbox_process
from labs_helpers.workspace import Workspace

SILENT = "it does not answer, try: labs stop && labs start"
EXAMPLES = ("labs status", "labs status --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the status; 0 whether or not anything runs."""
    found = status(Workspace.find())
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        columns(rows(found))
    return 0


def status(workspace: Workspace) -> dict[str, Any]:
    """What `labs status --json` prints; those of ``sandbox``, ``engine`` and ``runner`` that do
    not run are None."""
    chosen = mode(workspace)
    found: dict[str, Any] = {"mode": chosen, "home": str(workspace.home)}
    found["workbook"] = str(folder(workspace))
    if chosen == AWS:
        return found
    choices = workspace.remembered()
    account, region = str(choices["account"]), str(choices["region"])
    docker = choose_docker(workspace)
    return {
        **found,
        "account": account,
        "region": region,
        "registry": registry(account, region),
        "sandbox": _sandbox(workspace),
        "engine": _engine(workspace),
        "runner": _runner(workspace),
        "docker": {"kind": docker.kind, "path": str(docker.path), "why": docker.why},
    }


def _sandbox(workspace: Workspace) -> dict[str, Any] | None:
    server = sandbox_process.running(workspace)
    if server is None:
        return None
    found = {
        "endpoint": endpoint(server.port),
        "pid": server.pid,
        "uptime_seconds": round(time.time() - server.started),
        "memory_bytes": server.memory,
    }
    clock = sandbox_process.control_answer(workspace, server.port, "clock")
    facts = sandbox_process.control_answer(workspace, server.port, "status")
    if clock is None or facts is None:
        return {**found, "answers": False}
    return {**facts, **found, "answers": True, "clock": clock}


def _engine(workspace: Workspace) -> dict[str, Any] | None:
    engine = engine_process.running(workspace)
    if engine is None:
        return None
    health = engine_process.health(workspace.socket)
    alone = health is Health.WITHOUT_DAEMON
    return {
        "socket": str(workspace.socket),
        "answers": health is Health.ANSWERS,
        "trouble": ": ".join(engine.choice.no_answer) if alone else None,
        "pid": engine.pid,
        "uptime_seconds": round(time.time() - engine.started),
        "memory_bytes": engine.memory,
        "kind": engine.choice.kind,
        "daemon": engine.choice.address or None,
        "version": engine.choice.version or None,
        "why": engine.choice.why,
    }


def _runner(workspace: Workspace) -> dict[str, Any] | None:
    """The runner, and the jobs at the sandbox's desk."""
    runner = runner_process.running(workspace)
    if runner is None:
        return None
    server = sandbox_process.running(workspace)
    work = sandbox_process.control_answer(workspace, server.port, "work") if server else None
    return {
        "pid": runner.pid,
        "uptime_seconds": round(time.time() - runner.started),
        "memory_bytes": runner.memory,
        "answers": work is not None and runner.pid in work["runners"],
        "waiting": work["waiting"] if work else 0,
        "claimed": work["claimed"] if work else 0,
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The status as names and values for people."""
    if found["mode"] == AWS:
        return [
            ("mode", "aws: commands reach the AWS account of your own configuration"),
            ("account", os.environ.get("AWS_PROFILE", "see: aws sts get-caller-identity")),
            ("workbook", found["workbook"]),
        ]
    shown = [
        ("mode", "sandbox"),
        ("account", found["account"]),
        ("region", found["region"]),
        ("registry", found["registry"]),
    ]
    sandbox, engine, docker = found["sandbox"], found["engine"], found["docker"]
    if sandbox is None:
        shown.append(("sandbox", "not running; start it with: labs start"))
    else:
        shown += [("endpoint", sandbox["endpoint"]), ("sandbox", _life(sandbox))]
        if sandbox["answers"]:
            shown += [("clock", _clock(sandbox["clock"])), ("stored", _stored(sandbox))]
            shown += [("set aside", notice) for notice in _damaged(sandbox)]
        else:
            shown.append(("", SILENT))
    if engine is None:
        shown.append(("engine", "not running; start it with: labs start"))
    else:
        shown += [("engine", _life(engine)), ("", _engine_shown(engine))]
    shown += _runner_shown(found.get("runner"))
    return [
        *shown,
        ("docker", f"{_docker(docker)} ({docker['why']})"),
        ("files", found["home"]),
        ("workbook", found["workbook"]),
    ]


def _runner_shown(runner: dict[str, Any] | None) -> list[tuple[str, str]]:
    if runner is None:
        return [("runner", "not running, so no build and no task runs; start it with: labs start")]
    if not runner["answers"]:
        return [("runner", _life(runner)), ("", "it has not asked the sandbox for work yet")]
    running = runner["claimed"]
    jobs = f"{running} {'job' if running == 1 else 'jobs'} running, {runner['waiting']} waiting"
    return [("runner", _life(runner)), ("", jobs)]


def _engine_shown(engine: dict[str, Any]) -> str:
    if not engine["answers"]:
        return engine["trouble"] or SILENT
    if engine["kind"] == EMBEDDED:
        return f"the labs' own, without a Docker daemon: {engine['why']}"
    name = f"{NAMES[engine['kind']]} {engine['version']}"
    return f"in front of {name}, for the sandbox's registries: {engine['why']}"


def _docker(docker: dict[str, str]) -> str:
    return "the labs' own command" if docker["kind"] == "standin" else docker["path"]


def _life(process: dict[str, Any]) -> str:
    up, memory = duration(process["uptime_seconds"]), size(process["memory_bytes"])
    return f"up {up}, {memory} of memory, process {process['pid']}"


def _clock(clock: dict[str, Any]) -> str:
    now = datetime.fromisoformat(clock["now"]).strftime("%Y-%m-%d %H:%M UTC")
    offset = timedelta(seconds=float(clock.get("offset_seconds", 0)))
    if clock.get("frozen"):
        return f"{now}, standing still (LABS_CLOCK)"
    if not offset:
        return f"{now}, real time"
    return f"{now}, {duration(offset.total_seconds())} ahead of real time; {CLOCK_GOES_FORWARD}"


def _damaged(sandbox: dict[str, Any]) -> list[str]:
    return [*sandbox.get("set_aside", []), *sandbox.get("notices", [])]


def _stored(sandbox: dict[str, Any]) -> str:
    stored = sandbox.get("stored", {})
    counted = [
        f"{stored.get(name, 0)} {name if stored.get(name, 0) != 1 else one}"
        for name, one in (("repositories", "repository"), ("images", "image"))
    ]
    return f"{', '.join(counted)}, {size(stored.get('bytes', 0))}"
