"""Bytes pass through the front unchanged, in both directions."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator

import pytest

from .fake_daemon import Fake, document, fake_daemon, read_exactly, read_head


@pytest.fixture
def fake() -> Iterator[Fake]:
    with fake_daemon() as found:
        yield found


def asked(fake: Fake, request: bytes, answer: bytes, *, body: int = 0) -> tuple[bytes, bytes]:
    """Send a request; return the bytes that the daemon got, and those that the client got."""
    seen = []

    def script(connection: socket.socket) -> None:
        seen.append(read_head(connection) + read_exactly(connection, body))
        connection.sendall(answer)

    fake.script = script
    with fake.client() as client:
        client.sendall(request)
        got = read_exactly(client, len(answer))
    return seen[0], got


def test_the_socket_is_its_owners_alone(fake: Fake) -> None:
    for name in ("d.sock", "engine/own.sock"):
        assert stat.S_IMODE((fake.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((fake.folder / "engine").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /v1.50/containers/json?all=1 HTTP/1.1\r\nhOsT: x\r\nX-odd:   y  \r\n\r\n",
        b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n",
        b"POST /images/quay.io/x/y/push?tag=v1 HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n",
        b"POST /images/create?fromImage=quay.io/x/y HTTP/1.1\r\nHost: d\r\n\r\n",
        b"GET /distribution/quay.io/x/json HTTP/1.1\r\nHost: d\r\n\r\n",
        b"DELETE /images/a%2Fb HTTP/1.1\r\nHost: d\r\n\r\n",
    ],
)
def test_a_request_and_its_answer_keep_every_byte(fake: Fake, request_: bytes) -> None:
    answer = b"HTTP/1.1 204 No  Content\r\nServer:  odd\r\nX-A: 1\r\nx-a: 2\r\n\r\n"
    assert asked(fake, request_, answer) == (request_, answer)


def test_bodies_keep_their_chunks_extensions_and_trailers(fake: Fake) -> None:
    chunks = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n"
    head = b"POST /containers/x/archive HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert asked(fake, head + chunks, answer, body=len(chunks)) == (head + chunks, answer)


def test_a_head_request_has_no_body_whatever_its_length_says(fake: Fake) -> None:
    def script(connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")

    fake.script = script
    with fake.client() as client:
        for _ in range(2):
            client.sendall(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n")
            assert read_head(client).startswith(b"HTTP/1.1 200")


def test_requests_of_a_client_share_a_connection_and_may_come_early(fake: Fake) -> None:
    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            connection.sendall(document(200, head.split()[1].decode()))

    fake.script = script
    before = fake.connections
    with fake.client() as client:
        client.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: d\r\n\r\n" % n for n in range(3)))
        for number in range(3):
            read_head(client)
            assert read_exactly(client, 4) == b'"/%d"' % number
    assert fake.connections == before + 1


def test_an_interim_answer_is_passed_on(fake: Fake) -> None:
    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert read_exactly(connection, 4) == b"body"
        connection.sendall(document(200, 1))

    fake.script = script
    with fake.client() as client:
        client.sendall(
            b"POST /x HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert read_head(client) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert read_head(client).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        # docker run and exec
        (
            b"POST /containers/x/attach?stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\n"
            b"Upgrade: tcp\r\n\r\n",
            b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        ),
        # BuildKit
        (
            b"POST /session HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        ),
        # clients older than Docker 1.9
        (
            b"POST /containers/x/attach?stream=1 HTTP/1.1\r\nHost: d\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
        ),
    ],
)
def test_a_connection_that_changes_its_protocol_is_a_tunnel(
    fake: Fake, request_: bytes, answer: bytes
) -> None:
    up, down = os.urandom(3_000_000), os.urandom(3_000_000)

    def script(connection: socket.socket) -> None:
        assert read_head(connection) == request_
        connection.sendall(answer)
        # send and receive at once, more than any buffer holds
        sending = threading.Thread(target=connection.sendall, args=(down,))
        sending.start()
        assert read_exactly(connection, len(up)) == up
        sending.join()
        # the client has closed its direction only: the other direction still works
        assert connection.recv(1) == b""
        connection.sendall(b"last words")

    fake.script = script
    with fake.client() as client:
        client.sendall(request_)
        assert read_head(client) == answer
        sending = threading.Thread(target=client.sendall, args=(up,))
        sending.start()
        assert read_exactly(client, len(down)) == down
        sending.join()
        client.shutdown(socket.SHUT_WR)
        assert read_exactly(client, 100) == b"last words"


def test_a_stream_arrives_as_it_is_sent_and_ends_when_the_client_goes(fake: Fake) -> None:
    ended = threading.Event()
    go_on = threading.Event()

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"2\r\n{}\r\n")
        go_on.wait(20)
        connection.sendall(b"3\r\n{1}\r\n")
        assert connection.recv(1) == b""
        ended.set()

    fake.script = script
    with fake.client() as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: d\r\n\r\n")
        read_head(client)
        assert read_exactly(client, 7) == b"2\r\n{}\r\n"
        go_on.set()
        assert read_exactly(client, 8) == b"3\r\n{1}\r\n"
    assert ended.wait(20)


def test_a_refusal_before_the_body_is_through_is_seen_by_who_sends_it_all(fake: Fake) -> None:
    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(document(400, {"message": "no"}))

    fake.script = script
    with fake.client() as client:
        length = 8_000_000
        client.sendall(b"POST /x HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % length)
        client.sendall(bytes(length))
        assert read_head(client).startswith(b"HTTP/1.1 400")


def test_a_daemon_that_has_gone_is_named_with_what_to_do(fake: Fake) -> None:
    fake.socket.unlink()
    with fake.client() as client:
        client.sendall(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
        assert read_head(client).startswith(b"HTTP/1.1 503")
        # the connection stays open: the daemon may be back for the next request
        client.sendall(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
    with fake.client() as client:
        client.sendall(b"GET /info HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        read_head(client)
        message = json.loads(client.recv(10_000))["message"]
    assert f"does not reach the daemon at unix://{fake.socket}: No such file" in message
    assert "LABS_ENGINE=embedded labs start" in message


def test_the_front_s_own_part_says_the_same_of_a_daemon_that_has_gone(fake: Fake) -> None:
    registries = {"hosts": [{"pattern": "r.example", "address": "http://127.0.0.1:1"}]}
    (fake.folder / "registries.json").write_text(json.dumps(registries))
    fake.socket.unlink()
    with fake.client() as client:
        client.sendall(b"POST /images/r.example/x/push?tag=1 HTTP/1.1\r\nHost: d\r\n\r\n")
        said = b""
        while not said.endswith(b"\r\n0\r\n\r\n"):
            said += client.recv(10_000)
    assert f"does not reach the daemon at unix://{fake.socket}: No such file".encode() in said
    assert b"LABS_ENGINE=embedded labs start" in said


def test_a_login_is_refused_when_the_list_of_registries_cannot_be_read(fake: Fake) -> None:
    (fake.folder / "registries.json").write_text("{")
    with fake.client() as client:
        for _ in range(2):
            client.sendall(b"POST /auth HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n{}")
            head = read_head(client)
            assert head.startswith(b"HTTP/1.1 500")
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            message = json.loads(read_exactly(client, length))["message"]
            assert message.startswith("the engine's list of registries registries.json cannot be")


@pytest.mark.parametrize(
    ("there", "head", "status"),
    [
        (False, b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n", b"503"),
        (True, b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n", b"502"),
        (True, b"HEAD /_ping HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
    ],
)
def test_what_the_front_tells_a_head_request_has_no_body(
    fake: Fake, there: bool, head: bytes, status: bytes
) -> None:
    fake.script = lambda connection: None
    if not there:
        fake.socket.unlink()
    with fake.client() as client:
        client.sendall(head)
        assert read_head(client).startswith(b"HTTP/1.1 " + status)
        client.shutdown(socket.SHUT_WR)
        # docker would print each byte of a body as an "unsolicited response"
        assert client.recv(1) == b""


def test_a_daemon_that_closes_without_an_answer(fake: Fake) -> None:
    fake.script = lambda connection: None
    with fake.client() as client:
        client.sendall(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
        assert read_head(client).startswith(b"HTTP/1.1 502")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello TLS\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_does_not_reach_the_daemon(
    fake: Fake, nonsense: bytes
) -> None:
    before = fake.connections
    with fake.client() as client:
        client.sendall(nonsense)
        assert read_head(client).startswith(b"HTTP/1.1 400")
    assert fake.connections == before
