"""The process: it starts, tells where it is, refuses strangers, and ends cleanly."""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.checks.registry import Registry
from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A process as a learner's, and not a fork of one that has imported moto."""
    running = sandbox_process.start_anew(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


def test_health_says_what_answers_and_nothing_else(sandbox: Running) -> None:
    status, _, body = sandbox.ask("GET", "/_labs/health")
    told = json.loads(body)
    assert (status, told.pop("service"), list(told)) == (200, "labs-sandbox", ["instance"])


def test_files_are_for_their_owner_only(sandbox: Running) -> None:
    folder = sandbox.home / "sandbox"
    open_to_others = [
        str(path.relative_to(folder))
        for path in [folder, *folder.rglob("*")]
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_it_listens_on_loopback_only(sandbox: Running) -> None:
    import psutil

    listening = [
        found.laddr.ip
        for found in psutil.Process(sandbox.process.pid).net_connections()
        if found.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


@pytest.mark.parametrize("path", ["status", "clock", "trace", "anything"])
def test_control_needs_the_token(sandbox: Running, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer ü"}):
        sent = {name: value.encode() for name, value in headers.items()}
        assert sandbox.ask("GET", f"/_labs/{path}", None, sent)[0] == 401  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_control_refuses_web_pages_even_with_the_token(
    sandbox: Running, headers: dict[str, str]
) -> None:
    sent = {"Authorization": f"Bearer {sandbox.token}", **headers}
    assert sandbox.ask("GET", "/_labs/status", None, sent)[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "a b", "amazonaws.co"])
@pytest.mark.parametrize("path", ["/_labs/health", "/v2/", "/", "/bucket"])
def test_a_name_that_was_pointed_here_is_refused(sandbox: Running, host: str, path: str) -> None:
    assert sandbox.ask("GET", path, None, {"Host": host})[0] == 421


def test_control_does_not_answer_under_names_of_aws(sandbox: Running) -> None:
    sent = {"Authorization": f"Bearer {sandbox.token}", "Host": REGISTRY}
    assert sandbox.ask("GET", "/_labs/status", None, sent)[0] == 404


def test_status_says_what_is_there(sandbox: Running) -> None:
    code, status = sandbox.control("GET", "status")
    assert code == 200
    assert (status["mode"], status["account"], status["region"]) == (
        "sandbox",
        "123456789012",
        "us-west-2",
    )
    assert status["port"] == sandbox.port
    assert status["uptime_seconds"] > 0
    assert status["rss_bytes"] > 1_000_000
    assert set(status["stored"]) == {"repositories", "images", "blobs", "bytes"}
    assert status["clock"]["frozen"] is False
    assert status["kept"]["other services"] == "across restarts"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"advance_seconds": -1},
        {"advance_seconds": "1"},
        {"advance_seconds": True},
        {"advance_seconds": 1e308},
        {"advance_seconds": float("nan")},
    ],
)
def test_a_clock_request_without_sense_is_refused(sandbox: Running, body: object) -> None:
    code, told = sandbox.control("POST", "clock", body)
    assert (code, "advance_seconds" in told["error"]) == (400, True)


def test_a_registry_of_a_region_that_aws_lacks_has_no_host(sandbox: Running) -> None:
    name = "123456789012.dkr.ecr.us-esat-1.amazonaws.com"
    status, _, body = sandbox.ask("GET", "/v2/", None, {"Host": name})
    (error,) = json.loads(body)["errors"]
    assert (status, error["message"]) == (
        421,
        f"lookup {name}: no such host; AWS has no region us-esat-1, check its spelling",
    )


def test_the_trace_shows_nothing_that_a_check_asked(sandbox: Running) -> None:
    sandbox.control("DELETE", "trace")
    login = ("AWS", "of nobody")
    for host in (REGISTRY, "registry-1.docker.io"):
        checked = Registry(host, sandbox.url, login)
        assert checked.tags("demo").status in (400, 401)
    assert sandbox.control("GET", "trace")[1] == {"requests": []}


def test_the_trace_shows_registry_requests_without_secrets(sandbox: Running) -> None:
    sandbox.control("DELETE", "trace")
    secret = {"Host": REGISTRY, "Authorization": "Basic QVdTOnNlY3JldA=="}
    sandbox.ask("GET", "/v2/demo/tags/list?token=hidden", None, secret)
    sandbox.ask("GET", "/v2/", None, {"Host": "registry-1.docker.io"})
    _, told = sandbox.control("GET", "trace")
    first, second = told["requests"]
    assert first["bytes_out"] > 0
    first.pop("bytes_out")
    assert first == {
        "number": 1,
        "method": "GET",
        "host": REGISTRY,
        "path": "/v2/demo/tags/list",
        "status": first["status"],
        "bytes_in": 0,
    }
    assert first["status"] == 400
    assert (second["host"], second["status"]) == ("registry-1.docker.io", 401)
    assert "hidden" not in json.dumps(told)


