"""A kernel that stays open follows its sandbox to another port, and asks no other sandbox."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from labs_helpers import modes, reconnecting, servers
from labs_helpers.control_client import Control
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.errors import said
from labs_helpers.files import LabsError, write_json
from labs_helpers.runtime import process_identity
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace
from tests.kernels import kernel_in
from tests.ports import free_port

PROJECT = Path(__file__).parents[1]
START = """
from labs_helpers import start
lab = start("00")
import boto3
from botocore.config import Config
early = boto3.client("ecr", config=Config(retries={"max_attempts": 0}))
"""
NAMES = '[one["repositoryName"] for one in {}.describe_repositories()["repositories"]]'
NEW = NAMES.format('boto3.client("ecr", config=Config(retries={"max_attempts": 0}))')
EARLY = NAMES.format("early")
SHELL = (
    "%%bash\naws ecr describe-repositories --query 'repositories[].repositoryName' --output text"
)
ENVIRONMENT = "import os; os.environ['AWS_ENDPOINT_URL']"


def clean() -> dict[str, str]:
    """The environment without that of another sandbox."""
    left = ("AWS_", "LABS_", "GIT_CONFIG")
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(left)}
    return {**kept, "LABS_ENGINE": "embedded"}


@contextmanager
def home() -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory(prefix="l", dir="/tmp") as folder:
        yield Workspace(Path(folder) / "h", PROJECT).create()


@contextmanager
def someone_else_on(port: int) -> Iterator[Workspace]:
    """The sandbox of another LABS_HOME, a real process, on this port."""
    with home() as theirs:
        given = {**clean(), "LABS_PORT": str(port)}
        try:
            assert process.start(theirs, print, given).port == port
            yield theirs
        finally:
            process.stop(theirs, print)


def test_a_running_kernel_follows_its_own_sandbox_and_never_asks_another() -> None:
    with home() as ours, kernel_in(ours.home, {**clean(), "LABS_PORT": str(free_port())}) as kernel:
        kernel.run(START)
        kernel.run('early.create_repository(repositoryName="mine")')
        assert [kernel.run(cell) for cell in (NEW, EARLY)] == [["['mine']"]] * 2
        before = process.running(ours)
        assert before is not None
        servers.stop(ours)
        with someone_else_on(before.port) as theirs:
            # while the own sandbox is down, nothing goes to the other one
            for cell in (NEW, EARLY, "lab.clock.now"):
                assert kernel.run(cell) == [SANDBOX_DOWN], cell
            assert "".join(kernel.run(SHELL)).startswith(f"{SANDBOX_DOWN}\n")

            servers.start(ours, environ=clean())
            try:
                now = process.running(ours)
                assert now is not None
                assert now.port != before.port
                assert kernel.run(ENVIRONMENT) == [repr(modes.endpoint(now.port))]
                assert "".join(kernel.run(SHELL)) == "mine\n"
                assert [kernel.run(cell) for cell in (NEW, EARLY)] == [["['mine']"]] * 2
                older = f"AWS_ENDPOINT_URL={modes.endpoint(before.port)}"  # as in a terminal
                told = kernel.run(SHELL.replace("aws", f"{older} aws"))
                assert "".join(told) == "mine\n"
                assert "datetime" in kernel.run("lab.clock.now")[0]
                assert kernel.run("%%bash\ndocker images -q") == []
                asked = (theirs.sandbox / "sandbox.log").read_text()
                assert "listens on" in asked
                assert "DescribeRepositories" not in asked
            finally:
                servers.stop(ours)


# an environment, without a kernel


@pytest.fixture
def told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The environment of a kernel whose sandbox had the port 4567."""
    monkeypatch.setattr(reconnecting, "_EARLIER", set())
    for name, value in modes.environment(workspace, 4567).set.items():
        monkeypatch.setenv(name, value)
    return workspace


def runs_on(workspace: Workspace, port: int) -> None:
    write_json(
        workspace.sandbox / "server.json", {**process_identity.noted(os.getpid()), "port": port}
    )


def test_git_s_settings_follow_and_the_learner_s_own_variables_stay(
    told: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "ci")
    runs_on(told, 4570)
    reconnecting.follow(told)
    changed = {name for name, value in os.environ.items() if value == modes.endpoint(4570)}
    assert {name.rstrip("0123456789") for name in changed} == {
        "AWS_ENDPOINT_URL",
        "GIT_CONFIG_VALUE_",
    }
    assert modes.endpoint(4567) not in os.environ.values()
    assert os.environ["AWS_PROFILE"] == "ci"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LABS_MODE", "aws"),
        ("LABS_HOME", "/somewhere/else"),
        ("AWS_ENDPOINT_URL", "https://vpce-1.ecr.eu-west-1.vpce.amazonaws.com"),
    ],
)
def test_an_environment_of_something_else_stays(
    told: Workspace, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    runs_on(told, 4570)
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    reconnecting.follow(told)
    assert dict(os.environ) == before


def test_only_a_request_to_an_earlier_port_is_sent_elsewhere(told: Workspace) -> None:
    runs_on(told, 4570)
    reconnecting.follow(told)
    for asked, sent in {
        "http://127.0.0.1:4567/v2/x?a=b": "http://127.0.0.1:4570/v2/x?a=b",
        "http://127.0.0.1:45678/": "http://127.0.0.1:45678/",
        "http://127.0.0.1:4599/": "http://127.0.0.1:4599/",
        "https://sts.amazonaws.com/": "https://sts.amazonaws.com/",
    }.items():
        request = SimpleNamespace(url=asked)
        reconnecting.to_the_own_sandbox(request)
        assert request.url == sent
    runs_on(told, 4567)  # back again
    reconnecting.follow(told)
    request = SimpleNamespace(url="http://127.0.0.1:4567/")
    reconnecting.to_the_own_sandbox(request)
    assert request.url == "http://127.0.0.1:4567/"


def test_a_sandbox_that_has_stopped_gets_no_token(told: Workspace) -> None:
    told.control_token.write_text("token")
    with pytest.raises(LabsError) as caught:
        Control(told).ask("GET", "status")
    assert str(caught.value) == SANDBOX_DOWN


def test_a_client_that_cannot_follow_says_what_to_run(
    told: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        now = modes.endpoint(listener.getsockname()[1])
        monkeypatch.setenv("AWS_ENDPOINT_URL", now)
        fault = EndpointConnectionError(endpoint_url=f"{modes.endpoint(4567)}/")
        assert said(fault) == (
            f"This client asks {modes.endpoint(4567)}, and the sandbox is at {now}: the client was "
            "made before the sandbox started again. Run the cell again that makes the client."
        )
        assert said(EndpointConnectionError(endpoint_url=f"{now}/")) == SANDBOX_DOWN
    # nor is there a sandbox now
    assert said(fault) == SANDBOX_DOWN
