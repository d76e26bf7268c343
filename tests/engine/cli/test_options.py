"""Every option of the stand-in docker is carried out, or refused by name, or changes nothing."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api.app import App
from labs_helpers.engine.cli.client import EngineClient, Failure
from labs_helpers.engine.cli.command_line import GLOBAL, SWITCH, Command, Option
from labs_helpers.engine.cli.commands import COMMANDS, GROUPS
from labs_helpers.engine.cli.main import main
from labs_helpers.engine.hosts import HostMap
from labs_helpers.engine.save import save
from labs_helpers.engine.store import ImageStore
from labs_helpers.oci import media_types
from tests.engine.build.building import Builder, archive

WORDS: dict[str, list[str]] = {
    "build": ["."],
    "push": ["app:1"],
    "pull": ["app:1"],
    "images": [],
    "login": ["--username", "u", "--password-stdin", "registry.example"],
    "logout": [],
    "search": ["nginx"],
    "history": ["app:1"],
    "inspect": ["app:1"],
    "image inspect": ["app:1"],
    "import": ["-"],
    "load": [],
    "rmi": ["app:1"],
    "save": ["app:1"],
    "manifest inspect": ["app:1"],
    **{f"{kind} prune": ["--force"] for kind in ("builder", "container", "image", "volume")},
    "system prune": ["--force"],
    "run": ["missing:1", "x"],
    "create": ["missing:1", "x"],
    "cp": ["link", "c1:/x"],
    "exec": ["c1", "x"],
    "volume create": [],
    **{
        name: ["c1"]
        for name in ("attach", "container inspect", "kill", "logs", "restart", "rm", "stop")
    },
    "start": ["--attach", "c1"],
    **{f"volume {name}": ["none"] for name in ("inspect", "rm")},
}
"""The arguments of each command that needs any."""

VALUES = {
    "add-host": "db:10.0.0.1",
    "cache-from": "app:1",
    "label": "a=b",
    "tag": "other:1",
    "platform": "linux/arm64",
    "filter": "label=x",
    "format": "{{.ID}}",
    "file": "Other",
    "output": "out.tar",
    "input": "in.tar",
    "iidfile": "iid",
    "change": "ENV a=b",
    "type": "container",
    "target": "second",
    "network": "none",
    "config": "elsewhere",
    "host": "tcp://127.0.0.1:1",
    "context": "other",
    "human": "false",
    "attach": "stdin",
    "cidfile": "cid",
    "detach-keys": "ctrl-x",
    "env-file": "Other",
    "expose": "90",
    **dict.fromkeys(("health-interval", "health-timeout", "health-start-period"), "5s"),
    "health-start-interval": "5s",
    "mount": "type=volume,target=/x",
    "publish": "90:90",
    "pull": "never",
    "restart": "always",
    "since": "5",
    "sig-proxy": "false",
    "tmpfs": "/x",
    "until": "5",
    "volume": "v:/x",
}
"""A value of each option that needs a certain form."""

IN_PLACE_OF = {("login", "password"): ["--username", "u", "--password", "p", "registry.example"]}
"""The whole arguments of a command, where an option excludes others."""


_CONTAINER = {
    **{"Id": "c1" * 32, "Names": ["/c"], "Image": "app", "Command": "x", "Created": 1, "Ports": []},
    **{"Labels": {}, "State": "exited", "Status": "Exited", "Mounts": []},
    "NetworkSettings": {"Networks": {}},
}
_EVENT = {
    **{"Type": "container", "Action": "die", "timeNano": 1},
    "Actor": {"ID": "c1", "Attributes": {}},
}
REGISTRY = {
    "/containers/json": [_CONTAINER],
    "/events": _EVENT,
    "/containers/c1/json": {
        "Id": "c1",
        "Config": {"Tty": False, "OpenStdin": True},
        "State": {"Running": True},
    },
    "/containers/c1/archive": {},
    "/auth": {"Status": "Login Succeeded"},
    "/images/create?fromImage=missing": {"status": "Pulling from library/missing", "id": "1"},
    "/images/create?fromImage=app": {"status": "Pulling from library/app", "id": "1"},
    "/distribution/app:1/json": {"Platforms": [{"architecture": "arm64", "os": "linux"}]},
    "/distribution/app:1/manifest": {"schemaVersion": 2, "mediaType": media_types.DOCKER_MANIFEST},
}
"""The answers of an engine that reaches a registry; the engine of these tests reaches none."""


class Harness:
    """Runs the stand-in in this process, on an engine in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, monkeypatch
        registries = folder / "registries.json"
        registries.write_text('{"hosts": [], "offline": true}')
        scratch = folder / "scratch"
        scratch.mkdir()
        self.store = ImageStore(folder / "state", durable=False)
        self.backend = Backend(self.store, HostMap(registries), scratch)
        self.app = App(self.backend)
        self.builder = Builder(self.store, scratch)
        image = self.builder.build("FROM scratch\nLABEL y=1\n")
        self.archive = b"".join(save([image.id], self.store))
        self.requests: list[Any] = []
        monkeypatch.setattr(EngineClient, "_send", lambda client, *a: self._send(client, *a))
        monkeypatch.setattr(EngineClient, "hijack", self._hijack)
        context = folder / "context"
        context.mkdir()
        for name in ("Dockerfile", "Other"):
            (context / name).write_text(
                f"FROM scratch\nLABEL z={name}\nFROM scratch AS second\nLABEL s=1\n"
            )
        (context / "link").symlink_to("Other")
        (context / "in.tar").write_bytes(archive({"f": "x"}).getvalue())
        monkeypatch.chdir(context)

    def _send(
        self, client: EngineClient, method: str, target: str, headers: Any = None, body: Any = None
    ) -> Any:
        content = body if isinstance(body, bytes) else b"".join(body or ())
        if method != "HEAD":
            self.requests.append((client.host, method, target, content))
        start = next((s for s in REGISTRY if target.removeprefix("/v1.47").startswith(s)), "")
        if start:
            return Answer(lambda _, start_response: _canned(REGISTRY[start], start_response), {})
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "wsgi.input": io.BytesIO(content),
            **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in (headers or {}).items()},
        }
        return Answer(self.app, environ)

    def _without_ids(self, text: str) -> str:
        for container in self.backend.containers.records:
            text = text.replace(container.id, "ID")
        return text

    def _hijack(self, path: str, document: Any) -> Any:
        self.requests.append((path, document))
        raise Failure("no streams in this test")

    def run(self, words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[Any, ...]:
        """Everything that a command does: its output, status, requests and files."""
        for image in self.store.list():
            self.store.remove(image.id)
        self.store.tag(self.builder.build("FROM scratch\nLABEL y=1\n"), "app:1", timed=False)
        self.requests.clear()
        stdin = {"import": (Path.cwd() / "in.tar").read_bytes(), "load": self.archive}
        given = next((stdin[word] for word in words if word in stdin), b"n")
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        self._patch.setenv("DOCKER_CONFIG", str(self.folder / "config"))
        code = main(words)
        out, errors = map(self._without_ids, capsys.readouterr())
        requests = [
            tuple(self._without_ids(each) if isinstance(each, str) else each for each in one)
            for one in self.requests
        ]
        made = {path.name: path.stat().st_size for path in Path.cwd().iterdir()}
        for name in made.keys() - {"Dockerfile", "Other", "in.tar", "link"}:
            shutil.move(name, tempfile.mkdtemp(dir=self.folder))
        return code, out, errors, requests, made


def _canned(document: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [json.dumps(document).encode()]


class Answer(io.BytesIO):
    """An answer of the engine, with what the stand-in reads of a HTTP response."""

    def __init__(self, app: Any, environ: dict[str, Any]) -> None:
        seen: list[Any] = []
        body = app(environ, lambda status, headers: seen.extend((status, headers)))
        super().__init__(b"".join(body))
        self.status, self.headers = int(seen[0].split()[0]), dict(seen[1])


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    found = Harness(tmp_path, monkeypatch)
    yield found
    found.store.close()


def _commands() -> dict[str, Command]:
    found = {command.usage.command: command for command in COMMANDS.values()}
    for _, commands in GROUPS.values():
        found |= {command.usage.command: command for command in commands.values()}
    return found


ALL = [
    pytest.param(command.usage.command, option, id=f"{command.usage.command} --{option.name}")
    for command in _commands().values()
    for option in command.usage.options
] + [pytest.param("", option, id=f"--{option.name}") for option in GLOBAL.options]


def _words(command: str, option: Option) -> list[str]:
    """The arguments of a command; for options that need one, with an image that is there."""
    words = WORDS.get(command, [])
    needed = option.name in ("cidfile", "detach-keys")
    return [word.replace("missing:1", "app:1") if needed else word for word in words]


def _with(command: str, option: Option, value: str | None = None) -> list[str]:
    name = f"--{option.name}"
    if value is None:
        value = VALUES.get(option.name, "1" if option.kind != SWITCH else "true")
    given = f"{name}={value}"
    if given == "--force=true" and "prune" in command:
        return [*command.split(), given]
    if not command:
        return [given, *_plain(option)]
    if command == "login" and option.name == "password":
        return ["login", *IN_PLACE_OF["login", "password"]]
    return [*command.split(), given, *_words(command, option)]


def _plain(option: Option) -> list[str]:
    """A command on which an option of ``docker`` itself has an effect."""
    return ["login", *WORDS["login"]] if option.name == "config" else ["images"]


def _without(command: str, option: Option) -> list[str]:
    words = [*command.split(), *_words(command, option)] if command else _plain(option)
    if option.name == "force" and "prune" in words:
        words.remove("--force")
    if (command, option.name) == ("start", "attach"):
        words.remove("--attach")
    if command == "login" and option.name in ("username", "password-stdin"):
        words.remove("--password-stdin" if option.name == "password-stdin" else "--username")
        if option.name == "username":
            words.remove("u")
    return words


@pytest.mark.parametrize(("command", "option"), ALL)
def test_no_option_is_taken_and_ignored(
    harness: Harness,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    option: Option,
) -> None:
    """Reported as F6."""
    if (command, option.name) == ("load", "quiet"):
        # only a terminal shows the progress that this option leaves out
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    if option.name == "sig-proxy":
        pytest.skip("only a program can show that a signal is passed on")
    if option.name in ("build-arg", "env"):
        monkeypatch.setenv("1", "seen")
    is_on = option.name in ("human", "disable-content-trust") or (command, option.name) == (
        "build",
        "rm",
    )
    value = "false" if is_on else None
    seen = harness.run(_with(command, option, value), capsys)
    if option.refused:
        code, _, errors, requests, _ = seen
        name = f"docker {command}".rstrip()
        assert errors.startswith(f"{name} --{option.name}: {option.refused}")
        assert (code, requests) == (125, [])
        return
    before = harness.run(_without(command, option), capsys)
    if option.moot:
        assert seen == before
    else:
        assert option.text
        assert seen != before


@pytest.mark.parametrize(
    "words",
    [
        *(["build", f"--{option}", "."] for option in ("rm", "progress=plain", "provenance=false")),
        ["build", "--memory", "0", "--network", "default", "--builder", "default", "."],
        ["push", "--disable-content-trust", "app:1"],
    ],
)
def test_a_value_that_asks_for_what_happens_anyway_is_accepted(
    harness: Harness, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, _, errors, requests, _ = harness.run(words, capsys)
    assert code != 125, errors
    assert requests


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compose", "up"], "docker compose: Docker Compose runs several containers together"),
        (["init"], "docker init: Docker Init writes a first Dockerfile"),
        (["scout", "cves"], "`aws ecr start-image-scan`"),
        (["sbom", "nginx"], "`labs sbom IMAGE`"),
        (["model", "run"], "docker model: Docker Model Runner runs AI models"),
        (["swarm", "init"], "docker swarm: Docker Swarm runs containers on several machines"),
        (["context", "ls"], "docker context: the labs have one context"),
    ],
)
def test_a_command_that_the_labs_lack_says_what_it_is(
    harness: Harness, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    code, out, errors, _, _ = harness.run(words, capsys)
    assert (code, out, len(errors.splitlines())) == (1, "", 1)
    assert said in errors


def test_an_imported_file_system_is_an_image_with_the_changes(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = ["-c", "ENV a=b", "-c", 'CMD ["run", "$a"]', "-c", "WORKDIR /w"]
    code, out, _, _, _ = harness.run(["import", *changes, "-m", "why", "in.tar", "fs:2"], capsys)
    assert code == 0
    image = harness.store.find("fs:2")
    assert out == f"{image.id}\n"
    config = image.config["config"]
    assert config == {"Env": ["a=b"], "Cmd": ["run", "$a"], "WorkingDir": "/w"}
    assert [step["comment"] for step in image.config["history"]] == ["why"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-c", "FROM x", "in.tar"], "FROM is not a valid change command"),
        (["Dockerfile"], "error processing tar file"),
        (["https://example.com/fs.tar"], "the labs engine fetches nothing from a URL"),
        (["missing.tar"], "open missing.tar: no such file or directory"),
    ],
)
def test_what_cannot_be_imported_is_refused(
    harness: Harness, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    code, _, errors, _, _ = harness.run(["import", *words], capsys)
    assert code == 1
    assert said in errors
