"""A server that no slow or garbled client keeps from serving the others."""

from __future__ import annotations

import re
import socket
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from labs_helpers.runtime import http_server
from labs_helpers.runtime.http_server import PatientServer

GET = b"GET /here HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG_ENOUGH = 30.0
"""Seconds after which a client of these tests gives up: half of what the server waits."""


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer = environ["PATH_INFO"].encode() + b" " + body
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


@pytest.fixture(params=["tcp", "unix"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PatientServer]:
    """Two threads, which may become six."""
    address = ("127.0.0.1", 0) if request.param == "tcp" else str(tmp_path / "socket")
    made = PatientServer(
        address, echo, 2, 6, timeout=60, shutdown_timeout=1, request_queue_size=128
    )
    made.prepare()
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.stop()
    thread.join()


def connect(server: PatientServer) -> socket.socket:
    if not isinstance(server.bind_addr, str):
        return socket.create_connection(server.bind_addr, timeout=LONG_ENOUGH)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(LONG_ENOUGH)
    client.connect(server.bind_addr)
    return client


def answer_on(client: socket.socket) -> tuple[int, bytes]:
    """Status and body of the next answer, without a byte of the one after."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, head
        head += byte
    size = int(re.findall(rb"(?i)content-length: *(\d+)", head)[0])
    body = b""
    while len(body) < size:
        body += client.recv(size - len(body))
    return int(head.split()[1]), body


def asked(server: PatientServer, request: bytes = GET) -> tuple[int, bytes]:
    with connect(server) as client:
        client.sendall(request)
        return answer_on(client)


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"]
)
def test_half_sent_heads_block_nobody(server: PatientServer, sent: bytes) -> None:
    """Reported as D10."""
    with ExitStack() as slow:
        for _ in range(40):
            slow.enter_context(connect(server)).sendall(sent)
        assert asked(server) == (200, b"/here ")


def test_half_sent_bodies_block_nobody_while_threads_can_be_added(server: PatientServer) -> None:
    half = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"
    with ExitStack() as slow:
        clients = [slow.enter_context(connect(server)) for _ in range(5)]
        for client in clients:
            client.sendall(half)
        assert asked(server) == (200, b"/here ")
        for client in clients:
            client.sendall(b" more")
            assert answer_on(client) == (200, b"/slow half more")


def test_many_clients_at_once_are_all_answered(server: PatientServer) -> None:
    with ExitStack() as many:
        clients = [many.enter_context(connect(server)) for _ in range(30)]
        for turn in range(3):
            for client in clients:
                client.sendall(GET.replace(b"/here", b"/%d" % turn))
            assert {answer_on(client) for client in clients} == {(200, b"/%d " % turn)}


def test_a_request_in_single_bytes_is_answered(server: PatientServer) -> None:
    with connect(server) as client:
        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /bytes HTTP/1.1\r\nContent-Length: 4\r\nHost: x\r\n\r\nbody":
            client.sendall(bytes([byte]))
        assert answer_on(client) == (200, b"/bytes body")


def test_requests_that_come_together_are_answered_in_turn(server: PatientServer) -> None:
    with connect(server) as client:
        client.sendall(GET + GET.replace(b"here", b"next") + b"GET /la")
        assert [answer_on(client) for _ in range(2)] == [(200, b"/here "), (200, b"/next ")]
        assert asked(server) == (200, b"/here ")
        client.sendall(b"st HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer_on(client) == (200, b"/last ")


def test_a_body_longer_than_what_is_read_ahead_is_whole(server: PatientServer) -> None:
    body = bytes(range(256)) * 4000
    head = b"POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert asked(server, head + body) == (200, b"/long " + body)


@pytest.mark.parametrize(
    "field",
    [b" Host: x", b"\tHost: x", b"Host: x\r\n folded", b"Host : x", b": x", b"Host", b"A\x00: x"],
    ids=["blank", "tab", "folded", "blank before colon", "no name", "no colon", "nul"],
)
def test_a_malformed_field_is_refused_with_400(
    server: PatientServer, field: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(server, "error_log", lambda message="", *_, **__: logged.append(message))
    status, said = asked(server, b"GET / HTTP/1.1\r\n" + field + b"\r\n\r\n")
    assert status == 400
    assert b"header" in said
    assert logged == []


def test_a_line_that_ends_without_cr_is_refused_at_once(server: PatientServer) -> None:
    assert asked(server, b"GET / HTTP/1.1\nHost: x\n")[0] == 400


def test_a_tls_hello_is_refused_in_http_at_once(server: PatientServer) -> None:
    status, said = asked(server, bytes.fromhex("160301020001000001fc0303") + b"\x01" * 32)
    assert status == 400
    assert b"not HTTPS" in said


def test_a_head_that_does_not_come_is_answered_with_408(server: PatientServer) -> None:
    server.head_seconds = 0.05
    with connect(server) as silent, connect(server) as late:
        late.sendall(b"GET / HTTP/1.1\r\nHos")
        assert answer_on(late)[0] == 408
        silent.sendall(GET)  # who has begun no request may still begin one
        assert answer_on(silent) == (200, b"/here ")


def test_a_head_without_an_end_is_refused(server: PatientServer) -> None:
    with connect(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert client.recv(12) in (b"HTTP/1.1 413", b"HTTP/1.1 400", b"")


def test_the_longest_unfinished_head_makes_room_for_others(
    server: PatientServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "MOST_WAITING", 3)
    with ExitStack() as slow:
        clients = [slow.enter_context(connect(server)) for _ in range(5)]
        for client in clients:
            client.sendall(b"GET")
            assert asked(server)[0] == 200  # so that the server has seen what was sent
        for client in clients[:2]:
            answer = client.recv(100)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
        for client in clients[2:]:
            client.sendall(b" /kept HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_on(client) == (200, b"/kept ")


def test_only_its_owner_can_use_a_unix_socket(tmp_path: Path) -> None:
    made = PatientServer(str(tmp_path / "socket"), echo, 1, 1)
    made.prepare()
    try:
        assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
    finally:
        made.stop()
