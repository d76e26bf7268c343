"""What goes wrong in and around containers: Docker's words and statuses, and nothing left."""

from __future__ import annotations

import io
import os
import platform
import shutil
import socket
import struct
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from labs_helpers.engine.containers.keeper.logfile import LARGEST
from tests.deadline import until
from tests.engine.containers.conftest import load_box, own_engine

MANY = 50


def test_an_image_of_another_architecture(client: Any) -> None:
    other, machine = ("arm64", 183) if platform.machine() == "x86_64" else ("amd64", 62)
    # the head of an ELF file for the other machine
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, machine, 1) + bytes(40)
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, mode, content in (
            ("Dockerfile", 0o644, b'FROM scratch\nCOPY program /\nCMD ["/program"]\n'),
            ("program", 0o755, program),
        ):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    context.seek(0)
    client.images.build(
        fileobj=context, custom_context=True, platform=f"linux/{other}", tag="other"
    )
    with pytest.raises(docker.errors.APIError) as refused:
        client.containers.run("other", remove=True)
    said = refused.value.explanation
    assert "exec /program: exec format error" in said
    assert f"the image is for linux/{other} and this machine is linux/" in said
    for left in client.containers.list(all=True):
        assert (left.status, left.attrs["State"]["ExitCode"]) == ("created", 126)
        left.remove()


def test_a_program_that_the_machine_kills_has_status_137(client: Any) -> None:
    # as the kernel's OOM killer does
    found = client.containers.run("box", ["sleep", "600"], detach=True)
    psutil.Process(client.api.inspect_container(found.id)["State"]["Pid"]).kill()
    assert found.wait()["StatusCode"] == 137
    found.remove()


def test_a_fork_bomb_ends_at_the_limit(client: Any) -> None:
    script = "(for i in $(seq 200); do sleep 60 & done); exec sleep 60"
    found = client.containers.run("box", ["sh", "-c", script], pids_limit=50, detach=True)
    until(lambda: b"can't fork" in found.logs())
    # the kernel counts a process a moment longer than it is listed
    assert 40 <= len(client.api.top(found.id)["Processes"]) <= 55
    # the limit holds for what joins later, too
    try:
        said = found.exec_run(["sh", "-c", "sleep 1 & wait; echo joined"]).output
    except docker.errors.APIError as error:
        said = error.explanation.encode()
    assert b"joined" not in said
    found.remove(force=True)
    assert client.containers.run("box", ["echo", "fine"], remove=True) == b"fine\n"


def test_what_an_exec_leaves_in_the_background_holds_nothing_up(client: Any) -> None:
    found = client.containers.run("box", ["sleep", "600"], detach=True)
    assert found.exec_run(["sh", "-c", "yes & exit 3"]).exit_code == 3
    assert client.containers.run("box", ["echo", "fine"], remove=True) == b"fine\n"
    found.remove(force=True)


