"""Engines that run containers: of this process's user, and of an ordinary user."""

from __future__ import annotations

import io
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest

from labs_helpers.engine.machine import NAMESPACES, isolation
from labs_helpers.engine.subordinate import ranges
from tests.deadline import deadline
from tests.engine.containers.as_nobody import NOBODY
from tests.engine.engine_room import require

APPLETS = [
    *("sh", "cat", "httpd", "sleep", "id", "mkdir", "echo", "touch", "kill", "ls", "mount", "ln"),
    *("chmod", "mknod", "rm", "test", "nc", "head", "wget", "ps", "chroot", "stat", "cp", "seq"),
    *("yes", "true", "unshare", "chown", "readlink", "tr", "grep", "stty"),
]

CANNOT_RUN = [
    (["nosuch"], r'exec: "nosuch": executable file not found in \$PATH'),
    (["/bin"], 'exec: "/bin": is a directory'),
    (["/bin/data"], 'exec: "/bin/data": permission denied'),
    (["/nosuch"], 'exec: "/nosuch": stat /nosuch: no such file or directory'),
]
"""Commands that cannot run in ``box``, and the words of the refusal."""


@contextmanager
def own_engine(folder: Path, **variables: str) -> Iterator[Path]:
    """The socket of an engine of this process's user, in a folder."""
    socket = folder / "d.sock"
    command = [sys.executable, "-m", "labs_helpers.engine", "--socket", str(socket)]
    process = subprocess.Popen(
        [*command, "--state", str(folder / "state")],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        for line in process.stderr:
            if "serves on" in line:
                break
        yield socket
    finally:
        process.terminate()
        process.communicate(timeout=60)


def user_with_range() -> int:
    """An ordinary user of this machine to whom /etc/subuid and /etc/subgid give more users."""
    require("newuidmap")
    for user in pwd.getpwall():
        names = frozenset({user.pw_name, str(user.pw_uid)})
        if user.pw_uid and all(ranges(Path(f"/etc/sub{kind}id"), names) for kind in "ug"):
            return user.pw_uid
    if os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
        pytest.fail("/etc/subuid and /etc/subgid name no user of this machine")
    return pytest.skip("/etc/subuid and /etc/subgid name no user of this machine")


@contextmanager
def _users_engine(folder: Path, uid: int, **variables: str) -> Iterator[Path]:
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("no python3 that other users may run")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.containers.as_nobody", str(folder), str(uid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OPEN_PYTHON": python, **variables},
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield folder / "engine/d.sock"
    finally:
        process.communicate(timeout=60)


@contextmanager
def engine(kind: str) -> Iterator[Path]:
    """The socket of an engine: "own", of this user; "nobody", of an ordinary user; or another.

    "ranges" is of an ordinary user with a range of users; "proot" is nobody's, with PRoot in place
    of namespaces.
    """
    # pytest's own folders are closed to other users
    folder = Path(tempfile.mkdtemp(prefix="labs"))
    folder.chmod(0o755)
    try:
        variables = {"LABS_ISOLATION": "proot"} if kind == "proot" else {}
        if kind == "own" or os.geteuid() != 0:
            beginning = own_engine(folder, **variables)
        else:
            uid = user_with_range() if kind == "ranges" else NOBODY
            beginning = _users_engine(folder, uid, **variables)
        with beginning as socket:
            yield socket
    finally:
        shutil.rmtree(folder)


@contextmanager
def client_of(kind: str) -> Iterator[Any]:
    """A client of an engine with the image ``box``: a static busybox, and nothing else."""
    require("busybox")
    if kind == "proot":
        require("proot")
    elif isolation(Path(tempfile.gettempdir())).kind != NAMESPACES:
        pytest.skip("this machine forbids namespaces")
    if kind in ("nobody", "ranges") and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with engine(kind) as socket:
        found = docker.DockerClient(base_url=f"unix://{socket}", timeout=120)
        load_box(found)
        yield found
        found.close()


def run(client: Any, script: str, **options: Any) -> str:
    """What a script in a new container prints; stderr where the script fails."""
    try:
        found = client.containers.run(
            "box", ["sh", "-c", script], remove=True, stderr=True, **options
        )
    except docker.errors.ContainerError as error:
        return str(error.stderr.decode())
    return str(found.decode())


def load_box(client: Any) -> None:
    """Give an engine the image ``box``: a static busybox, and nothing else."""
    require("busybox")
    busybox = shutil.which("busybox")
    assert busybox
    content = _image(Path(busybox).read_bytes())
    client.api.import_image_from_data(content, "box", changes=["ENV PATH=/bin"])


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """No test of containers waits for ever."""
    with deadline():
        yield


@pytest.fixture(scope="module", params=["own", "nobody"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_of(request.param) as found:
        yield found


def page_at(port: int | str) -> bytes:
    """What a container serves on a published port, once its server listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + 60
    while True:
        try:
            return bytes(opener.open(f"http://127.0.0.1:{port}/").read())
        except OSError:
            assert time.monotonic() < until, f"nobody serves on port {port}"


def _image(busybox: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in (("bin/busybox", busybox), ("bin/su", busybox), ("bin/data", b"x\n")):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644 if name == "bin/data" else 0o755
            member.mode |= 0o4000 if name == "bin/su" else 0
            archive.addfile(member, io.BytesIO(content))
        for name in APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        accounts = b"root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n"
        member = tarfile.TarInfo("etc/passwd")
        member.size = len(accounts)
        archive.addfile(member, io.BytesIO(accounts))
    return buffer.getvalue()
