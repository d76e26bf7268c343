"""What a notebook says of a sandbox that is not running: one line, with what to do."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from IPython.core.interactiveshell import InteractiveShell

from labs_helpers import modes
from labs_helpers.cli import main as cli
from labs_helpers.control_client import Control
from labs_helpers.defaults import ENGINE_DOWN, SANDBOX_DOWN
from labs_helpers.errors import LabError, spoken
from labs_helpers.files import LabsError
from labs_helpers.kernel import say_when_the_sandbox_is_down
from labs_helpers.workspace import Workspace
from tests.ports import free_port

CALL = """
import boto3
from botocore.config import Config
boto3.client("sts", endpoint_url="http://127.0.0.1:%d", region_name="us-west-2",
             aws_access_key_id="a", aws_secret_access_key="b",
             config=Config(retries={"max_attempts": 0})).get_caller_identity()
"""


def test_a_check_says_what_to_do() -> None:
    @spoken
    def check() -> None:
        boto3.client(
            "sts",
            endpoint_url=f"http://127.0.0.1:{free_port()}",
            region_name="us-west-2",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"max_attempts": 0}),
        ).get_caller_identity()

    with pytest.raises(LabError) as caught:
        check()
    assert str(caught.value) == SANDBOX_DOWN


def test_a_host_of_aws_is_named_as_botocore_names_it() -> None:
    @spoken
    def check() -> None:
        raise EndpointConnectionError(endpoint_url="https://sts.us-esat-1.amazonaws.com/")

    with pytest.raises(LabError, match="us-esat-1"):
        check()


def test_what_asks_the_sandbox_itself_says_so(workspace: Workspace) -> None:
    workspace.control_token.write_text("token")
    with pytest.raises(LabsError) as caught:
        Control(workspace).ask("GET", "status")
    assert str(caught.value) == SANDBOX_DOWN


def test_a_cell_with_boto3_shows_one_line_and_no_traceback() -> None:
    shell = InteractiveShell.instance()
    try:
        say_when_the_sandbox_is_down(shell)
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            ran = shell.run_cell(CALL % free_port())
            other = shell.run_cell("1 / 0")
    finally:
        InteractiveShell.clear_instance()
    first, _, rest = out.getvalue().partition("\n")
    assert isinstance(ran.error_in_exec, EndpointConnectionError)
    assert first == SANDBOX_DOWN
    assert isinstance(other.error_in_exec, ZeroDivisionError)
    assert "Traceback" in rest


@pytest.mark.parametrize("command", ["gate", "sbom"])
@pytest.mark.parametrize("in_the_environment", [True, False])
def test_a_command_that_asks_ecr_says_what_to_do(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    in_the_environment: bool,
) -> None:
    if in_the_environment:
        for name, value in modes.environment(workspace, free_port()).set.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert cli.main([command, "demo:v1"]) == 1
    assert capsys.readouterr() == ("", f"{SANDBOX_DOWN}\n")


FROM_ENV = "import docker\ndocker.from_env()"
OLD_CLIENT = """
import docker, os
docker.DockerClient(os.environ["DOCKER_HOST"], version="1.47").images.list()
"""


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    say_when_the_sandbox_is_down(made)
    yield made
    InteractiveShell.clear_instance()


def shown(shell: InteractiveShell, cell: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        shell.run_cell(cell)
    return out.getvalue()


@pytest.mark.parametrize("cell", [FROM_ENV, OLD_CLIENT])
def test_a_cell_with_docker_shows_one_line_while_the_engine_is_down(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, shell: InteractiveShell, cell: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{workspace.socket}")
    assert shown(shell, cell) == f"{ENGINE_DOWN}\n"


def test_another_docker_host_and_an_engine_that_answers_keep_their_errors(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, shell: InteractiveShell
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{workspace.home}/other.sock")
    assert "Traceback" in shown(shell, FROM_ENV)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{workspace.socket}")
    assert "Traceback" in shown(
        shell, f"import requests\nrequests.get('http://127.0.0.1:{free_port()}')"
    )
    workspace.socket.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(workspace.socket))
        listener.listen()
        assert "Traceback" in shown(
            shell, "import docker\nraise docker.errors.DockerException('another error')"
        )