def test_a_port_that_a_program_of_this_machine_has(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(docker.errors.APIError) as refused:
            client.containers.run("box", ["true"], ports={"80/tcp": port}, name="late")
    said = refused.value.explanation
    assert f"failed to bind host port 127.0.0.1:{port}/tcp: address already in use" in said
    late = client.containers.get("late")
    if Path(late.attrs["LogPath"]).parent.stat().st_uid == os.geteuid():
        # an ordinary user may not see who has the ports of others
        assert f"by process {os.getpid()} (" in said
    late.remove()


def test_the_engine_s_own_folder_is_no_volume(client: Any) -> None:
    place = client.volumes.create("own").attrs["Mountpoint"]
    for source in (place, f"{place}/../../..", str(Path(place).parents[2])):
        with pytest.raises(docker.errors.APIError, match=r"mounts denied: .* own folder"):
            client.containers.create("box", ["true"], volumes=[f"{source}:/x"])
    mount = docker.types.Mount("/x", "/no/such", type="bind")
    with pytest.raises(docker.errors.APIError, match="bind source path does not exist: /no/such"):
        client.containers.create("box", ["true"], mounts=[mount])
    client.volumes.get("own").remove()


def test_the_engine_s_socket_can_be_mounted_as_docker_s_can(client: Any) -> None:
    (socket,) = [
        one
        for folder in Path(client.volumes.create("own").attrs["Mountpoint"]).parents
        for one in folder.glob("*.sock")
    ][:1]
    made = client.containers.create("box", ["true"], volumes=[f"{socket}:/var/run/docker.sock"])
    assert made.attrs["Mounts"][0]["Source"] == str(socket)
    made.remove()
    client.volumes.get("own").remove()


@pytest.mark.parametrize("many", ["9" * 25, "9" * 5000])
def test_a_number_of_lines_that_fits_into_nothing_shows_all(client: Any, many: str) -> None:
    found = client.containers.run("box", ["echo", "fine"], detach=True)
    found.wait()
    answer = client.api.get(client.api._url(f"/containers/{found.id}/logs?stdout=1&tail={many}"))
    assert answer.content.endswith(b"fine\n")
    listed = client.api.get(client.api._url(f"/containers/json?limit={many}"))
    assert (listed.status_code, "value out of range" in listed.json()["message"]) == (400, True)
    found.remove()


def test_a_name_longer_than_a_message_is_said_and_cut(client: Any) -> None:
    for words, folder in ((["/" + "x" * 100_000], "/"), (["true"], "/" + "a/" * 2000)):
        found = client.containers.create("box", words, working_dir=folder)
        with pytest.raises(docker.errors.APIError, match="file name too long"):
            found.start()
        found.remove()


def test_a_flood_of_logs_is_rotated(client: Any) -> None:
    script = "yes $(seq -s, 900) | head -c 25000000"
    found = client.containers.run("box", ["sh", "-c", script], detach=True)
    assert found.wait()["StatusCode"] == 0
    assert found.logs(tail=1).startswith(b"1,2,3")
    log = Path(client.api.inspect_container(found.id)["LogPath"])
    sizes = [place.stat().st_size for place in log.parent.glob("log*")]
    assert len(sizes) == 2
    assert max(sizes) <= LARGEST
    found.remove()


def test_many_at_once(client: Any) -> None:
    with ThreadPoolExecutor(10) as threads:
        made = list(
            threads.map(
                lambda _: client.containers.run("box", ["sleep", "600"], detach=True), range(MANY)
            )
        )
    assert len(client.containers.list()) == MANY
    pids = [client.api.inspect_container(each.id)["State"]["Pid"] for each in made]
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda each: each.remove(force=True), made))
    assert client.containers.list(all=True) == []
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.fixture
def full_disk() -> Iterator[Path]:
    """A file system of 24 MB."""
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", folder], capture_output=True, check=False
    )
    if made.returncode:
        folder.rmdir()
        pytest.skip("only root can mount a file system")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def test_a_full_disk_is_said_and_nothing_is_lost(full_disk: Path) -> None:
    with own_engine(full_disk) as place:
        client: Any = docker.DockerClient(base_url=f"unix://{place}", timeout=120)
        load_box(client)
        before = client.containers.create("box", ["echo", "kept"])

        def fill(command: str) -> Any:
            """A container whose command begins once the engine has written that it runs."""
            script = f"until test -e /go; do sleep 0.01; done; {command}"
            made = client.containers.run("box", ["sh", "-c", script], detach=True)
            made.exec_run(["touch", "/go"])
            return made

        first = fill("cp /dev/zero /big")
        assert first.wait()["StatusCode"] == 1
        first.remove()
        filler = fill("cat /dev/zero > /big")
        filler.wait()
        assert shutil.disk_usage(full_disk).free < 1_000_000
        # what is there can be looked at, and removed, which makes space
        assert {each.id for each in client.containers.list(all=True)} == {before.id, filler.id}
        filler.remove()
        before.start()
        before.wait()
        assert before.logs() == b"kept\n"
        before.remove()
        client.close()
