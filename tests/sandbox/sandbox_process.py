"""The sandbox as its own process, for tests that need the real port, signals and imports."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests import forked_servers
from tests.ports import free_port

REGION = "us-west-2"


@dataclass
class Running:
    """A sandbox that listens; `home` is its LABS_HOME."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def learner(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.home / "sandbox" / "learner.json").read_text())
        return found

    @property
    def token(self) -> str:
        return (self.home / "sandbox" / "control-token").read_text().strip()

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    def client(self, service: str, **changed: Any) -> Any:
        """A boto3 client of the learner that never tries twice."""
        settings = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": self.learner["access_key_id"],
            "aws_secret_access_key": self.learner["secret_access_key"],
            "config": Config(retries={"max_attempts": 0}),
        }
        return boto3.session.Session().client(service, **(settings | changed))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The control API with its token."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"}
        status, _, told = self.ask(method, f"/_labs/{path}", sent, headers)
        return status, json.loads(told)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def keys_of(given: dict[str, str]) -> dict[str, str]:
    """What a boto3 client takes, from AccessKey, Credentials, or the control API's answer."""
    found = {
        "aws_access_key_id": given.get("AccessKeyId") or given["access_key_id"],
        "aws_secret_access_key": given.get("SecretAccessKey") or given["secret_access_key"],
    }
    if token := given.get("SessionToken"):
        found["aws_session_token"] = token
    return found


def spawn(
    home: Path,
    port: int,
    begin: type[subprocess.Popen[bytes]] = subprocess.Popen,
    **environ: str,
) -> subprocess.Popen[bytes]:
    """The process, its output in home/log."""
    command = [sys.executable, "-P", "-m", "labs_helpers.sandbox.server"]
    command += ["--home", str(home), "--port", str(port)]
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "log").open("ab") as log:
        return begin(command, stdout=log, stderr=log, env={**os.environ, **environ})


def start(home: Path, **environ: str) -> Running:
    """A sandbox on a free port, once it has said that it listens: a fork (forked_servers.py)."""
    return ready(home, forked_servers.Popen, **environ)


def start_anew(home: Path, **environ: str) -> Running:
    """A sandbox as a Python of its own, for tests of starting and of what a start costs."""
    return ready(home, subprocess.Popen, **environ)


def ready(home: Path, begin: type[subprocess.Popen[bytes]], **environ: str) -> Running:
    """A sandbox that has said that it listens."""
    port = free_port()
    process = spawn(home, port, begin, **environ)
    record = home / "sandbox" / "server.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the sandbox ended:\n{(home / 'log').read_text()}")
        if record.exists() and json.loads(record.read_text())["pid"] == process.pid:
            return Running(process, home, port)
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"the sandbox does not listen:\n{(home / 'log').read_text()}")
