"""The environment of each mode: what it sets, what it takes away, and that it can be repeated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from labs_helpers import modes
from labs_helpers.engine.cli.command_line import GLOBAL, option_words
from labs_helpers.files import LabsError, write_json
from labs_helpers.learners_copy.place import folder
from labs_helpers.modes import UNSET, environment
from labs_helpers.runtime.shims import (
    STANDIN_MODULE,
    Docker,
    choose_docker,
    place_aws,
    place_docker,
)
from labs_helpers.workspace import Workspace

PYTHON = "/venv/bin/python"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "h").create()


def test_sandbox_sets_what_the_contract_says(workspace: Workspace) -> None:
    home = workspace.home
    given = environment(workspace, 4567, {"PATH": "/usr/bin", "NO_PROXY": "corp.example"}, PYTHON)
    assert {name: given.set[name] for name in given.set if "GIT_CONFIG_" not in name} == {
        "LABS_HOME": str(home),
        "LABS_MODE": "sandbox",
        "ACCOUNT": "123456789012",
        "REGISTRY": "123456789012.dkr.ecr.us-west-2.amazonaws.com",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4567",
        "AWS_CONFIG_FILE": f"{home}/aws/config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{home}/aws/credentials",
        "BOTO_CONFIG": f"{home}/aws/boto",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "DOCKER_HOST": f"unix://{home}/engine/docker.sock",
        "DOCKER_CONFIG": f"{home}/docker",
        "PATH": f"{home}/bin:/venv/bin:/usr/bin",
        "GIT_CEILING_DIRECTORIES": f"{home}/work:{folder(workspace)}",
        "NO_PROXY": "127.0.0.1,localhost,corp.example",
        "no_proxy": "127.0.0.1,localhost",
    }


def test_git_reaches_codecommit_beside_what_git_was_told_before(workspace: Workspace) -> None:
    mine = {"PATH": os.environ["PATH"], "GIT_CONFIG_COUNT": "1"}
    mine |= {"GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Ada"}

    def told(environ: dict[str, str], *name: str) -> str:
        command = ["git", "config", "--get", *name]
        return subprocess.run(command, env=environ, capture_output=True, text=True).stdout.strip()

    before = environment(workspace, 4000, mine).applied(mine)
    left = environment(workspace, 4567, before).applied(before)
    url = "http://git-codecommit.eu-west-1.amazonaws.com/v1/repos/x"
    command = ["git", "config", "--get-urlmatch", "http.proxy", url]
    done = subprocess.run(command, env=left, capture_output=True, text=True)
    assert done.stdout.strip() == "http://127.0.0.1:4567"
    assert told(left, "user.name") == "Ada"
    assert left["GIT_CONFIG_COUNT"] == before["GIT_CONFIG_COUNT"]

    aws = {**left, "LABS_MODE": "aws"}
    outside = environment(workspace, 4567, aws).applied(aws)
    assert outside["GIT_CONFIG_COUNT"] == "1"
    assert told(outside, "user.name") == "Ada"


def test_sandbox_takes_away_whatever_leads_past_it(workspace: Workspace) -> None:
    inherited = dict.fromkeys(UNSET, "x") | {
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2",
        "HOME": "/home/learner",
    }
    left = environment(workspace, 4566, inherited).applied(inherited)
    assert left["HOME"] == "/home/learner"
    assert sorted(name for name in left if left[name] == "x" or "example" in left[name]) == []
    assert not {"AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} & left.keys()


def test_applying_it_twice_changes_nothing(workspace: Workspace) -> None:
    once = environment(workspace, 4566, {"PATH": "/usr/bin"}, PYTHON).applied({"PATH": "/usr/bin"})
    assert environment(workspace, 4566, once, PYTHON).applied(once) == once


def test_aws_mode_redirects_nothing(workspace: Workspace) -> None:
    mine = {"PATH": "/usr/bin", "AWS_PROFILE": "work", "LABS_MODE": "aws", "DOCKER_HOST": "ssh://b"}
    left = environment(workspace, 4566, mine, PYTHON).applied(mine)
    ours = {"LABS_HOME": str(workspace.home), "PATH": "/usr/bin:/venv/bin"}
    git = {"GIT_CEILING_DIRECTORIES": f"{workspace.home}/work:{folder(workspace)}"}
    assert left == {**mine, **ours, **git}


def test_aws_mode_in_a_sandbox_terminal_takes_the_sandbox_back(workspace: Workspace) -> None:
    outside = {"PATH": "/usr/bin"}
    terminal = environment(workspace, 4566, outside, PYTHON).applied(outside)
    terminal["LABS_MODE"] = "aws"
    left = environment(workspace, 4566, terminal, PYTHON).applied(terminal)
    assert [name for name in left if name.startswith(("AWS_", "DOCKER_"))] == ["AWS_PAGER"]
    assert left["PATH"] == "/usr/bin:/venv/bin"


def test_the_mode_is_the_variables_then_the_remembered_one(workspace: Workspace) -> None:
    assert modes.mode(workspace, {}) == "sandbox"
    workspace.remember(mode="aws")
    assert modes.mode(workspace, {}) == "aws"
    assert modes.mode(workspace, {"LABS_MODE": "sandbox"}) == "sandbox"
    with pytest.raises(LabsError, match="LABS_MODE is 'AWS!'"):
        modes.mode(workspace, {"LABS_MODE": "AWS!"})


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    folder = tmp_path / "usr-bin"
    folder.mkdir()
    command = folder / "docker"
    command.write_text('#!/bin/sh\necho "installed $1"\n')
    command.chmod(0o755)
    return command


def test_an_installed_docker_wins(workspace: Workspace, installed: Path) -> None:
    place_docker(workspace, choose_docker(workspace, {"PATH": ""}), option_words(GLOBAL))
    # ours, left from before, comes first on a labs terminal's PATH and must not be taken for one
    path = os.pathsep.join([str(workspace.bin), str(installed.parent)])
    choice = choose_docker(workspace, {"PATH": path})
    assert (choice.kind, choice.path) == ("installed", installed)
    place_docker(workspace, choice, option_words(GLOBAL), python="/bin/echo")
    said = [
        subprocess.run([workspace.bin / "docker", *words], capture_output=True, text=True).stdout
        for words in (["info"], ["manifest", "inspect", "a b"])
    ]
    # `docker manifest` would ask a registry itself, by a name that leads to AWS
    assert said == ["installed info\n", f"-m {STANDIN_MODULE} manifest inspect a b\n"]


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("-D manifest inspect x", True),
        ("--config manifest manifest inspect x", True),
        ("--config=/c -H unix:///x -Dl debug --tls manifest inspect x", True),
        ("-D pull manifest", False),
        ("-c manifest info", False),
        ("-cdefault --host manifest images", False),
        ("-D", False),
    ],
)
def test_a_manifest_is_ours_after_options_of_docker_itself(
    workspace: Workspace, installed: Path, words: str, ours: bool
) -> None:
    place_docker(
        workspace, Docker("chosen", installed, ""), option_words(GLOBAL), python="/bin/echo"
    )
    command = [workspace.bin / "docker", *words.split()]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == (
        f"-m {STANDIN_MODULE} {words}\n" if ours else f"installed {words.split()[0]}\n"
    )


@pytest.mark.parametrize("environ", [{"PATH": ""}, {"LABS_DOCKER": "standin"}])
def test_ours_stands_in_where_none_is_installed_or_when_told(
    workspace: Workspace, environ: dict[str, str]
) -> None:
    choice = choose_docker(workspace, environ)
    place_docker(workspace, choice, option_words(GLOBAL), python="/bin/echo")
    ran = subprocess.run([choice.path, "push", "a b"], capture_output=True, text=True, check=True)
    assert choice.kind == "standin"
    assert ran.stdout == f"-m {STANDIN_MODULE} push a b\n"


def test_a_named_docker_is_used(workspace: Workspace, installed: Path) -> None:
    choice = choose_docker(workspace, {"LABS_DOCKER": str(installed), "PATH": ""})
    place_docker(workspace, choice, option_words(GLOBAL))
    ran = subprocess.run([workspace.bin / "docker", "info"], capture_output=True, check=True)
    assert ran.stdout == b"installed info\n"


def test_a_named_docker_that_is_none_is_refused(workspace: Workspace) -> None:
    with pytest.raises(LabsError, match="/nowhere/docker, which is not a command"):
        choose_docker(workspace, {"LABS_DOCKER": "/nowhere/docker"})


def test_aws_runs_as_installed_from_a_home_of_the_labs(
    workspace: Workspace, tmp_path: Path
) -> None:
    installed = tmp_path / "aws"
    installed.write_text('#!/bin/sh\necho "$HOME $https_proxy $1"\n')
    installed.chmod(0o755)
    place_aws(workspace, 4566, {"PATH": f"{workspace.bin}{os.pathsep}{tmp_path}"}, python="/none")
    # this process stands for the sandbox: the launcher says so when there is none
    write_json(workspace.sandbox / "server.json", {"pid": os.getpid()})
    ran = subprocess.run([workspace.bin / "aws", "a b"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{workspace.home}/aws http://127.0.0.1:4566 a b\n"


def test_a_named_aws_is_used_instead_of_the_one_beside_python(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("beside", "named"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "aws").write_text(f"#!/bin/sh\necho {name}\n")
        (tmp_path / name / "aws").chmod(0o755)
    chosen = {"LABS_AWS": str(tmp_path / "named" / "aws")}
    place_aws(workspace, 4566, chosen, python=str(tmp_path / "beside" / "python"))
    write_json(workspace.sandbox / "server.json", {"pid": os.getpid()})
    ran = subprocess.run([workspace.bin / "aws", "s3"], capture_output=True, text=True, check=True)
    assert ran.stdout == "named\n"


def test_a_named_aws_that_is_none_is_refused(workspace: Workspace) -> None:
    with pytest.raises(LabsError, match="/nowhere/aws, which is not a command"):
        place_aws(workspace, 4566, {"LABS_AWS": "/nowhere/aws"})


def test_no_launcher_stands_for_an_aws_that_is_not_installed(workspace: Workspace) -> None:
    place_aws(workspace, 4566, {"PATH": str(workspace.bin)}, python="/none")
    assert list(workspace.bin.iterdir()) == []
