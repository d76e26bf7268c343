"""The stand-in docker says what Docker's own command says: same stdout, same exit status.

Each command goes through both, to two engines that hold the same images.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.engine_room import REGISTRY, Room, running

REAL = next(
    (
        path
        for path in ("/usr/local/bin/docker", shutil.which("docker"))
        if path and Path(path).exists()
    ),
    None,
)
REQUIRED = bool(os.environ.get("LABS_REQUIRE_CLIENTS"))

pytestmark = pytest.mark.skipif(
    REAL is None and not REQUIRED, reason="Docker's command line is not installed"
)


@dataclass
class Side:
    """One command line with its engine and configuration."""

    command: list[str]
    environment: dict[str, str]

    def run(self, arguments: list[str], folder: Path, stdin: bytes) -> tuple[str, str, int]:
        done = subprocess.run(
            [*self.command, *arguments],
            input=stdin,
            capture_output=True,
            cwd=folder,
            env=self.environment,
            timeout=60,
            check=False,
        )
        return self._stable(done.stdout), self._stable(done.stderr), done.returncode

    @staticmethod
    def _stable(output: bytes) -> str:
        text = output.decode("utf-8", "replace").replace("\r", "")
        return re.sub(r'("LastTagTime": ").*"', r'\1..."', text)


@dataclass
class Pair:
    """Docker's own command and the stand-in, side by side."""

    real: Side
    standin: Side
    folder: Path

    def same(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run on both; fail unless stdout and status agree. Returns stdout."""
        out, errors, status = self.real.run(list(arguments), self.folder, stdin)
        our_out, our_errors, our_status = self.standin.run(list(arguments), self.folder, stdin)
        said = f"docker {' '.join(arguments)}\nreal stderr: {errors}\nours stderr: {our_errors}"
        assert our_out == out, said
        assert our_status == status, said
        return out


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    assert REAL, "LABS_REQUIRE_CLIENTS is set and there is no docker command"
    commands = {
        "real": [REAL],
        "ours": [sys.executable, "-m", "labs_helpers.engine.cli"],
    }
    sides, engines = {}, []
    try:
        for name, command in commands.items():
            place = folder / name
            place.mkdir()
            engine = subprocess.Popen(
                [
                    *(sys.executable, "-m", "labs_helpers.engine"),
                    *("--socket", str(place / "s"), "--state", str(place / "state")),
                ],
                stderr=subprocess.PIPE,
            )
            engines.append(engine)
            assert engine.stderr
            while b"serves on" not in (line := engine.stderr.readline()):
                assert line, "the engine did not start"
            environment = {
                **{key: value for key, value in os.environ.items() if "DOCKER" not in key},
                "DOCKER_HOST": f"unix://{place / 's'}",
                "DOCKER_CONFIG": str(place / "config"),
                "DOCKER_BUILDKIT": "0",
                "FROM_ENVIRONMENT": "seen",
            }
            sides[name] = Side(command, environment)
        yield Pair(sides["real"], sides["ours"], _project(folder / "project"))
    finally:
        for engine in engines:
            engine.send_signal(signal.SIGTERM)
        for engine in engines:
            engine.communicate(timeout=20)


def _project(folder: Path) -> Path:
    app = folder / "app"
    (app / "site" / "deep").mkdir(parents=True)
    (app / "site" / "index.html").write_text("<h1>hello</h1>\n")
    (app / "site" / "deep" / "ünï.txt").write_text("x" * 700)
    (app / "site" / ("long-name-" * 12 + ".txt")).write_text("long\n")
    (app / "site" / "link").symlink_to("index.html")
    (app / "secret.env").write_text("no\n")
    (app / "notes").mkdir()
    (app / "notes" / "a.md").write_text("a")
    (app / "notes" / "keep.md").write_text("keep")
    (app / ".dockerignore").write_text("# not sent\n*.env\nnotes/*\n!notes/keep.md\nDockerfile\n")
    (app / "Dockerfile").write_text(
        "FROM scratch AS base\n"
        'LABEL maintainer="you@example.com" team=labs\n'
        "ARG VERSION=1\n"
        "ENV VERSION=$VERSION PORT=80\n"
        "FROM base\n"
        "WORKDIR /srv\n"
        "COPY . /srv/\n"
        "EXPOSE $PORT\n"
        'CMD ["/srv/run", "--port", "80"]\n'
    )
    (folder / "Other.dockerfile").write_text("FROM scratch\nENV OTHER=1\n")
    for name, text in {
        "parse": "FROM scratch\nFRM x\n",
        "missing": "FROM scratch\nCOPY nowhere /\n",
        "run": "FROM scratch\nRUN true\n",
        "empty": "",
    }.items():
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text(text)
    return folder


@pytest.fixture
def built(pair: Pair) -> Pair:
    pair.same("build", "-t", "demo-app", "app")
    return pair


def test_a_build_says_the_same(pair: Pair) -> None:
    # an image of its own: Docker lists the repositories of one image in random order
    options = ["--label", "first=1", "-t", "first"]
    first = pair.same("build", *options, "-t", "first:two", "--no-cache", "app")
    assert "Step 1/10 : FROM scratch AS base" in first
    assert "Successfully tagged first:two" in first
    assert "Using cache" in pair.same("build", *options, "app")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-q", "app"],
        ["--build-arg", "VERSION=2", "--build-arg", "UNUSED=1", "app"],
        ["--build-arg", "FROM_ENVIRONMENT", "app"],
        ["--label", "b=2", "--label", "a=1", "app"],
        ["--target", "base", "app"],
        ["--target", "nowhere", "app"],
        ["--platform", "linux/arm64", "app"],
        ["-f", "app/Dockerfile", "app"],
        ["-f", "app/nowhere", "app"],
        ["-t", "BAD", "app"],
        ["parse"],
        ["missing"],
        ["-q", "missing"],
        ["run"],
        ["empty"],
        ["nowhere"],
        [],
        ["--bogus", "app"],
    ],
    ids=" ".join,
)
def test_build_options_and_errors(pair: Pair, arguments: list[str]) -> None:
    pair.same("build", *arguments)


def test_a_build_reads_stdin(pair: Pair) -> None:
    pair.same("build", "-t", "piped", "-", stdin=b"FROM scratch\nLABEL piped=yes\n")
    pair.same("build", "-f", "-", "notes-less", stdin=b"FROM scratch\n")


def test_a_dockerfile_from_outside_the_context_builds_the_same_image(pair: Pair) -> None:
    arguments = ["build", "-q", "-f", "Other.dockerfile", "app"]
    assert pair.same(*arguments).startswith("sha256:")


@pytest.mark.parametrize(
    "arguments",
    [
        ["images"],
        ["image", "ls", "--digests"],
        ["images", "-q", "--no-trunc"],
        ["images", "-a"],
        ["images", "demo-app"],
        ["images", "--filter", "reference=demo*"],
        ["images", "--filter", "dangling=true"],
        ["images", "--filter", "bogus=1"],
        ["images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}"],
        ["images", "--format", "table {{.ID}}\t{{.Repository}}\t{{.CreatedSince}}"],
        ["images", "--format", r"table {{.ID}}\t{{.Tag}}"],
        ["images", "--format", "{{json .}}"],
        ["images", "--format", "json"],
        ["images", "--format", "{{.Bogus}}"],
        ["images", "--format", "{{.ID"],
        ["images", "--bogus"],
        ["images", "one", "two"],
        ["history", "demo-app"],
        ["history", "-q", "demo-app"],
        ["history", "--no-trunc", "demo-app"],
        ["history", "--format", "{{.CreatedBy}}: {{.Size}}", "demo-app"],
        ["history", "nowhere"],
        ["inspect", "demo-app"],
        ["image", "inspect", "demo-app"],
        ["image", "inspect", "demo-app", "nowhere"],
        ["inspect", "nowhere"],
        ["inspect", "--type", "image", "nowhere"],
        [
            "inspect",
            "-f",
            "{{.Config.Labels}} {{.Config.Env}} {{.Os}}/{{.Architecture}}",
            "demo-app",
        ],
        ["inspect", "-f", '{{index .Config.Labels "maintainer"}}', "demo-app"],
        ["inspect", "-f", "{{json .Config.Labels}}", "demo-app"],
        ["inspect", "-f", "{{json .RootFS.Layers}} {{len .RootFS.Layers}}", "demo-app"],
        ["inspect", "-f", '{{join .Config.Cmd " "}}', "demo-app"],
        ["inspect", "-f", "{{range .RootFS.Layers}}{{println .}}{{end}}", "demo-app"],
        ["inspect", "-f", "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "demo-app"],
        ["inspect", "-f", "{{if .Author}}yes{{else}}no{{end}}", "demo-app"],
        ["inspect", "-f", "{{.Bogus}}", "demo-app"],
        ["inspect", "-f", "{{bogus .Id}}", "demo-app"],
        ["inspect", "-f", "{{.Id}}", "nowhere"],
        ["system", "df"],
        ["system", "df", "-v"],
        ["system", "df", "--format", "{{.Type}}: {{.TotalCount}} {{.Size}}"],
        ["system", "df", "--format", "json"],
        ["system", "df", "too", "many"],
        ["system", "prune"],
        ["system", "prune", "--volumes", "--filter", "until=1h"],
        ["system", "prune", "-a", "--filter", "label=x"],
        ["image", "prune", "-f", "--filter", "bogus=1"],
        ["image", "prune", "-af", "--filter", "label=nobody-has-it"],
        ["image", "prune", "-f", "--filter", "bogus"],
        ["images", "--filter", "since=demo-app", "--filter", "label=maintainer"],
        ["container", "ls", "-a"],
        ["container", "prune", "-f"],
        ["container", "inspect", "nowhere"],
        ["volume", "ls"],
        ["volume", "prune", "-f"],
        ["network", "ls"],
        ["builder", "prune", "-f"],
        ["events", "--until", "1"],
        ["search", "nginx"],
        ["system", "bogus"],
        ["ps"],
        ["ps", "-aq"],
        ["tag", "demo-app", "BAD:x"],
        ["tag", "nowhere", "x"],
        ["tag", "one"],
        ["rmi", "nowhere"],
        ["rmi", "-f", "nowhere"],
        ["rmi"],
        ["push", "nowhere"],
        ["push", "127.0.0.1:9/x:y"],
        ["pull", "127.0.0.1:9/x"],
        ["pull", "BAD"],
        ["save", "nowhere"],
        ["load", "-i", "nowhere.tar"],
        ["login", "-u", "AWS", "-p", "secret", "127.0.0.1:9"],
        ["login", "--password-stdin", "127.0.0.1:9"],
        ["logout", "127.0.0.1:9"],
        ["run", "--rm", "demo-app", "nosuch"],
        ["exec", "x", "ls"],
        ["bogus"],
        ["image", "bogus"],
        ["-H", "unix:///nowhere.sock", "images"],
    ],
    ids=" ".join,
)
def test_a_command_says_the_same(built: Pair, arguments: list[str]) -> None:
    built.same(*arguments)


def test_tag_and_remove(built: Pair) -> None:
    built.same("tag", "demo-app", "registry.example.com/team/demo-app:v1")
    assert "team/demo-app" in built.same("images", "registry.example.com/team/demo-app")
    built.same("rmi", "registry.example.com/team/demo-app:v1")
    built.same("build", "-q", "-t", "gone", "--label", "gone=1", "app")
    assert "Deleted: sha256:" in built.same("rmi", "gone")


def test_save_and_load(built: Pair) -> None:
    built.same("build", "-q", "-t", "moved", "--label", "moved=1", "app")
    assert built.same("save", "-o", "moved.tar", "moved") == ""
    built.same("rmi", "-f", "moved")
    assert built.same("load", "-i", "moved.tar") == "Loaded image: moved:latest\n"
    built.same("load", stdin=(built.folder / "moved.tar").read_bytes())


def test_prune(pair: Pair) -> None:
    pair.same("build", "-q", "-t", "pruned", "--label", "pruned=1", "app")
    pair.same("build", "-q", "-t", "pruned", "--label", "pruned=2", "app")
    assert "Total reclaimed space" in pair.same("image", "prune", "-f")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Room]]:
    """Two engines, each with the sandbox's registry and hub."""
    hub = tmp_path_factory.mktemp("hub")
    with running(hub) as first, running(hub) as second:
        yield first, second


def test_login_push_and_pull_say_the_same(
    rooms: tuple[Room, Room], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert REAL
    commands = [REAL], [sys.executable, "-m", "labs_helpers.engine.cli"]
    environments = [{**os.environ, **room.environment} for room in rooms]
    sides = [Side(*pair) for pair in zip(commands, environments, strict=True)]
    pair = Pair(sides[0], sides[1], _project(tmp_path_factory.mktemp("push") / "project"))
    repository = f"{REGISTRY}/demo-app-repo"
    pair.same("build", "-q", "-t", repository, "-t", f"{repository}:v1", "app")
    pair.same("push", repository)

    def same_login(*arguments: str) -> str:
        said = [
            side.run(
                ["login", "-u", "AWS", "--password-stdin", *arguments],
                pair.folder,
                room.registry.token.encode(),
            )
            for side, room in zip(sides, rooms, strict=True)
        ]
        assert said[0][::2] == said[1][::2], said
        return said[1][0]

    assert same_login(REGISTRY) == "Login Succeeded\n"
    pair.same("login", REGISTRY)
    pair.same("push", f"{REGISTRY}/not-there")
    for room in rooms:
        room.registry.create("demo-app-repo")
    pair.same("push", repository)
    pair.same("push", repository)
    pair.same("push", "-q", f"{repository}:v1")
    pair.same("push", "-a", repository)
    pair.same("images", "--digests")
    pair.same("rmi", "-f", repository, f"{repository}:v1")
    assert "Downloaded newer image" in pair.same("pull", repository)
    assert "Image is up to date" in pair.same("pull", repository)
    pair.same("pull", "-q", f"{repository}:v1")
    pair.same("pull", f"{repository}:nope")
    pair.same("pull", "nginx:alpine")
    pair.same("images", "nginx")
    pair.same("history", "nginx:alpine")
    pair.same("inspect", "nginx:alpine")
    pair.same("logout", REGISTRY)
    pair.same("push", repository)


def test_a_terminal_is_drawn_the_same_bars(rooms: tuple[Room, Room], tmp_path: Path) -> None:
    assert REAL
    commands = [REAL], [sys.executable, "-m", "labs_helpers.engine.cli"]
    for arguments in (
        ["pull", "debian:12"],
        ["pull", "debian:12"],
        ["rmi", "debian:12"],
        ["pull", "no/such"],
    ):
        drawn = [
            _on_terminal([*command, *arguments], {**os.environ, **room.environment}, 150)
            for command, room in zip(commands, rooms, strict=True)
        ]
        assert drawn[0] == drawn[1], arguments


def _on_terminal(command: list[str], environment: dict[str, str], columns: int) -> bytes:
    """What a command writes to a terminal of so many columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(command, env=environment, stdout=its, stderr=its, stdin=its)
    os.close(its)
    written = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while data := os.read(ours, 65536):
            written += data
    os.close(ours)
    process.wait(20)
    return written


def test_manifest_inspect_shows_what_the_registry_has(
    rooms: tuple[Room, Room], tmp_path: Path
) -> None:
    side = Side(
        [sys.executable, "-m", "labs_helpers.engine.cli"],
        {**os.environ, **rooms[1].environment},
    )
    out, errors, status = side.run(["manifest", "inspect", "debian:12"], tmp_path, b"")
    assert status == 0, errors
    assert json.loads(out)["schemaVersion"] == 2
    assert out.startswith("{\n\t")
    out, errors, status = side.run(["manifest", "inspect", "debian:none"], tmp_path, b"")
    # Docker's words for what a registry does not have, with the whole name
    assert (out, errors, status) == ("", "no such manifest: docker.io/library/debian:none\n", 1)


def test_manifest_inspect_describes_each_manifest(rooms: tuple[Room, Room], tmp_path: Path) -> None:
    """Reported as F6."""
    side = Side(
        [sys.executable, "-m", "labs_helpers.engine.cli"],
        {**os.environ, **rooms[1].environment},
    )
    out, errors, status = side.run(["manifest", "inspect", "-v", "debian:12"], tmp_path, b"")
    assert status == 0, errors
    entries = json.loads(out)
    assert {entry["Descriptor"]["platform"]["architecture"] for entry in entries} >= {"amd64"}
    for entry in entries:
        kind = "SchemaV2Manifest" if "SchemaV2Manifest" in entry else "OCIManifest"
        assert list(entry) == ["Ref", "Descriptor", "Raw", kind]
        digest = entry["Descriptor"]["digest"]
        assert entry["Ref"] == f"docker.io/library/debian:12@{digest}"
        raw = base64.b64decode(entry["Raw"])
        assert f"sha256:{hashlib.sha256(raw).hexdigest()}" == digest
        assert json.loads(raw) == entry[kind]
    name = entries[0]["Ref"].replace(":12@", "@")
    out, errors, status = side.run(["manifest", "inspect", "-v", name], tmp_path, b"")
    assert status == 0, errors
    single = json.loads(out)
    assert single["Ref"] == name
    assert single["Descriptor"] == entries[0]["Descriptor"]
    two = side.run(["manifest", "inspect", "list:1", "debian:12"], tmp_path, b"")
    assert two == ("", "No such manifest: docker.io/library/debian:12\n", 1)


def test_credentials_are_kept_as_docker_keeps_them(
    rooms: tuple[Room, Room], tmp_path: Path
) -> None:
    room = rooms[1]
    side = Side(
        [sys.executable, "-m", "labs_helpers.engine.cli"],
        {**os.environ, **room.environment, "DOCKER_CONFIG": str(tmp_path / "config")},
    )
    login = ["login", "-u", "AWS", "--password-stdin", REGISTRY]
    out, errors, status = side.run(login, tmp_path, room.registry.token.encode() + b"\n")
    assert (out, status) == ("Login Succeeded\n", 0)
    assert "stored unencrypted in '$DOCKER_CONFIG/config.json'" in errors
    file = tmp_path / "config" / "config.json"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())["auths"][REGISTRY]["auth"]
    assert base64.b64decode(kept).decode() == f"AWS:{room.registry.token}"
