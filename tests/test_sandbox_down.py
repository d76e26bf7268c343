"""What a notebook says of a sandbox that is not running: one line, with what to do."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from IPython.core.interactiveshell import InteractiveShell

from labs_helpers.control_client import Control
from labs_helpers.defaults import SANDBOX_DOWN
from labs_helpers.errors import LabError, spoken
from labs_helpers.kernel import say_when_the_sandbox_is_down
from labs_helpers.workspace import LabsError, Workspace
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
        Control(workspace, free_port()).ask("GET", "status")
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