def test_the_log_has_no_secrets(sandbox: Running) -> None:
    sandbox.ask("GET", "/v2/?token=hidden", None, {"Authorization": "Basic QVdTOnNlY3JldA=="})
    sandbox.client("ecr").get_authorization_token()
    learner = sandbox.learner
    for secret in ("hidden", "QVdTOn", learner["secret_access_key"], sandbox.token):
        assert secret not in sandbox.log


def test_an_answer_says_how_long_it_is(sandbox: Running) -> None:
    """A client then sees that an answer broke off, and AWS's answers say so too."""
    answer = sandbox.client("ecr").describe_repositories()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert int(headers["content-length"]) > 0
    assert "transfer-encoding" not in headers


def test_a_tls_probe_is_answered_in_http(sandbox: Running) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=30) as probe:
        probe.sendall(bytes.fromhex("160301020001000001fc0303") + bytes(range(32)) + b"\n" * 4)
        probe.shutdown(socket.SHUT_WR)
        assert probe.recv(64).startswith(b"HTTP/1.1 400 ")


def test_a_connection_is_kept_after_a_refused_upload(sandbox: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=30)
    body = b"x" * 3_000_000
    connection.request("PATCH", "/v2/demo/blobs/uploads/1", body, {"Host": REGISTRY})
    first = connection.getresponse()
    first.read()
    port = connection.sock.getsockname()
    chunks = (b"y" * 1_000_000 for _ in range(3))
    connection.request(
        "PATCH", "/v2/demo/blobs/uploads/1", chunks, {"Host": REGISTRY}, encode_chunked=True
    )
    second = connection.getresponse()
    second.read()
    connection.request("GET", "/_labs/health")
    third = connection.getresponse()
    third.read()
    assert (first.status, second.status, third.status) == (401, 401, 200)
    assert connection.sock.getsockname() == port
    connection.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nshort",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /%ff%00%0a HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n",
    ],
)
def test_a_broken_request_gets_a_4xx_and_hurts_nobody(
    sandbox: Running, request_bytes: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=30) as client:
        client.sendall(request_bytes)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(4096)
    assert answer[:10] == b"HTTP/1.1 4"
    assert sandbox.ask("GET", "/_labs/health")[0] == 200
    assert "Traceback" not in sandbox.log


def test_sigterm_ends_it_and_its_record(tmp_path: Path) -> None:
    running = sandbox_process.start_anew(tmp_path)
    record = tmp_path / "sandbox" / "server.json"
    assert json.loads(record.read_text())["pid"] == running.process.pid
    assert running.stop() == 0
    assert not record.exists()
    assert "Traceback" not in running.log


def test_a_restart_keeps_key_token_clock_and_repositories(tmp_path: Path) -> None:
    first = sandbox_process.start_anew(tmp_path, LABS_CLOCK="2026-11-02T09:00:00Z")
    learner, token = first.learner, first.token
    first.client("ecr").create_repository(repositoryName="demo")
    assert first.control("POST", "clock", {"advance_seconds": 3600})[0] == 200
    first.stop()
    second = sandbox_process.start_anew(tmp_path, LABS_CLOCK="2026-11-02T09:00:00Z")
    _, clock = second.control("GET", "clock")
    names = second.client("ecr").describe_repositories()["repositories"]
    second.stop()
    assert (second.learner, second.token) == (learner, token)
    assert clock == {"now": "2026-11-02T10:00:00+00:00", "offset_seconds": 3600.0, "frozen": True}
    assert [one["repositoryName"] for one in names] == ["demo"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    from labs_helpers.sandbox.iam import credentials

    keys = {credentials.learner(tmp_path / str(number)).secret for number in range(3)}
    assert len(keys) == 3


def test_a_port_in_use_is_said_and_ends_it_with_98(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert sandbox_process.spawn(tmp_path, port).wait(60) == 98
    said = (tmp_path / "log").read_text().splitlines()[-1]
    assert said == f"Port {port} is in use by another program."


def test_a_folder_it_cannot_use_is_said_and_ends_it_with_1(tmp_path: Path) -> None:
    (tmp_path / "sandbox").write_text("a file where the folder should be")
    assert sandbox_process.spawn(tmp_path, 1).wait(60) == 1
    said = (tmp_path / "log").read_text()
    assert str(tmp_path / "sandbox") in said
    assert "Traceback" not in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said_and_ends_it_with_1(tmp_path: Path) -> None:
    home = tmp_path / "labs"
    (home / "sandbox").mkdir(parents=True)
    (home / "sandbox").chmod(0o500)
    assert sandbox_process.spawn(home, 1).wait(60) == 1
    assert "Traceback" not in (home / "log").read_text()


def test_a_clock_of_nonsense_is_said(tmp_path: Path) -> None:
    assert sandbox_process.spawn(tmp_path, 1, LABS_CLOCK="noon").wait(60) == 1
    assert "LABS_CLOCK is 'noon'" in (tmp_path / "log").read_text()


def test_starting_imports_nothing_of_moto() -> None:
    """Reported as S15."""
    code = (
        "import sys, labs_helpers.sandbox.server, labs_helpers.sandbox.assembly, "
        "labs_helpers.sandbox.door.http\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('moto', 'flask', 'boto3')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
