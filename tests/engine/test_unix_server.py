"""Malformed, slow and many clients on the engine's socket; and what an earlier engine left."""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.folders import fresh_folder
from labs_helpers.engine.glob import BadPattern, Glob
from labs_helpers.engine.unix_server import IS_GONE, UnixServer
from labs_helpers.runtime.folders import remove_folder
from tests.engine.engine_room import Room, running


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running(tmp_path_factory.mktemp("hub")) as found:
        yield found


def _connect(room: Room) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(str(room.socket))
    return client


def _status(client: socket.socket) -> int:
    with client, client.makefile("rb") as answer:
        return int(answer.readline().split()[1])


CHUNKED = "Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /_ping HTTP/1.1\r\n Host: d\r\n\r\n",
        "GET /_ping HTTP/1.1\r\n\tHost: d\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nHost\r\n\r\n",
        "GET http://[::1/_ping HTTP/1.1\r\nHost: d\r\n\r\n",
        "POST /auth HTTP/1.1\r\nHost: d\r\nContent-Length: -5\r\n\r\n",
        "POST /auth HTTP/1.1\r\nHost: d\r\nContent-Length: 5x\r\n\r\n",
        *(
            f"POST {path} HTTP/1.1\r\nHost: d\r\n{CHUNKED}{body}"
            for path in ("/auth", "/build", "/images/create?fromSrc=-", "/images/prune")
            for body in ("zz\r\nhello\r\n", "-5\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "\r\n\r\n")
        ),
    ],
)
def test_a_malformed_request_is_a_400(room: Room, request_text: str) -> None:
    """Reported as D5, D9."""
    client = _connect(room)
    client.sendall(request_text.encode())
    client.shutdown(socket.SHUT_WR)
    assert _status(client) == 400


@pytest.mark.parametrize("path", ["/auth", "/build", "/images/prune"])
def test_a_body_that_ends_early_is_a_400(room: Room, path: str) -> None:
    """Reported as D9."""
    client = _connect(room)
    client.sendall(f"POST {path} HTTP/1.1\r\nHost: d\r\nContent-Length: 99\r\n\r\n{{".encode())
    client.shutdown(socket.SHUT_WR)
    assert _status(client) == 400


def test_many_clients_at_once_are_all_answered(room: Room) -> None:
    """Reported as D8."""
    clients = [_connect(room) for _ in range(180)]
    for client in clients:
        client.sendall(b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
    assert {_status(client) for client in clients} == {200}


def test_half_sent_requests_keep_out_nobody(room: Room) -> None:
    """Reported as D10."""
    slow = [_connect(room) for _ in range(300)]
    for client in slow:
        client.sendall(b"GET /_ping HTTP/1.1\r\nHos")
    assert room.ask("GET", "/_ping").status == 200
    for client in slow:
        client.close()


def test_a_head_that_does_not_come_ends_with_408(room: Room) -> None:
    server = room.server
    assert isinstance(server, UnixServer)
    before, server.head_seconds = server.head_seconds, 0.05
    try:
        client = _connect(room)
        client.sendall(b"GET /_ping HTTP/1.1\r\nHos")
        assert _status(client) == 408
    finally:
        server.head_seconds = before


def _deep(parent: Path, depth: int) -> Path:
    """A folder that no path leads to the end of, with a closed folder in the middle."""
    top = parent / "deep"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(depth):
        os.mkdir("d" * 50, dir_fd=here)
        inner = os.open("d" * 50, os.O_RDONLY, dir_fd=here)
        if number == depth // 2:
            os.chmod("d" * 50, 0, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    return top


def test_a_folder_deeper_than_a_path_can_be_is_removed(tmp_path: Path) -> None:
    """Reported as D4."""
    top = _deep(tmp_path, 1500)
    (top / "link").symlink_to(tmp_path)
    remove_folder(top)
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_process_left_is_removed(tmp_path: Path) -> None:
    _deep(tmp_path, 1500).rename(tmp_path / "scratch-left")
    found = fresh_folder(tmp_path, "scratch")
    assert list(tmp_path.iterdir()) == [found]


def test_what_cannot_be_removed_stops_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Reported as D4."""
    left = tmp_path / "scratch-left"
    left.mkdir()
    monkeypatch.setattr(Path, "rmdir", _refuse)
    found = fresh_folder(tmp_path, "scratch")
    assert found.is_dir()
    assert f"{left}, from an earlier process, cannot be removed" in caplog.text


def _refuse(path: Path) -> None:
    raise PermissionError(13, "Permission denied", str(path))


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*a*a*a*a*a*a*a*a*a*b", "a" * 250, False),
        ("*a*a*a*a*a*a*a*a*a*b", "a" * 250 + "b", True),
        ("a*c", "abc", True),
        ("a*c", "ab/c", False),
        ("*/c", "ab/c", True),
        ("?", "/", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        # only * and ? pass over a slash: a class does not (matchChunk of Go's path/match.go)
        ("[^a]", "/", True),
        (r"\*x", "*x", True),
        (r"\*x", "ax", False),
        ("", "", True),
        ("*", "", True),
        ("ab", "a", False),
    ],
)
def test_a_pattern_matches_as_in_go(pattern: str, name: str, matches: bool) -> None:
    assert Glob(pattern).matches(name) is matches


@pytest.mark.parametrize("pattern", ["[", "[]a]", "[-x]", "[x-]", "[a-b-c]", "a\\", "[a"])
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Glob(pattern)


def test_a_listing_with_a_pattern_of_many_stars_is_answered(room: Room) -> None:
    """Reported as D11."""
    filters = '{"reference":["%s"]}' % ("*a" * 40 + "*b")
    assert room.ask("GET", f"/images/json?filters={filters}").json() == []


@pytest.mark.parametrize("closes", [True, False])
def test_an_operation_can_ask_whether_its_client_has_gone(tmp_path: Path, closes: bool) -> None:
    entered, let_go, said = threading.Event(), threading.Event(), queue.Queue[bool]()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        entered.set()
        let_go.wait(20)
        said.put(environ[IS_GONE]())
        start_response("200 OK", [])
        return []

    server = UnixServer(tmp_path / "s", app)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(tmp_path / "s"))
            client.sendall(b"GET / HTTP/1.1\r\nHost: d\r\n\r\n")
            assert entered.wait(20)
            if closes:
                client.close()
            else:
                client.shutdown(socket.SHUT_WR)
            let_go.set()
            assert said.get(timeout=20) is closes
    finally:
        let_go.set()
        server.stop()
