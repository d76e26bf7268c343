"""A real dockerd as the oracle: the same commands, the same words.

Both talk to the same registry under its loopback address, with the same docker command. dockerd
works on several layers at once, so lines are compared without their order. It is one on vfs, whose
sizes of layers ours are.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.engine.front.address import Address
from tests.clients import daemons
from tests.engine.engine_room import Ended, Room, running


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running(tmp_path_factory.mktemp("hub")) as found:
        for name in ("demo", "other"):
            found.registry.create(name)
        yield found


class Both:
    """The labs engine and a dockerd, given the same commands."""

    def __init__(self, room: Room, dockerd: str) -> None:
        self.room, self.dockerd = room, dockerd
        self.registry = f"127.0.0.1:{room.registry.server.port}"

    def run(self, *arguments: str, given: bytes | None = None) -> tuple[Ended, Ended]:
        """How a command ends on each: ours, then dockerd's."""
        ended = []
        for host, config in ((f"unix://{self.room.socket}", "ours"), (self.dockerd, "theirs")):
            environment = self.room.environment | {
                "DOCKER_HOST": host,
                "DOCKER_CONFIG": str(self.room.folder / config),
            }
            done = subprocess.run(
                ["docker", *arguments],
                env=environment,
                input=given,
                capture_output=True,
                timeout=60,
                check=False,
            )
            ended.append(Ended(done.returncode, done.stdout.decode(), done.stderr.decode()))
        return ended[0], ended[1]

    def same(self, *arguments: str, given: bytes | None = None) -> Ended:
        """Run on both, fail when they do not say the same; how ours ended."""
        ours, theirs = self.run(*arguments, given=given)
        assert comparable(ours) == comparable(theirs), " ".join(arguments)
        return ours


def comparable(ended: Ended) -> tuple[int, list[str], str]:
    """What two engines must have in common: not order, nor digests of what each compressed."""
    lines = sorted(
        re.sub(r"(digest: |@|Digest: )sha256:[0-9a-f]{64}( size: \d+)?", r"\1DIGEST", line)
        for line in ended.lines
        if not line.endswith((": Waiting", ": Verifying Checksum"))
    )
    stderr = re.sub(r"stored unencrypted in '[^']*'", "stored unencrypted in FILE", ended.err)
    return ended.code, lines, stderr


@pytest.fixture
def both(room: Room, dockerd_on_vfs: Address, tmp_path: Path) -> Iterator[Both]:
    """Both with the image base:1, saved by ours and loaded in each, and logged in."""
    daemons.empty(dockerd_on_vfs)
    found = Both(room, str(dockerd_on_vfs))
    room.docker("pull", "nginx:alpine")
    room.docker("tag", "nginx:alpine", "base:1")
    room.docker("save", "-o", tmp_path / "base.tar", "base:1")
    room.docker("rmi", "nginx:alpine")
    found.same("load", "-i", str(tmp_path / "base.tar"))
    login = ("login", "-u", "AWS", "--password-stdin", found.registry)
    found.same(*login, given=room.registry.token.encode())
    yield found
    found.run("logout", found.registry)
    found.run("image", "prune", "-af")


def test_an_image_saved_here_is_the_same_image_there(both: Both, tmp_path: Path) -> None:
    shown = both.same("images", "--no-trunc", "--format", "{{.ID}} {{.Repository}} {{.Size}}")
    assert shown.lines[0].startswith("sha256:")
    both.same("history", "--no-trunc", "base:1")
    both.same("inspect", "--format", "{{json .RootFS}} {{json .Config}} {{.Size}}", "base:1")


def test_an_image_saved_there_is_the_same_image_here(both: Both, tmp_path: Path) -> None:
    environment = both.room.environment | {"DOCKER_HOST": both.dockerd}
    archive = str(tmp_path / "theirs.tar")
    subprocess.run(["docker", "save", "-o", archive, "base:1"], env=environment, check=True)
    before = both.room.docker("images", "-q", "--no-trunc").out
    both.room.docker("rmi", "base:1")
    assert both.room.docker("load", "-i", archive).out == "Loaded image: base:1\n"
    assert both.room.docker("images", "-q", "--no-trunc").out == before


def test_push_pull_and_remove(both: Both) -> None:
    demo, other = f"{both.registry}/demo:v1", f"{both.registry}/other:v1"
    for name in (demo, other):
        both.same("tag", "base:1", name)
    ours, theirs = both.run("push", demo)
    assert (ours.code, theirs.code) == (0, 0)
    assert ours.lines[:5] == theirs.lines[:5]
    both.same("push", demo)
    ours, theirs = both.run("push", other)
    assert (ours.code, theirs.code) == (0, 0)
    for command in (
        ("rmi", "base:1"),
        ("rmi", demo),
        ("rmi", other),
        ("pull", demo),
        ("pull", demo),
        ("rmi", demo),
    ):
        both.same(*command)


def test_refusals_of_a_registry(both: Both) -> None:
    absent = f"{both.registry}/absent:v1"
    both.same("tag", "base:1", absent)
    both.same("tag", "base:1", f"{both.registry}/demo:v9")
    both.same("push", absent)
    both.same("push", f"{both.registry}/demo:not-local")
    both.same("push", f"{both.registry}/not-local")
    both.same("pull", absent)
    both.same("pull", f"{both.registry}/demo:nope")
    both.same("pull", f"{both.registry}/demo@sha256:{'a' * 64}")
    both.same("logout", both.registry)
    both.same("push", f"{both.registry}/demo:v9")
    both.same("pull", f"{both.registry}/demo:v1")
    both.same("login", "-u", "AWS", "--password-stdin", both.registry, given=b"wrong")
    both.same("pull", "127.0.0.1:1/nobody/listens")


def test_what_is_not_there_or_not_a_name(both: Both) -> None:
    for command in (
        ("rmi", "nope"),
        ("rmi", "abcdef"),
        ("inspect", "nope"),
        ("history", "nope"),
        ("tag", "nope", "x"),
        ("tag", "base:1", "X"),
        ("tag", "base:1", "x:y:z"),
        ("images", "nope"),
        ("push", "nope"),
    ):
        both.same(*command)


def test_removal_of_what_has_several_names(both: Both) -> None:
    both.same("tag", "base:1", "other:1")
    image = both.same("images", "-q", "base:1").out.strip()
    assert "must be forced" in both.same("rmi", image).err
    both.same("rmi", "-f", image)


def test_an_archive_of_several_names(both: Both, tmp_path: Path) -> None:
    both.same("tag", "base:1", "other:1")
    archive = str(tmp_path / "two.tar")
    both.room.docker("save", "-o", archive, "base:1", "other:1")
    both.same("image", "prune", "-af")
    both.same("load", "-i", archive)
    both.same("system", "df")
