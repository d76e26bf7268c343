"""A sandbox with its runner, a role for builds, and what the tests of CodeBuild ask of them."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labs_helpers.runtime.shims import place_aws
from labs_helpers.workspace import Workspace
from tests.policies import allow, policy
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

ROLE = "arn:aws:iam::123456789012:role/builder"
TRUST = policy(
    {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
)
LINUX = {
    "type": "LINUX_CONTAINER",
    "computeType": "BUILD_GENERAL1_SMALL",
    "image": "aws/codebuild/standard:7.0",
}
LOGS = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
PATIENCE = 120.0
"""Seconds after which a build that does not end fails its test; no test takes them."""


@dataclass
class Room:
    sandbox: Running
    runner: subprocess.Popen[bytes] | None = None

    def client(self, service: str, **changed: Any) -> Any:
        return self.sandbox.client(service, **changed)

    def start_runner(self) -> None:
        """The runner of this sandbox, its output in home/runner-log."""
        home = self.sandbox.home
        workspace = Workspace(home).create()
        place_aws(workspace, self.sandbox.port)
        workspace.remember(port=self.sandbox.port)  # as `labs start` does
        command = [sys.executable, "-P", "-m", "labs_helpers.runner", "--home", str(home)]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        with (home / "runner-log").open("ab") as log:
            self.runner = subprocess.Popen(command, stdout=log, stderr=log, env=environ)

    def stop_runner(self) -> None:
        if self.runner is not None:
            self.runner.terminate()
            self.runner.wait(30)

    def role(self, name: str, *statements: Mapping[str, Any], trust: str = TRUST) -> str:
        """A role that builds take, with these rights."""
        iam = self.client("iam")
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        if statements:
            iam.put_role_policy(
                RoleName=name, PolicyName="rights", PolicyDocument=policy(*map(dict, statements))
            )
        return arn

    def project(self, name: str, *commands: str, spec: str = "", **changed: Any) -> dict[str, Any]:
        """A project of type NO_SOURCE whose build phase runs the commands."""
        listed = json.dumps({"version": 0.2, "phases": {"build": {"commands": list(commands)}}})
        settings = {
            "name": name,
            "source": {"type": "NO_SOURCE", "buildspec": spec or listed},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": LINUX,
            "serviceRole": ROLE,
            **changed,
        }
        made: dict[str, Any] = self.client("codebuild").create_project(**settings)["project"]
        return made

    def start(self, project: str, **overrides: Any) -> str:
        """The id of a new build."""
        found = self.client("codebuild").start_build(projectName=project, **overrides)
        return str(found["build"]["id"])

    def build(self, build_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("codebuild").batch_get_builds(ids=[build_id])
        return dict(found["builds"][0])

    def ended(self, build_id: str) -> dict[str, Any]:
        """A build, once it has ended."""
        return self.until(build_id, lambda build: bool(build["buildComplete"]))

    def until(self, build_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """A build, once something holds of it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if holds(build := self.build(build_id)):
                return build
            time.sleep(0.05)
        raise AssertionError(f"the build goes on: {self.build(build_id)}\n{self.log(build_id)}")

    def run(self, project: str, **overrides: Any) -> dict[str, Any]:
        """Start a build, and return it once it has ended."""
        return self.ended(self.start(project, **overrides))

    def log(self, build_id: str) -> str:
        """What the log stream of a build holds; empty where there is none."""
        logs = self.client("logs")
        place = self.build(build_id)["logs"]
        try:
            found = logs.get_log_events(
                logGroupName=place["groupName"],
                logStreamName=place["streamName"],
                startFromHead=True,
            )
        except logs.exceptions.ResourceNotFoundException:
            return ""
        return "".join(each["message"] for each in found["events"])

    def log_until(self, build_id: str, text: str) -> str:
        """The log of a build, once the text is in it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if text in (log := self.log(build_id)):
                return log
            time.sleep(0.05)
        raise AssertionError(f"the log has no {text!r}:\n{self.log(build_id)}")


def phases(build: Mapping[str, Any]) -> dict[str, str]:
    """Phase -> status of a build; COMPLETED has none."""
    return {each["phaseType"]: each.get("phaseStatus", "") for each in build["phases"]}


def context(build: Mapping[str, Any], phase: str) -> tuple[str, str]:
    """(status code, message) of a phase."""
    found = next(each for each in build["phases"] if each["phaseType"] == phase)
    first = found["contexts"][0]
    return first["statusCode"], first["message"]


def packed(files: Mapping[str, str], links: Mapping[str, str] | None = None) -> bytes:
    """A ZIP file as bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            archive.writestr(entry, text)
        for name, target in (links or {}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
    return content.getvalue()


def begin(folder: Path) -> Room:
    """A sandbox with a runner and the role of ROLE, which may write logs."""
    room = Room(sandbox_process.start(folder))
    room.start_runner()
    room.role("builder", LOGS)
    return room
