"""Containers of the embedded engine, through the Docker SDK."""

from __future__ import annotations

import io
import shutil
import socket
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from labs_helpers.engine.server import EngineServer, make_server
from tests.engine.engine_room import require


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    require("busybox")
    folder = tmp_path_factory.mktemp("e")
    made = make_server(folder / "d.sock", folder / "state", None)
    made.prepare()
    serving = threading.Thread(target=made.serve)
    serving.start()
    yield made
    made.stop()
    serving.join()


@pytest.fixture(scope="module")
def client(server: EngineServer) -> Iterator[Any]:
    found = docker.DockerClient(base_url=f"unix://{server.bind_addr}")
    busybox = shutil.which("busybox")
    assert busybox
    found.api.import_image_from_data(
        _tar(Path(busybox).read_bytes()), "box", changes=["ENV PATH=/bin"]
    )
    yield found
    found.close()


def _tar(busybox: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("bin/busybox")
        member.size, member.mode = len(busybox), 0o755
        archive.addfile(member, io.BytesIO(busybox))
        for name in ("sh", "cat", "httpd", "sleep", "id", "mkdir", "echo", "touch", "kill"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()


def test_output_and_status(client: Any) -> None:
    found = client.containers.create("box", ["sh", "-c", "echo out; echo err >&2; exit 3"])
    found.start()
    assert found.wait()["StatusCode"] == 3
    assert (found.logs(stderr=False), found.logs(stdout=False)) == (b"out\n", b"err\n")
    found.remove()


def test_a_published_port_leads_into_the_container(client: Any) -> None:
    found = client.containers.run(
        "box",
        ["sh", "-c", "mkdir /www; echo page > /www/index.html; httpd -f -p 80 -h /www"],
        ports={"80/tcp": None},
        detach=True,
    )
    found.reload()
    port = found.ports["80/tcp"][0]["HostPort"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "*")
        for _ in range(200):
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/").read()
                break
            except OSError:
                continue
    assert page == b"page\n"
    found.remove(force=True)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(port))):
        pass


def test_a_port_that_a_container_has_is_refused_with_the_name(client: Any) -> None:
    first = client.containers.run(
        "box", ["sleep", "60"], name="first", ports={"80/tcp": None}, detach=True
    )
    first.reload()
    port = int(first.ports["80/tcp"][0]["HostPort"])
    with pytest.raises(
        docker.errors.APIError, match='port is already allocated, by container "first"'
    ):
        client.containers.run("box", ["sleep", "60"], ports={"80/tcp": port}, name="second")
    client.containers.get("second").remove()
    first.remove(force=True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["nosuch"], r'exec: "nosuch": executable file not found in \$PATH'),
        (["/bin"], 'exec: "/bin": is a directory'),
        (["/nosuch"], 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    ],
)
def test_a_program_that_cannot_run(client: Any, command: list[str], words: str) -> None:
    with pytest.raises(docker.errors.APIError, match=words):
        client.containers.run("box", command, remove=True)


def test_a_container_sees_its_own_processes_only(client: Any) -> None:
    listed = client.containers.run("box", ["sh", "-c", "echo /proc/[0-9]*"], remove=True)
    assert listed == b"/proc/1\n"


def test_exec_joins_the_container(client: Any) -> None:
    found = client.containers.run("box", ["sh", "-c", "touch /here; sleep 60"], detach=True)
    while found.exec_run(["cat", "/here"]).exit_code:
        pass
    assert found.exec_run(["sh", "-c", "echo $PPID; exit 4"]).exit_code == 4
    found.remove(force=True)


def test_what_is_not_done_is_refused_by_name(client: Any) -> None:
    with pytest.raises(docker.errors.APIError, match=r"refuses HostConfig\.Memory=67108864"):
        client.containers.create("box", ["id"], mem_limit="64m")
    with pytest.raises(docker.errors.APIError, match=r"refuses HostConfig\.Privileged=True"):
        client.containers.create("box", ["id"], privileged=True)
