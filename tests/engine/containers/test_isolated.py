"""A program of a container or a RUN that reaches the engine's socket, in each kind of isolation."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.containers.conftest import client_of, run

ASK = """
import http.client, json, socket, sys
def ask(method, path, body=None):
    one = http.client.HTTPConnection("d", timeout=60)
    one.sock = socket.socket(socket.AF_UNIX)
    one.sock.connect(sys.argv[1])
    one.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answer = one.getresponse()
    return answer.status, answer.read().decode().strip()
settings = {"Image": "box", "Cmd": ["cat", "/h/secret"]}
settings["HostConfig"] = {"Binds": [sys.argv[2] + ":/h"]}
print(*ask("POST", "/containers/create", settings))
print(*ask("POST", "/containers/mine/exec", {"Cmd": ["cat", "/h/secret"]}))
print(*ask("GET", "/images/json"))
"""
SYSTEM = ("/usr", "/lib", "/lib64")


@pytest.fixture(scope="module", params=["own", "nobody", "proot"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_of(request.param) as found:
        yield found


def test_a_container_with_the_socket_gets_no_more_than_it_has(client: Any) -> None:
    engine = Path(client.api.adapters["http+docker://"].socket_path)
    shown = {path: {"bind": path, "mode": "rw"} for path in SYSTEM}
    shown[str(engine)] = {"bind": str(engine), "mode": "rw"}
    mine = client.containers.run("box", ["sleep", "600"], detach=True, name="mine")
    try:
        found = client.containers.run(
            "box",
            ["/usr/bin/python3", "-I", "-c", ASK, str(engine), str(engine.parent)],
            volumes=shown,
            remove=True,
        )
    finally:
        mine.remove(force=True)
    create, execute, images = found.decode().splitlines()
    assert create.startswith("403 ")
    assert f"-v {engine.parent}" in create
    assert "docker cp copies files" in create
    assert execute == '404 {"message":"No such container: mine"}'
    assert images == "200 []"


def test_a_run_has_the_mark_of_a_container(client: Any) -> None:
    dockerfile = b"FROM box\nRUN cat /proc/self/limits\n"
    _, lines = client.images.build(fileobj=io.BytesIO(dockerfile), nocache=True, rm=True)
    in_build = "".join(line.get("stream", "") for line in lines)
    in_container = run(client, "cat /proc/self/limits")
    mark = next(each for each in in_container.splitlines() if each.endswith("locks     "))
    assert "unlimited" not in mark
    assert mark in in_build.splitlines()
