"""The endpoint of a task's credentials, on a port that others of the machine reach as well."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from labs_helpers.runner.task_credentials import Credentials

KEYS = {"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
ROLE = "arn:aws:iam::123456789012:role/task"


@pytest.fixture
def served() -> Iterator[Credentials]:
    found = Credentials(KEYS, ROLE)
    yield found
    found.close()


def test_the_task_gets_its_role_s_keys(served: Credentials) -> None:
    with urllib.request.urlopen(served.url, timeout=30) as answer:
        found = json.loads(answer.read())
    assert found.pop("Expiration").endswith("Z")
    assert found == {
        "RoleArn": ROLE,
        "AccessKeyId": "ASIA1",
        "SecretAccessKey": "s",
        "Token": "t",
    }


@pytest.mark.parametrize("path", ["/", "/v2/credentials/", "/v2/credentials/x", "//", "/%2e%2e"])
def test_who_does_not_know_the_path_gets_nothing(served: Credentials, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{served.port}{path}", timeout=30)
    assert refused.value.code == 404
    assert refused.value.read() == b""


def test_two_tasks_have_two_paths(served: Credentials) -> None:
    other = Credentials(KEYS, ROLE)
    try:
        path = served.url.rpartition("/v2/")[2]
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{other.port}/v2/{path}", timeout=30)
    finally:
        other.close()


def test_connections_that_say_nothing_shut_nobody_out(served: Credentials) -> None:
    silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(60)]
    try:
        with urllib.request.urlopen(served.url, timeout=30) as answer:
            assert answer.status == 200
    finally:
        for each in silent:
            each.close()
