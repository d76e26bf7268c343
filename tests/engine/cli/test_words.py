"""Options, the build context and logins of the stand-in."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from labs_helpers.engine.cli import build_context
from labs_helpers.engine.cli.client import EngineClient, Failure
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


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("images", ["a", "b"], "docker: 'docker images' requires at most 1 argument\n"),
        ("port", [], "docker: 'docker port' requires at least 1 and at most 2 arguments\n"),
        ("version", ["x"], "docker: 'docker version' accepts no arguments\n"),
        ("tag", ["x"], "docker: 'docker tag' requires 2 arguments\n"),
    ],
)
def test_a_wrong_number_of_arguments_is_counted(name: str, words: list[str], message: str) -> None:
    with pytest.raises(Failure) as caught:
        parse(COMMANDS[name].usage, words)
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith(f"Run 'docker {name} --help' for more information")


def test_too_few_arguments_end_with_another_verb() -> None:
    """As in cli/required.go of Docker 29.7.2."""
    with pytest.raises(
        Failure, match=r"requires at least 1 argument\n\n.*\n\nSee 'docker rmi --help'"
    ):
        parse(COMMANDS["rmi"].usage, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "much"], 'invalid argument "much" for "-m, --memory" flag: invalid size: \'much\''),
        (
            ["--health-timeout", "x"],
            'invalid argument "x" for "--health-timeout" flag: time: invalid duration "x"',
        ),
        (
            ["--pids-limit", "x"],
            'invalid argument "x" for "--pids-limit" flag: strconv.ParseInt: parsing "x": invalid'
            " syntax",
        ),
        (
            ["--mount", "type=bind,foo=1"],
            'invalid argument "type=bind,foo=1" for "--mount" flag: unknown option \'foo\' in'
            " 'foo=1'",
        ),
        (
            ["--mount", "foo"],
            'invalid argument "foo" for "--mount" flag: invalid field \'foo\' must be a key=value'
            " pair",
        ),
    ],
)
def test_a_value_that_cannot_be_read_comes_with_the_usage(words: list[str], message: str) -> None:
    run = COMMANDS["run"]
    with pytest.raises(Failure) as caught:
        run(parse(run.usage, [*words, "image"]), EngineClient("unix:///nowhere"))
    assert caught.value.code == 125
    assert caught.value.message == (
        f"{message}\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
        "Run 'docker run --help' for more information"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "abc"], "invalid containerPort: abc"),
        (["-p", "x:80"], "invalid hostPort: x"),
        (
            ["-p", "1-3:8-9"],
            "invalid ranges specified for container and host Ports: 8-9 and 1-3",
        ),
        (["--restart", ":1"], "invalid restart policy format: no policy provided before colon"),
        (
            ["--restart", "always:x"],
            "invalid restart policy format: maximum retry count must be an integer",
        ),
        (["--env-file", "/nope"], "open /nope: no such file or directory"),
        (
            ["--pull", "often"],
            'invalid pull option: \'often\': must be one of "always", "missing" or "never"',
        ),
    ],
)
def test_what_run_cannot_use_comes_with_a_hint(words: list[str], message: str) -> None:
    run = COMMANDS["run"]
    with pytest.raises(Failure) as caught:
        run(parse(run.usage, [*words, "image"]), EngineClient("unix:///nowhere"))
    assert caught.value.code == 125
    assert caught.value.message == (
        f"docker: {message}\n\nRun 'docker run --help' for more information"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["-p", "x", "--password-stdin"],
            "conflicting options: cannot specify both --password and --password-stdin",
        ),
        (["-u", "x"], "error: cannot perform an interactive login from a non-TTY device"),
    ],
)
def test_a_login_that_cannot_be_is_refused(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    login = COMMANDS["login"]
    with pytest.raises(Failure) as caught:
        login(parse(login.usage, words), EngineClient("unix:///nowhere"))
    assert caught.value.message == message


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
