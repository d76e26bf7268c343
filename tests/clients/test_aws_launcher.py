"""The real `aws` from the labs' PATH: nothing of ~/.aws, and no service by another way."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers import servers
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.modes import environment
from labs_helpers.workspace import Workspace


@pytest.fixture(scope="module")
def terminal() -> Iterator[dict[str, str]]:
    """The environment of a labs terminal whose user has an alias and a cache of their own."""
    # short, for the engine's socket
    with tempfile.TemporaryDirectory(prefix="aws", dir="/tmp") as folder:
        alias = Path(folder) / "home" / ".aws" / "cli" / "alias"
        alias.parent.mkdir(parents=True)
        alias.write_text("[toplevel]\nwhoami = !echo from-the-home\n")
        given = os.environ | {"LABS_HOME": f"{folder}/labs", "HOME": str(alias.parents[2])}
        workspace = Workspace.find(given)
        port = servers.start(workspace, environ=given).sandbox.port
        learner = json.loads((workspace.home / "sandbox" / "learner.json").read_text())
        keys = {
            "AWS_ACCESS_KEY_ID": learner["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": learner["secret_access_key"],
        }
        yield environment(workspace, port, given).applied(given) | keys
        servers.stop(workspace)


def aws(terminal: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["aws", *words], env=terminal, capture_output=True, text=True)


def test_aliases_of_the_learners_own_home_are_not_read(terminal: dict[str, str]) -> None:
    ran = aws(terminal, "whoami")
    assert ran.returncode != 0
    assert "from-the-home" not in ran.stdout


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_aws_sqs_reaches_the_sandbox(terminal: dict[str, str], region: str) -> None:
    """Version 1 asks queue.amazonaws.com, whatever AWS_ENDPOINT_URL says."""

    def sqs(*words: str) -> str:
        ran = aws(terminal, "--region", region, "--output", "text", "sqs", *words)
        assert ran.stderr == ""
        return ran.stdout.strip()

    url = sqs("create-queue", "--queue-name", "q", "--query", "QueueUrl")
    sqs("send-message", "--queue-url", url, "--message-body", "hi")
    assert sqs("receive-message", "--queue-url", url, "--query", "Messages[0].Body") == "hi"


def test_an_endpoint_of_the_learners_own_stays(terminal: dict[str, str]) -> None:
    own = ("--endpoint-url", "http://127.0.0.1:9")
    one = terminal | {"AWS_MAX_ATTEMPTS": "1"}
    ran = aws(one, "sqs", "list-queues", "--region", "us-east-1", *own)
    assert ran.returncode != 0
    assert "127.0.0.1:9" in ran.stderr


def test_a_service_with_an_old_host_name_that_is_closed_says_so(terminal: dict[str, str]) -> None:
    ran = aws(terminal, "rds", "describe-db-instances", "--region", "us-east-1")
    assert "(NotInSandbox)" in ran.stderr
    assert "docs/services.md" in ran.stderr


@pytest.mark.parametrize(
    "command", [["ecr", "describe-repositories"], ["sts", "get-caller-identity"]]
)
def test_a_sandbox_that_is_down_is_said_in_one_line(
    terminal: dict[str, str], command: list[str]
) -> None:
    record = Path(terminal["LABS_HOME"]) / "sandbox" / "server.json"
    kept = record.read_text()
    for left in (None, '{\n  "pid": 4000000,\n  "port": 1\n}\n'):
        record.unlink() if left is None else record.write_text(left)
        try:
            ran = aws(terminal, *command)
            version = aws(terminal, "--version")
            local = aws(terminal, "configure", "list")
        finally:
            record.write_text(kept)
        assert (ran.returncode, ran.stdout) == (255, "")
        assert ran.stderr.splitlines() == [SANDBOX_DOWN]
        assert (version.returncode, local.returncode) == (0, 0)
