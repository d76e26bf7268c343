"""Another user of the same machine can use neither the sandbox nor the engine.

Run as root, the tests become the user `nobody` in a forked process; otherwise only the file modes
are looked at, which is what keeps others out.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trap.session import Session

NOBODY = 65534
SECRETS = ("sandbox/control-token", "sandbox/learner.json", "sandbox/server.json")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A running sandbox and engine in a folder that others may enter, up to LABS_HOME."""
    root = Path(tempfile.mkdtemp(prefix="other-")).resolve()
    root.chmod(0o755)
    running = Session(root)
    running.prepare()
    try:
        started = running.run("labs start", traced=False)
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
    finally:
        running.run("labs stop", traced=False)
        shutil.rmtree(root)


def as_nobody(action: Callable[[], Any]) -> Any:
    """What `action` returns (JSON), or the name of the error it raises, as the user nobody."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        answer: Any = "the action ended in another way"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = action()
        except OSError as refusal:
            answer = type(refusal).__name__
        finally:
            os.write(writable, json.dumps(answer).encode())
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        answer = json.load(pipe)
    os.waitpid(child, 0)
    return answer


def port(session: Session) -> int:
    record = json.loads((session.labs / "sandbox" / "server.json").read_text())
    return int(record["port"])


def ask(port: int, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(
        method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def test_labs_home_is_closed_to_others(session: Session) -> None:
    open_to_others = [
        str(path)
        for path in (session.labs, *session.labs.iterdir())
        if path.is_dir() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_the_socket_and_the_secrets_are_the_owners_alone(session: Session) -> None:
    modes = {
        name: oct(stat.S_IMODE((session.labs / name).stat().st_mode))
        for name in (*SECRETS, "engine/docker.sock")
    }
    assert set(modes.values()) == {"0o600"}, modes


@as_root
def test_another_user_cannot_connect_to_the_engine(session: Session) -> None:
    path = str(session.labs / "engine" / "docker.sock")

    def connect() -> str:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(path)
        return "connected"

    assert as_nobody(connect) == "PermissionError"


@as_root
@pytest.mark.parametrize("name", ["", *SECRETS, "engine/registries.json", "config.json"])
def test_another_user_cannot_read_the_files(session: Session, name: str) -> None:
    path = session.labs / name
    assert path.exists()

    look = os.scandir if path.is_dir() else open

    def read() -> str:
        look(path).close()
        return "opened"

    assert as_nobody(read) == "PermissionError"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        (
            "POST",
            "/",
            {"X_Amz_Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"},
        ),
        ("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}),
        ("GET", "/_labs/status", {}),
        ("GET", "/_labs/clock", {"Authorization": "Bearer guess"}),
        ("POST", "/_labs/clock", {"Content_Type": "application/json"}),
        ("DELETE", "/_labs/trace", {}),
        ("GET", "/v2/", {}),
        ("GET", "/v2/demo-app-repo/tags/list", {}),
        ("POST", "/v2/demo-app-repo/blobs/uploads/", {}),
        ("GET", "/v2/demo-app-repo/tags/list", {"Authorization": "Basic QVdTOmd1ZXNz"}),
        ("POST", "/moto-api/reset", {}),
        ("GET", "/moto-api/data.json", {}),
        (
            "POST",
            "/",
            {
                "X_Amz_Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
                "X_Amz_Date": "20261102T090000Z",
                "Authorization": "AWS4-HMAC-SHA256 "
                "Credential=AKIAIOSFODNN7EXAMPLE/20261102/us-west-2/ecr/aws4_request, "
                f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}",
            },
        ),
    ],
)
def test_a_request_without_a_key_is_refused(
    session: Session, method: str, path: str, headers: dict[str, str]
) -> None:
    status, body = ask(port(session), method, path, '{"advance_seconds": 1}', **headers)
    assert 400 <= status < 500, body


def test_the_health_check_tells_nothing_of_the_learner(session: Session) -> None:
    status, body = ask(port(session), "GET", "/_labs/health")
    assert status == 200
    assert set(json.loads(body)) == {"service", "instance"}
