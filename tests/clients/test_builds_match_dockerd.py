"""The same Dockerfiles by our builder and by a real dockerd's classic builder.

Same words, files, types, modes, owners, links and configuration. What differs, and why:

- dates: ours are one fixed date, so that the same files give the same id;
- the write bits of group and others on files of a context: ours are off, since they are the umask
  of whoever checked the files out (the contexts here have none);
- the ids of containers, and "Running in" for steps that run nothing: nothing runs here;
- dockerd 20.10 in Debian says "Removing intermediate container", later versions, and ours,
  " ---> Removed intermediate container";
- HEALTHCHECK in the history has the start interval, which dockerd has since version 25;
- after --no-cache, dockerd goes on from the newest of two images that the same step made; here the
  same step makes the same image;
- dockerd 29, and ours, say "on line", and begin some messages with a small letter;
- what is said on stdout and on stderr by one command: each in its order, the two in any.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from labs_helpers.engine.front.address import Address
from tests.clients.dockerfiles import BASE, BUILT, LINKING, PROGRAMS, REFUSED, context
from tests.engine.engine_room import Ended, Room, require, running

LEFT_OUT = {"Image", "Hostname", "ArgsEscaped"}
"""What dockerd's builder records of the container that a step ran in."""

WORDS_OF_29 = {
    "parse error line": "parse error on line",
    **{
        old: old[0].lower() + old[1:]
        for old in (
            *("Unknown flag:", "Duplicate flag", "Missing a value on flag"),
            *("Invalid proto:", "Invalid containerPort:", "Invalid signal:", "Forbidden path"),
        )
    },
}
"""dockerd's words before version 29 -> those of 29, and ours (engine/wording/dockerd.toml)."""


