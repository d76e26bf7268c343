"""The scripts and cells of labs 09, 11 and 13 say in words what they miss."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import nbformat
import pytest
import yaml

from labs_helpers.curriculum import LABS
from tests.labs.desk import PROJECT, Desk, desk

FILES = PROJECT / "notebooks" / "files" / "09"
SAYS = {
    "answer.sh": 'say Approved or Rejected, and why:  sh answer.sh Approved "why"',
    "log.sh": "name a project:  sh log.sh demo-app-build",
    "retry.sh": "name a stage:  sh retry.sh Build",
    "tag.sh": "name two tags: the new one, and one that the image has",
}
NO_REPOSITORY = 'this folder is no git repository yet: run the cell of "Your commit" first'


def shell(folder: Path, *command: str, aws: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with an `aws` that is the shell ``aws``."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "aws"
    program.write_text(f"#!/bin/sh\n{aws}\n")
    program.chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", SAYS)
def test_a_script_without_its_words_asks_for_them_and_calls_nobody(
    name: str, tmp_path: Path
) -> None:
    done = shell(tmp_path, "sh", str(FILES / name), aws="echo called >&2")
    assert (done.returncode, done.stdout, done.stderr) == (1, f"{SAYS[name]}\n", "")


def test_a_tag_for_a_commit_that_is_not_there_asks_aws_for_nothing(tmp_path: Path) -> None:
    tagged = f"sh {FILES / 'tag.sh'} production $(git rev-parse --short=7 HEAD)"
    done = shell(tmp_path, "sh", "-c", tagged, aws="echo called >&2")
    assert (done.returncode, done.stdout) == (1, f"{SAYS['tag.sh']}\n")
    assert done.stderr.startswith("fatal: not a git repository")
    assert "called" not in done.stderr


def test_the_log_of_a_project_that_has_built_nothing(tmp_path: Path) -> None:
    done = shell(tmp_path, "sh", str(FILES / "log.sh"), "demo-app-build", aws="echo None")
    assert (done.returncode, done.stdout) == (1, "no build of demo-app-build has begun\n")


@pytest.mark.parametrize("cell", ["09-130", "09-152", "09-157", "09-42"])
def test_a_commit_before_the_repository_says_what_was_left_out(cell: str, tmp_path: Path) -> None:
    done = shell(tmp_path, "bash", "-c", source_of(cell).partition("\n")[2], aws="echo called >&2")
    assert (done.returncode, done.stdout, done.stderr) == (1, f"{NO_REPOSITORY}\n", "")


def source_of(cell: str) -> str:
    notebook = nbformat.read(PROJECT / "notebooks" / LABS["09"].notebook, as_version=4)
    (source,) = [one.source for one in notebook.cells if one.id == cell]
    return str(source)


def test_the_cell_that_plays_github_runs_the_commands_of_the_workflow_in_their_order() -> None:
    steps = yaml.safe_load((FILES / "release.yml").read_text())["jobs"]["image"]["steps"]
    runs = "\n".join(step["run"] for step in steps if "run" in step).splitlines()
    commands = [line.strip() for line in runs if line.strip()]
    # the cell hides what Docker prints, ids that differ from run to run
    cell = source_of("09-42").split("\n")
    lines = [line.partition(" > ")[0].partition(" && ")[0] for line in cell]
    assert [line for line in lines if line in commands] == commands
    assert len(commands) == 7


def test_the_cell_that_plays_github_without_a_note_says_which_cell_was_left_out(
    tmp_path: Path,
) -> None:
    source = source_of("09-42").partition("\n")[2]
    # IPython leaves what no variable has as it stands
    done = shell(tmp_path, "bash", "-c", source, "bash", "{notes[main]}", aws="echo called >&2")
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "no note: run the cell above first. On AWS nobody can play GitHub: leave this cell out\n",
        "",
    )


# an approval that waits for a commit


WAITS = """case "$*" in
*get-pipeline-state*) printf 'InProgress\\ta-token\\tan-execution\\n' ;;
*get-pipeline-execution*) git rev-parse bad ;;
*put-approval-result*) echo "$*" >> approved.txt ;;
esac"""
TWO_COMMITS = """git init -q -b main
git config user.name You; git config user.email you@example.com
git commit -q --allow-empty -m 'Give everything away'; git tag bad
git commit -q --allow-empty -m 'Nothing is free'
"""
OTHER = (
    "nothing was answered: the approval waits for the commit Give everything away, and not for: "
)


def answer(folder: Path, before: str, words: str, aws: str = WAITS) -> tuple[int, str, str]:
    """Exit code and text of answer.sh after two commits, and what AWS was told."""
    script = f"{TWO_COMMITS}{before}\nsh {FILES / 'answer.sh'} {words}"
    done = shell(folder, "sh", "-c", script, aws=aws)
    told = folder / "approved.txt"
    return done.returncode, done.stdout + done.stderr, told.read_text() if told.exists() else ""


@pytest.mark.parametrize("word", ["Approved", "Rejected"])
def test_an_answer_is_for_the_last_commit_and_no_other(word: str, tmp_path: Path) -> None:
    code, said, told = answer(tmp_path, "", f'{word} "nothing is free"')
    first, second, *more = said.splitlines()
    assert (code, first, more, told) == (1, f"{OTHER}Nothing is free", [], "")
    # the line that answers the other one is a line that can be run
    assert second.startswith(f'to answer it all the same:  sh answer.sh {word} "why" ')
    assert len(second.split()[-1]) == 7


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("git reset -q --hard bad", 'Approved "it is the last one"'),
        ("", 'Approved "by name" HEAD~1'),
        ("", 'Approved "by id" $(git rev-parse --short=7 bad)'),
        ("git reset -q --hard bad; git commit -q --allow-empty -m X", 'Approved "a tag" bad'),
    ],
)
def test_the_approval_of_the_commit_that_is_meant_is_answered(
    before: str, words: str, tmp_path: Path
) -> None:
    code, said, told = answer(tmp_path, before, words)
    assert (code, said) == (0, "you answered: Approved, for the commit: Give everything away\n")
    assert "--token a-token" in told


def test_a_commit_that_is_not_there_asks_aws_for_nothing(tmp_path: Path) -> None:
    code, said, told = answer(tmp_path, "", 'Approved "why" nobody', aws="echo called >&2")
    assert (code, said, told) == (1, "git knows no commit nobody in this folder\n", "")


def test_without_an_approval_that_waits_nothing_is_answered(tmp_path: Path) -> None:
    nothing = "printf 'Succeeded\\tNone\\tan-execution\\n'"
    assert answer(tmp_path, "", "Approved yes", aws=nothing)[:2] == (
        0,
        "no approval waits for an answer\n",
    )


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("10") as made:
        yield made


def tags(lab: Desk) -> dict[str, str]:
    """Tag -> digest, of demo-app-repo."""
    ecr = boto3.client("ecr")
    pages = ecr.get_paginator("list_images").paginate(repositoryName="demo-app-repo")
    found = [one for page in pages for one in page["imageIds"]]
    return {one["imageTag"]: one["imageDigest"] for one in found}


def test_a_tag_is_given_moved_and_given_again(lab: Desk) -> None:
    before = tags(lab)
    tag = f"sh {FILES / 'tag.sh'} production"
    lab.done(f"{tag} 1.0.0\n{tag} 1.0.0")
    assert tags(lab) == before | {"production": before["1.0.0"]}
    lab.done(f"{tag} 1.1.0")
    assert tags(lab) == before | {"production": before["1.1.0"]}


@pytest.mark.parametrize("words", ["production 1.0.O", "1.0.0 v1", "1.0.0 1.0.0"])
def test_what_cannot_be_tagged_loses_no_tag(lab: Desk, words: str) -> None:
    before = tags(lab)
    lab.shell(f"sh {FILES / 'tag.sh'} {words}")
    assert tags(lab) == before
