"""Options, the build context and logins of the stand-in."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from labs_helpers.engine.cli import build_context
from labs_helpers.engine.cli.client import Failure
from labs_helpers.engine.cli.command_line import parse
from labs_helpers.engine.cli.commands import COMMANDS, GROUPS
from labs_helpers.engine.cli.logins import HUB, Logins, key_of
from labs_helpers.engine.cli.main import main
from labs_helpers.oci import reference


def names_sent(folder: Path) -> list[str]:
    sent = build_context.send(folder, build_context.read_ignore(folder, "Dockerfile"), {})
    with tarfile.open(fileobj=io.BytesIO(b"".join(sent))) as tar:
        return tar.getnames()


def test_options_stand_anywhere_and_repeat() -> None:
    usage = COMMANDS["build"].usage
    args = parse(usage, ["-t", "a", ".", "--tag=b", "-qtc", "--no-cache", "--label", "x=y"])
    assert args.positional == ["."]
    assert args.all("tag") == ["a", "b", "c"]
    assert args.on("quiet")
    assert args.on("no-cache")
    assert not args.on("pull")


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--bogus"], "unknown flag: --bogus", 125),
        (["-x"], "unknown shorthand flag: 'x' in -x", 125),
        (["-t"], "flag needs an argument: 't' in -t", 125),
        (["--tag"], "flag needs an argument: --tag", 125),
        (["--quiet=maybe", "."], 'invalid argument "maybe" for "-q, --quiet" flag', 125),
        ([], "docker: 'docker build' requires 1 argument", 1),
    ],
)
def test_wrong_words_are_refused_in_dockers(words: list[str], message: str, code: int) -> None:
    with pytest.raises(Failure) as caught:
        parse(COMMANDS["build"].usage, words)
    assert caught.value.message.startswith(message)
    assert caught.value.code == code


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage:  docker ")


@pytest.mark.parametrize("name", sorted(GROUPS["image"][1]))
def test_every_image_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", name, "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage:  docker ")


def test_no_engine_says_what_docker_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-H", f"unix://{tmp_path}/s", "images"]) == 1
    assert capsys.readouterr().err == (
        f"failed to connect to the docker API at unix://{tmp_path}/s; check if the path is correct"
        f" and if the daemon is running: dial unix {tmp_path}/s: connect: no such file or"
        " directory. The labs' engine does not run: `labs start` starts it,"
        " and so does the first cell of a lab.\n"
    )


def test_dockerignore_is_applied_and_what_the_engine_needs_is_sent(tmp_path: Path) -> None:
    for name in ("Dockerfile", "a.log", "keep.log", "src/x.py", "src/y.log", "out/a", "out/b"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    (tmp_path / ".dockerignore").write_text(
        "# comment\n\n**/*.log\n!keep.log\n/out\n!out/b\nDockerfile\n.dockerignore\n"
    )
    assert names_sent(tmp_path) == [
        *(".dockerignore", "Dockerfile", "keep.log", "out/b", "src", "src/x.py")
    ]


def test_a_context_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "etc").symlink_to("/etc")
    assert names_sent(tmp_path) == ["etc"]


def test_hard_links_are_sent_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(5000))
    os.link(tmp_path / "a", tmp_path / "b")
    sent = b"".join(build_context.send(tmp_path, build_context.read_ignore(tmp_path, ""), {}))
    with tarfile.open(fileobj=io.BytesIO(sent)) as tar:
        assert tar.getmember("b").islnk()


def test_logins_are_found_by_every_form_of_their_name(tmp_path: Path) -> None:
    auth = {"auth": "QVdTOnRva2Vu"}
    (tmp_path / "config.json").write_text(
        json.dumps({"auths": {"https://r.example.com/v2/": auth, HUB: auth}})
    )
    logins = Logins(tmp_path)
    assert logins.find("r.example.com")["password"] == "token"
    assert logins.find(key_of(reference.parse("nginx")))["username"] == "AWS"
    assert logins.find("other.example.com") == {}


def test_logging_out_keeps_what_else_is_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"detachKeys": "ctrl-q"}')
    logins = Logins(tmp_path)
    assert logins.store("r.example.com", "AWS", "token")
    Logins(tmp_path).forget("r.example.com")
    assert json.loads((tmp_path / "config.json").read_text()) == {
        "auths": {},
        "detachKeys": "ctrl-q",
    }


def test_a_broken_config_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(Failure, match=r"parsing config file \(.*config\.json\): "):
        Logins(tmp_path)


def test_a_credential_helper_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-mine"
    helper.write_text(
        '#!/bin/sh\nread server\necho "{\\"Username\\":\\"AWS\\",\\"Secret\\":\\"$1-$server\\"}"\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "config.json").write_text('{"credHelpers": {"r.example.com": "mine"}}')
    assert Logins(tmp_path).find("r.example.com") == {
        "username": "AWS",
        "password": "get-r.example.com",
        "serveraddress": "r.example.com",
    }