@dataclass
class Side:
    """One engine, by its address."""

    host: str
    environment: dict[str, str]

    def docker(self, *arguments: str | Path, given: bytes | None = None) -> Ended:
        done = self._run(*arguments, given=given)
        return Ended(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode())

    def archive(self, name: str) -> tarfile.TarFile:
        done = self._run("save", name)
        assert done.returncode == 0, done.stderr
        return tarfile.open(fileobj=io.BytesIO(done.stdout))

    def _run(
        self, *arguments: str | Path, given: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {**self.environment, "DOCKER_HOST": self.host}
        return subprocess.run(
            ["docker", *map(str, arguments)],
            env=environment,
            input=given,
            capture_output=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    for program in ("docker", "proot", "busybox"):
        require(program)
    with running(tmp_path_factory.mktemp("hub")) as found:
        yield found


@pytest.fixture(scope="module")
def sides(room: Room, folder: Path, dockerd: Address) -> tuple[Side, Side]:
    """Ours and dockerd's."""
    return with_programs(room, folder, dockerd)


@pytest.fixture(scope="module")
def sides_on_vfs(room: Room, folder: Path, dockerd_on_vfs: Address) -> tuple[Side, Side]:
    return with_programs(room, folder, dockerd_on_vfs)


def with_programs(room: Room, folder: Path, dockerd: Address) -> tuple[Side, Side]:
    """Both, with the image that the Dockerfiles begin with."""
    both = Side(f"unix://{room.socket}", room.environment), Side(str(dockerd), room.environment)
    for side in both:
        built = side.docker("build", "-t", "programs", "-f", "-", folder, given=BASE.encode())
        assert built.code == 0, built
    return both


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return context(tmp_path_factory.mktemp("context"))


def said(ended: Ended) -> tuple[int, list[str], str]:
    """What both must say: without ids, and without what the docstring above names."""
    text = re.sub(r"\b[0-9a-f]{12}\b", "ID", ended.out.replace("\r", ""))
    text = re.sub(r"(\x1b\[91m|\x1b\[0m)", "", text)
    text = re.sub(
        r"( ---> Running in| ---> Removed|Removing) ?(intermediate container)? ID\n", "", text
    )
    lines = [line for line in text.split("\n") if not line.startswith("Sending build context")]
    failure = ended.err.partition("environment-variable.\n\n")[2]
    for before in WORDS_OF_29:
        failure = failure.replace(before, WORDS_OF_29[before])
    return ended.code, lines, failure


def files(archive: tarfile.TarFile, layers: list[str]) -> dict[str, tuple[Any, ...]]:
    """What an image has at each path, hard links by what they link to."""
    found: dict[str, tuple[Any, ...]] = {}
    for layer in layers:
        with tarfile.open(fileobj=archive.extractfile(layer)) as tar:
            for member in tar:
                path = member.name.rstrip("/")
                above, name = posixpath.split(path)
                whiteout = name.startswith(".wh.")
                gone = posixpath.join(above, name.removeprefix(".wh.")) if whiteout else path
                # all that was in the folder, which comes before what is in it now
                # https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#opaque-whiteout
                gone = above if name == ".wh..wh..opq" else gone
                if whiteout or not member.isdir():
                    found = {p: f for p, f in found.items() if not f"{p}/".startswith(f"{gone}/")}
                if whiteout:
                    continue
                if member.islnk():
                    found[path] = found[member.linkname]
                    continue
                mode = member.mode & 0o7777
                content = tar.extractfile(member) if member.isreg() else None
                data = content.read() if content else b""
                link = member.linkname
                found[path] = (member.type, oct(mode), member.uid, member.gid, link, data)
    return found


def described(side: Side, name: str) -> tuple[dict[str, tuple[Any, ...]], dict[str, Any]]:
    """The files of an image, and its configuration with the history."""
    with side.archive(name) as archive:
        (manifest,) = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
        config = json.loads(archive.extractfile(manifest["Config"]).read())  # type: ignore[union-attr]
        found = files(archive, manifest["Layers"])
    kept = {
        key: value
        for key, value in (config.get("config") or {}).items()
        if key not in LEFT_OUT and value not in (None, "", False, [], {})
    }
    history = [
        (re.sub(r"[0-9a-f]{64}", "HASH", step["created_by"]), step.get("empty_layer", False))
        for step in config["history"]
    ]
    return found, {**kept, "history": history, "author": config.get("author")}


@pytest.mark.parametrize("name", [name for name in BUILT if name not in LINKING])
def test_the_same_dockerfile_gives_the_same_image(
    sides: tuple[Side, Side], folder: Path, name: str
) -> None:
    assert_same_image(sides, folder, name)


@pytest.mark.parametrize("name", LINKING)
def test_it_does_where_a_hard_link_holds_across_layers(
    sides_on_vfs: tuple[Side, Side], folder: Path, name: str
) -> None:
    assert_same_image(sides_on_vfs, folder, name)


def assert_same_image(sides: tuple[Side, Side], folder: Path, name: str) -> None:
    ended = []
    for side in sides:
        given = BUILT[name].encode()
        build = ("build", "--no-cache", "--label", "by=test", "-t", f"compared-{name}", "-f", "-")
        ended.append(side.docker(*build, folder, given=given))
    assert ended[0].code == 0, ended[0]
    assert said(ended[0]) == said(ended[1])
    (our_files, ours), (their_files, theirs) = (described(s, f"compared-{name}") for s in sides)
    assert our_files == their_files
    assert ours == theirs


@pytest.mark.parametrize("name", REFUSED)
def test_the_same_dockerfile_is_refused_in_the_same_words(
    sides: tuple[Side, Side], folder: Path, name: str
) -> None:
    given = REFUSED[name].encode()
    ours, theirs = (side.docker("build", "-f", "-", folder, given=given) for side in sides)
    assert ours.code != 0
    assert said(ours) == said(theirs)


def test_the_cache_is_used_and_left_where_dockerds_is(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    folder = context(tmp_path)
    # a dockerd that has run before has a cache: begin with a step of our own
    first = (
        f"{PROGRAMS}\nLABEL run={uuid4()}\nARG V=1\nENV A=1\nRUN echo $V\nCOPY d /d\n"
        "RUN ls /d\nADD owned.tar /o\n"
    )
    changed = first.replace("A=1", "A=2")
    steps: list[tuple[str, list[str]]] = [
        (first, []),
        (first, []),
        (first, ["--build-arg", "V=2"]),
        (changed, []),
        (first + "LABEL a=b\n", []),
        (first, ["--build-arg", "HTTP_PROXY=http://x"]),
        (first, ["--label", "x=y"]),
    ]
    for number, (text, options) in enumerate([*steps, *steps, (first, ["--no-cache"])]):
        if number == len(steps):
            (folder / "d/a.txt").write_text("changed\n")
        lines = []
        for side in sides:
            ended = side.docker("build", *options, "-f", "-", folder, given=text.encode())
            assert ended.code == 0, ended
            lines.append(said(ended))
        assert lines[0] == lines[1], (number, options)


def test_a_base_image_runs_its_triggers(sides: tuple[Side, Side], folder: Path) -> None:
    base = (
        f"{PROGRAMS}\nLABEL run={uuid4()}\nONBUILD RUN echo trigger > /t\n"
        "ONBUILD COPY run.sh /u\nONBUILD ENV A=b\n"
    )
    ended = []
    for side in sides:
        side.docker("build", "-t", "triggers", "-f", "-", folder, given=base.encode())
        child = b"FROM triggers\nRUN cat /t\n"
        again = [side.docker("build", "-f", "-", folder, given=child) for _ in range(2)]
        ended.append([said(one) for one in again])
    assert ended[0] == ended[1]


def test_what_is_built_here_runs_there(sides: tuple[Side, Side], folder: Path) -> None:
    ours, theirs = sides
    text = (
        f"{PROGRAMS}\nRUN mkdir /w && echo made here > /w/f && chown app /w/f\nUSER app\n"
        'WORKDIR /w\nENTRYPOINT ["cat"]\nCMD ["f"]\n'
    )
    assert ours.docker("build", "-t", "moved", "-f", "-", folder, given=text.encode()).code == 0
    with (folder.parent / "moved.tar").open("wb") as file:
        file.write(ours._run("save", "moved").stdout)
    assert theirs.docker("load", "-i", folder.parent / "moved.tar").code == 0
    ran = theirs.docker("run", "--rm", "--network", "none", "moved")
    if "OCI runtime create failed" in ran.err:
        pytest.skip(f"containers do not run here: {ran.err}")
    assert ran.out == "made here\n", ran
    stat = theirs.docker(
        "run", "--rm", "--network", "none", "--entrypoint", "stat", "moved", "-c", "%u:%g %a", "f"
    )
    assert stat.out == "1000:0 644\n", stat
