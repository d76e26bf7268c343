"""HTTP over a unix socket: what is sent, and what is read when a server refuses early."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers.runtime.unix_http import UnixConnection, error_message, exchange


@contextmanager
def server(response: bytes, read_body: bool) -> Iterator[tuple[Path, list[bytes]]]:
    """A server that answers one request, having read all of it or its headers only."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as client:
            data = b""
            end = b"\r\n0\r\n\r\n" if read_body else b"\r\n\r\n"
            while end not in data:
                data += client.recv(65536)
            requests.append(data)
            client.sendall(response)
            # takes no more, and empties its buffer: the kernel would reset the connection
            client.shutdown(socket.SHUT_RDWR)
            while client.recv(65536):
                pass

    # the path of a socket may have 107 bytes
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder, "s")
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield path, requests
        thread.join()


def test_a_body_in_parts_is_sent_chunked() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
    with server(response, read_body=True) as (path, requests):
        connection = UnixConnection(path, timeout=20)
        answer = exchange(connection, "POST", "/build?t=a", {"X-A": "b"}, iter([b"one", b"two"]))
        assert (answer.status, answer.read()) == (200, b"OK")
        connection.close()
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /build?t=a HTTP/1.1\r\n")
    assert b"X-A: b" in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_a_refusal_is_read_although_the_body_was_not() -> None:
    response = b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{"message":"no"}'
    with server(response, read_body=False) as (path, _):
        connection = UnixConnection(path, timeout=20)
        answer = exchange(connection, "POST", "/build", None, iter([bytes(65536)] * 1000))
        assert (answer.status, error_message(answer.read())) == (400, "no")
        connection.close()


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        exchange(UnixConnection(tmp_path / "s"), "GET", "/_ping")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"no such image"}', "no such image"),
        (b" plain text\n", "plain text"),
        (b"[1]", "[1]"),
        (b"5", "5"),
        (b'{"error":1}', '{"error":1}'),
        (b'{"message":null}', '{"message":null}'),
        (b"\xff", "\ufffd"),
        (b"", ""),
    ],
)
def test_an_error_has_the_message_of_its_json_or_its_text(body: bytes, message: str) -> None:
    assert error_message(body) == message
