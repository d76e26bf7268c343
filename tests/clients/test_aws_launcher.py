"""The real `aws` from the labs' PATH: nothing of ~/.aws, and no service by another way."""

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
        yield environment(workspace, port, given).applied(given)
        servers.stop(workspace)


def aws(terminal: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["aws", *words], env=terminal, capture_output=True, text=True)


def test_aliases_of_the_learners_own_home_are_not_read(terminal: dict[str, str]) -> None:
    ran = aws(terminal, "whoami")
    assert ran.returncode != 0
    assert "from-the-home" not in ran.stdout


def test_a_service_that_passes_over_the_endpoint_ends_at_the_sandbox(
    terminal: dict[str, str],
) -> None:
    named = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}
    # where the first attempt ends is what is asked; between four more, aws waits
    named["AWS_MAX_ATTEMPTS"] = "1"
    ran = aws(terminal | named, "sqs", "list-queues", "--region", "us-west-2")
    assert ran.returncode != 0
    assert terminal["AWS_ENDPOINT_URL"] in ran.stderr


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
