"""An isolated client of the front: what reaches the daemon behind the front."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runtime import isolated

from .fake_daemon import Fake, document, fake_daemon, read_exactly, read_head

OWN, OTHERS = "a" * 64, "b" * 64
ASK = """
import http.client, json, socket, sys
sys.stdin.readline()
for method, path, body in json.loads(sys.argv[2]):
    one = http.client.HTTPConnection("d", timeout=60)
    one.sock = socket.socket(socket.AF_UNIX)
    one.sock.connect(sys.argv[1])
    one.request(method, path, None if body is None else json.dumps(body))
    answer = one.getresponse()
    print(json.dumps([answer.status, answer.read().decode()]))
"""


class Daemon:
    """Answers what a client may ask, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            line = head.split(b" HTTP/1.1")[0].decode()
            self.asked.append((line, self._body(connection, head)))
            connection.sendall(self._answer(line))

    def _body(self, connection: socket.socket, head: bytes) -> Any:
        if length := re.search(rb"Content-Length: (\d+)", head):
            return json.loads(read_exactly(connection, int(length[1])) or b"null")
        if b"chunked" not in head:
            return None
        data = b""
        while size := int(read_head_line(connection), 16):
            data += read_exactly(connection, size + 2)[:-2]
        read_exactly(connection, 2)
        return json.loads(data)

    def _answer(self, line: str) -> bytes:
        if "/containers/create" in line:
            return document(201, {"Id": OWN, "Warnings": []})
        for name in (OWN, OTHERS):
            if f"/containers/{name}/json" in line:
                return document(200, {"Id": name})
        if line.startswith("GET /images/"):
            return document(404, {"message": "no such image"})
        return document(200, [])


def read_head_line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\r\n"):
        data += read_exactly(connection, 1)
    return data


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def fake(daemon: Daemon) -> Iterator[Fake]:
    with fake_daemon() as found:
        found.script = daemon
        yield found


def ask(fake: Fake, *requests: tuple[str, str, Any]) -> list[tuple[int, str]]:
    """What the front answers to a program with the mark."""
    command = [sys.executable, "-I", "-c", ASK, str(fake.folder / "d.sock"), json.dumps(requests)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        isolated.mark(process.pid, isolated.OF_NO_BUILD)
        said, _ = process.communicate(b"\n", timeout=60)
    return [tuple(json.loads(line)) for line in said.splitlines()]


def test_no_folder_and_no_right_of_the_machine_reaches_the_daemon(
    fake: Fake, daemon: Daemon
) -> None:
    hosts: list[dict[str, Any]] = [
        {"Binds": [f"{Path.home()}:/h"]},
        {"Privileged": True},
        {"NetworkMode": "host"},
    ]
    requests = [("POST", "/v1.47/containers/create", {"HostConfig": host}) for host in hosts]
    answers = ask(fake, *requests, ("POST", "/v1.47/volumes/create", {"Name": "x"}))
    assert [status for status, _ in answers] == [403] * 4
    named = ("-v", "--privileged", "--network host", "POST /volumes")
    for (_, message), each in zip(answers, named, strict=True):
        assert f"refuses {each}" in message
    assert daemon.asked == []


def test_a_setting_said_twice_is_the_setting_that_was_looked_at(fake: Fake, daemon: Daemon) -> None:
    ask(fake, ("POST", "/containers/create?name=x", {"Image": "box", "HostConfig": {"Init": True}}))
    line, body = next(each for each in daemon.asked if "create" in each[0])
    assert line == "POST /v1.47/containers/create?name=x"
    assert body["HostConfig"] == {"Init": True, "Binds": None, "Mounts": []}


def test_an_isolated_client_uses_its_own_containers_only(fake: Fake, daemon: Daemon) -> None:
    answers = ask(
        fake,
        ("POST", "/containers/create", {"Image": "box"}),
        ("POST", f"/containers/{OWN}/start", None),
        ("POST", f"/containers/{OTHERS}/start", None),
        ("DELETE", f"/containers/{OTHERS}", None),
        ("POST", f"/containers/{OWN}/exec", {"Cmd": ["true"], "Privileged": True}),
        ("POST", f"/containers/{OWN}/start", {"Binds": ["/:/h"]}),
        ("GET", "/containers/json?all=1", None),
    )
    assert [status for status, _ in answers] == [201, 200, 404, 404, 403, 403, 200]
    sent = [line for line, _ in daemon.asked if not line.endswith("/json")]
    assert f"POST /containers/{OWN}/start" in sent
    assert not any(OTHERS in line or "exec" in line for line in sent)
    assert OWN in sent[-1]
    assert sent[-1].startswith("GET /containers/json?all=1&filters=")


def test_the_learner_asks_the_daemon_for_everything(fake: Fake, daemon: Daemon) -> None:
    body = json.dumps({"HostConfig": {"Binds": [f"{os.sep}:/h"]}}).encode()
    head = f"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n"
    with fake.client() as client:
        client.sendall(head.encode() + body)
        assert read_head(client).startswith(b"HTTP/1.1 201")
