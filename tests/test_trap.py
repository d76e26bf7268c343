"""The trap: what a whole session with real clients touches beyond its own folder. Nothing.

Every system call of the session that names an address or a file is looked at, those of the
sandbox, the engine, `aws`, `docker` and Python included.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.front.discovery import SYSTEM as SYSTEM_SOCKETS
from tests.trap import syscalls
from tests.trap.session import (
    AWS,
    BEGIN,
    DOCKER,
    ELSEWHERE,
    NOTEBOOKS,
    POISON,
    PYTHON,
    Session,
)
from tests.trap.syscalls import Contact, Touch

PROJECT = Path(__file__).parents[1]

NAME_SERVICE = 53
"""The port of DNS. The installed `docker` command itself looks the registry's name up at login and
push, whatever DOCKER_HOST says: Docker's way to see whether a registry is on loopback
(https://github.com/moby/moby/blob/v28.2.2/registry/config.go, isSecureIndex)."""

TEMPORARY = re.compile(r"/tmp/(tmp[a-z0-9_]{8}|[a-z0-9_]{8}|labs-kernel-[a-z0-9_]{8}(/.*)?)")
"""Files that Python's tempfile makes and takes away: where it looks whether it may write, the
Docker SDK's build context, and the connection file of a kernel that `labs run` starts."""

SYSTEM = ("/dev/", "/proc/")
"""Devices and the kernel's own files: writing there leaves nothing behind."""

KEEPER = re.compile(r"/proc/self/fd/\d+/keeper\.sock")
"""The socket of the engine's keeper of containers, by a name that is short enough for a socket: the
folder, which is inside the labs' own, is open as that number."""

CGROUP = re.compile(r"/sys/fs/cgroup/(.*/)?labs-[0-9a-f]{8}-[^/]+(/[a-z_.]+)?")
"""A cgroup of a container, where the engine may make one: the kernel's, and gone with the container
(tests/engine/containers look for what is left)."""

BYTE_CODE = re.compile(rf"{re.escape(str(PROJECT))}/labs_helpers/.*/__pycache__/.*")
"""What Python compiles of the labs' own modules, beside them."""

LOCAL_SERVICES = ("/var/run/nscd/", "/run/nscd/", "/run/systemd/", "/var/run/dbus/")
"""Sockets of the C library's name services, tried wherever a user or host name is looked up."""

PLUGIN_SOCKET = re.compile(r"@docker_cli_[0-9a-f]{32}")
"""What `docker` 25 and later bind, under a new random name, while a plugin of theirs runs: how it
learns that the command has ended. `docker build` is a plugin too, ours. Nothing is told there, and
no setting does without it.
https://github.com/docker/cli/blob/v28.2.2/cli-plugins/socket/socket.go"""


def require(*commands: str) -> None:
    missing = [name for name in commands if shutil.which(name) is None]
    if missing and os.environ.get("LABS_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"LABS_REQUIRE_CLIENTS is set and there is no {missing}")
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")


SESSIONS = {
    "terminal": ("standin", BEGIN + AWS + DOCKER + PYTHON),
    "installed docker": ("auto", BEGIN + DOCKER),
    "notebooks": ("standin", NOTEBOOKS),
}
"""What a session is called: which `docker` it has, and its steps."""


@pytest.fixture(scope="module", params=SESSIONS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A traced session; its folder has a short path, as sockets need."""
    docker, steps = SESSIONS[request.param]
    require("strace", *(["docker"] if docker == "auto" else []))
    done = Session(Path(tempfile.mkdtemp(prefix="trap-")).resolve(), docker)
    done.prepare()
    try:
        result = done.run(steps, traced=True)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        yield done
    finally:
        done.run("labs stop", traced=False)  # what a session that was cut short left running
        shutil.rmtree(done.root)


@pytest.fixture(scope="module")
def contacts(session: Session) -> list[Contact]:
    return syscalls.contacts(session.log)


@pytest.fixture(scope="module")
def touches(session: Session) -> list[Touch]:
    return syscalls.touches(session.log, str(session.work))


def inside(path: str, *folders: Path) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def test_the_trace_saw_the_session(
    session: Session, contacts: list[Contact], touches: list[Touch]
) -> None:
    assert any(contact.address == "127.0.0.1" for contact in contacts)
    assert any(contact.address.endswith("/engine/docker.sock") for contact in contacts)
    written = {touch.path for touch in touches if touch.how == "write"}
    assert any(path.endswith("/aws/credentials") for path in written)


def test_nothing_connects_beyond_loopback(session: Session, contacts: list[Contact]) -> None:
    beyond = [contact for contact in contacts if not contact.stays_here]
    if session.docker == "auto":
        beyond = [contact for contact in beyond if contact.port != NAME_SERVICE]
    assert [contact.line for contact in beyond] == []
    assert ELSEWHERE not in {contact.address for contact in contacts}


def test_no_socket_but_the_labs_own_is_used(session: Session, contacts: list[Contact]) -> None:
    sockets = [contact for contact in contacts if contact.address.startswith(("/", "@"))]
    # the session's own: whoever else may listen, it is not there
    plugins = {
        contact.address
        for contact in sockets
        if contact.call == "bind" and PLUGIN_SOCKET.fullmatch(contact.address)
    }
    assert session.docker == "auto" or plugins == set()
    foreign = {
        contact.address
        for contact in sockets
        if not inside(contact.address, session.labs)
        and contact.address not in plugins
        and not KEEPER.fullmatch(contact.address)
        and not contact.address.startswith(LOCAL_SERVICES)
    }
    assert foreign == set()


def test_nothing_is_written_outside_labs_home(session: Session, touches: list[Touch]) -> None:
    strays = {
        f"{touch.call} {touch.path}"
        for touch in touches
        if touch.how == "write"
        # the keeper mounts in namespaces of its own; tests/engine/containers look for what is left
        and touch.call != "mount"
        and not BYTE_CODE.fullmatch(touch.path)
        and not inside(touch.path, session.labs)
        and not touch.path.startswith(SYSTEM)
        and not CGROUP.fullmatch(touch.path)
        and not TEMPORARY.fullmatch(touch.path)
    }
    assert strays == set()


def test_what_is_temporary_is_gone(session: Session, touches: list[Touch]) -> None:
    """Reported as D15."""
    temporary = {touch.path for touch in touches if TEMPORARY.fullmatch(touch.path)}
    assert [path for path in temporary if Path(path).exists()] == []


@pytest.mark.parametrize("folder", [".aws", ".docker"])
def test_the_learners_own_settings_are_neither_read_nor_written(
    session: Session, touches: list[Touch], folder: str
) -> None:
    used = {
        f"{touch.how} {touch.path}"
        for touch in touches
        if inside(touch.path, session.home / folder) and touch.how != "look"
    }
    assert used == set()


def test_the_learners_own_settings_are_as_they_were(session: Session) -> None:
    found = {
        str(path.relative_to(session.home)): path.read_text()
        for path in session.home.rglob("*")
        if path.is_file()
    }
    assert found == POISON


def test_looking_for_a_daemon_asks_only_the_known_sockets() -> None:
    """LABS_ENGINE=auto connects to the sockets a daemon may have, and does nothing else there."""
    require("strace")
    found = Session(Path(tempfile.mkdtemp(prefix="trap-")).resolve(), "standin", "auto")
    found.prepare()
    trap = found.home / ".docker/run/docker.sock"
    trap.parent.mkdir()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nobody:
            # a daemon that has ended leaves its socket: connecting is refused at once
            nobody.bind(str(trap))
        done = found.run("labs start && labs status && labs stop", traced=True)
        assert done.returncode == 0, done.stderr
        asked = {
            contact.address
            for contact in syscalls.contacts(found.log)
            if contact.address.startswith(("/", "@"))
            and not inside(contact.address, found.labs)
            and not contact.address.startswith(LOCAL_SERVICES)
            and not KEEPER.fullmatch(contact.address)
        }
        assert str(trap) in asked
        assert asked - {str(trap)} <= set(SYSTEM_SOCKETS)
        used = [
            touch.line
            for touch in syscalls.touches(found.log, str(found.work))
            if inside(touch.path, found.home / ".docker") and touch.how != "look"
        ]
        assert used == []
    finally:
        found.run("labs stop", traced=False)
        shutil.rmtree(found.root)
