"""What the watch over a git folder reports: branches, tags, and the files of a push."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.runner import git_watch
from labs_helpers.runner.git import described
from labs_helpers.runner.runner import Job
from labs_helpers.runtime import git as program
from tests.sandbox.codepipeline.test_connection import git

MOST = 100_000

Looks = list[dict[str, Any]]
Change = Callable[[], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app"
    made.mkdir()
    git(made, "init", "-qb", "main")
    return made


def commit(folder: Path, *paths: str) -> str:
    """A new commit that changes files; returns its id."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with (folder / path).open("a") as file:
            file.write("more\n")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "change")
    return git(folder, "rev-parse", "HEAD")


class _Watched(Job):
    """A job without a desk: each wait makes the next change, and after the last the job ends."""

    def __init__(self, folder: Path, refs: dict[str, str] | None, changes: list[Change]) -> None:
        super().__init__(
            None,  # type: ignore[arg-type]
            {"id": "j", "kind": "git-watch", "body": {"folder": str(folder), "refs": refs}},
        )
        self.changes = changes
        self.looks: Looks = []
        self.text = ""
        self.pauses: list[float] = []

    def report(self, *events: dict[str, Any]) -> None:
        for event in events:
            assert len(json.dumps(event)) < 90_000
            if event["type"] == "look":
                self.text += event["text"]
                if not event["more"]:
                    self.looks.append(json.loads(self.text))
                    self.text = ""

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        if not self.changes:
            return True
        self.changes.pop(0)()
        return False


def watched(folder: Path, refs: dict[str, str] | None, *changes: Change) -> Looks:
    job = _Watched(folder, refs, list(changes))
    git_watch.watch(job)
    return job.looks


def test_the_first_look_finds_what_is_there_and_the_next_what_was_pushed(folder: Path) -> None:
    made: dict[str, str] = {"first": commit(folder, "a.txt")}
    git(folder, "tag", "old")

    def push() -> None:
        made["second"] = commit(folder, "a.txt", "b/c.txt")
        made["third"] = commit(folder, "b/c.txt", "d e\n\U0001f600.txt")

    def tag() -> None:
        git(folder, "tag", "plain", made["first"])
        git(folder, "tag", "-am", "a release", "annotated")
        git(folder, "tag", "of-a-file", git(folder, "rev-parse", "HEAD:a.txt"))

    def move() -> None:
        git(folder, "tag", "-f", "plain")
        git(folder, "tag", "-d", "old")
        git(folder, "checkout", "-q", "-b", "plain")
        git(folder, "tag", "a\u2028b\x85c", made["first"])

    first, pushed, tagged, moved = watched(folder, None, push, lambda: None, tag, move)
    assert first == {
        "refs": {"refs/heads/main": made["first"], "refs/tags/old": made["first"]},
        "gone": [],
        "paths": {},
    }
    assert pushed["refs"] == {"refs/heads/main": made["third"]}
    assert sorted(pushed["paths"]["refs/heads/main"]) == ["a.txt", "b/c.txt", "d e\n\U0001f600.txt"]
    assert tagged["refs"] == {
        "refs/tags/plain": made["first"],
        "refs/tags/annotated": made["third"],
    }
    assert tagged["paths"] == {}
    # a branch may have the name of a tag
    assert moved["refs"] == {
        "refs/tags/plain": made["third"],
        "refs/heads/plain": made["third"],
        "refs/tags/a\u2028b\x85c": made["first"],
    }
    assert moved["gone"] == ["refs/tags/old"]
    assert moved["paths"] == {"refs/heads/plain": []}


def test_a_new_branch_has_no_commit_that_a_known_branch_got_in_the_same_look(folder: Path) -> None:
    commit(folder, "a.txt")

    def push() -> None:
        commit(folder, "on-main.txt")
        git(folder, "checkout", "-q", "-b", "feature/a")
        commit(folder, "on-the-branch.txt")

    _, pushed = watched(folder, None, push)
    assert pushed["paths"] == {
        "refs/heads/main": ["on-main.txt"],
        "refs/heads/feature/a": ["on-the-branch.txt"],
    }


def test_a_watch_that_begins_again_finds_what_was_pushed_in_between(folder: Path) -> None:
    known = {"refs/heads/main": commit(folder, "a.txt"), "refs/heads/gone": "1" * 40}
    last = commit(folder, "b.txt")
    (look,) = watched(folder, known)
    assert look == {
        "refs": {"refs/heads/main": last},
        "gone": ["refs/heads/gone"],
        "paths": {"refs/heads/main": ["b.txt"]},
    }
    assert watched(folder, {"refs/heads/main": last}) == []


def test_a_folder_that_goes_and_comes_again(folder: Path) -> None:
    commit(folder, "a.txt")

    def again() -> None:
        git(folder, "init", "-qb", "main")
        commit(folder, "b.txt")

    first, gone, new = watched(folder, None, lambda: shutil.rmtree(folder / ".git"), again)
    assert (gone["refs"], gone["gone"]) == ({}, list(first["refs"]))
    # nothing that was there before is known of the new repository
    assert sorted(new["paths"]["refs/heads/main"]) == ["a.txt", "b.txt"]


def test_a_look_at_which_git_fails_finds_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(folder, "a.txt")
    asked = git_watch.git

    def slow(*given: Any) -> str:
        monkeypatch.setattr(git_watch, "git", asked)
        raise git_watch.GitFailed("git took longer") from subprocess.TimeoutExpired("git", 60)

    monkeypatch.setattr(git_watch, "git", slow)
    job = _Watched(folder, {"refs/heads/main": "2" * 40}, [lambda: None])
    git_watch.watch(job)
    assert [look["refs"] for look in job.looks] == [{"refs/heads/main": head}]
    assert job.pauses == [10.0, 0.5]


def _new_branch(folder: Path) -> tuple[str, str]:
    git(folder, "checkout", "-q", "-b", "feature", "main")
    commit(folder, "f.txt")
    return "refs/heads/feature", commit(folder, "g.txt")


def _known_commit(folder: Path) -> tuple[str, str]:
    return "refs/heads/copy", git(folder, "rev-parse", "main")


def _amended(folder: Path) -> tuple[str, str]:
    """The commit before is gone, as it is where somebody packs the folder."""
    git(folder, "checkout", "-q", "main")
    (folder / "amended.txt").write_text("x")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "--amend", "-m", "again")
    git(folder, "reflog", "expire", "--expire=all", "--all")
    git(folder, "gc", "-q", "--prune=now")
    return "refs/heads/main", git(folder, "rev-parse", "HEAD")


def _all_new(folder: Path) -> tuple[str, str]:
    """Nothing of the repository before is left."""
    shutil.rmtree(folder / ".git")
    git(folder, "init", "-qb", "main")
    return "refs/heads/main", commit(folder, "c.txt")


def _taken_back(folder: Path) -> tuple[str, str]:
    git(folder, "reset", "-q", "--hard", "main~1")
    return "refs/heads/main", git(folder, "rev-parse", "HEAD")


def _without_parents(folder: Path) -> tuple[str, str]:
    git(folder, "checkout", "-q", "--orphan", "site")
    return "refs/heads/site", commit(folder, "index.html")


def _moved_and_deleted(folder: Path) -> tuple[str, str]:
    git(folder, "mv", "a.txt", "z.txt")
    git(folder, "rm", "-q", "b.txt")
    return "refs/heads/main", commit(folder, "c.txt")


def _merge(folder: Path) -> tuple[str, str]:
    """Two branches changed a file, and the merge has a third text."""
    git(folder, "checkout", "-q", "-b", "other", "main~1")
    (folder / "b.txt").write_text("theirs")
    commit(folder, "o.txt")
    git(folder, "checkout", "-q", "main")
    with pytest.raises(subprocess.CalledProcessError):  # a conflict
        git(folder, "merge", "-q", "other")
    (folder / "b.txt").write_text("both")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "merge")
    return "refs/heads/main", git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        (_new_branch, ["f.txt", "g.txt"]),
        (_known_commit, []),
        (_amended, ["amended.txt", "b.txt"]),
        (_all_new, ["a.txt", "b.txt", "c.txt"]),
        (_taken_back, []),
        (_without_parents, ["a.txt", "b.txt", "index.html"]),
        (_moved_and_deleted, ["a.txt", "b.txt", "c.txt", "z.txt"]),
        (_merge, ["b.txt", "o.txt"]),
    ],
)
def test_the_files_of_a_push(
    folder: Path, change: Callable[[Path], tuple[str, str]], paths: list[str]
) -> None:
    before = {
        "refs/tags/first": commit(folder, "a.txt"),
        "refs/heads/main": commit(folder, "b.txt"),
    }
    ref, after = change(folder)
    found = git_watch.changed_paths(folder, before, ref, after, MOST)
    assert sorted(found or []) == paths
    assert found is not None
    if change is _all_new:
        del before["refs/tags/first"]
        found = git_watch.changed_paths(folder, before, ref, after, MOST)
        assert sorted(found or []) == paths


def test_hostile_names_and_very_many_files_are_bounded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"refs/heads/main": commit(folder, "a.txt")}
    for name in (b"\xff\xfe", b"--output=x", b"new\nline", b"* -> x", b'"q"\\t'):
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_text("x")
    odd = commit(folder)
    found = git_watch.changed_paths(folder, before, "refs/heads/main", odd, MOST)
    assert set(found or ()) == {"\N{REPLACEMENT CHARACTER}" * 2, "--output=x", "new\nline",
                                "* -> x", '"q"\\t'}  # fmt: skip
    many = commit(folder, *(f"d/{number:05d}" for number in range(3100)))
    before = {"refs/heads/main": odd}
    found = git_watch.changed_paths(folder, before, "refs/heads/main", many, MOST)
    assert found == [f"d/{number:05d}" for number in range(3000)]
    # a name that the bound cuts is left out
    found = git_watch.changed_paths(folder, before, "refs/heads/main", many, 20)
    assert found == ["d/00000", "d/00001"]

    monkeypatch.setattr(git_watch, "_BRANCHES", 1)
    monkeypatch.setattr(git_watch, "_PIECE", 10_000)
    names = {f"refs/heads/b{number}": many for number in range(3)}
    look = git_watch._look(folder, before, names, first=False)
    assert [found is None for found in look["paths"].values()] == [False, True, True]
    pieces = list(git_watch.events(look))
    assert [each["more"] for each in pieces] == [True] * (len(pieces) - 1) + [False]
    assert len(pieces) > 3
    assert json.loads("".join(each["text"] for each in pieces)) == look


def test_a_second_name_of_a_branch_is_no_branch(folder: Path) -> None:
    first = commit(folder, "a.txt")
    git(folder, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    assert watched(folder, None)[0]["refs"] == {"refs/heads/main": first}


def test_a_commit_is_described_whatever_its_fields_hold(folder: Path) -> None:
    commit(folder, "a.txt")
    author, subject = "A\u2028evil@x\x0b\x85", "x" * 100_000 + "\u2028\x1c end"
    who = ("-c", f"user.name={author}", "-c", "user.email=a@b.c")
    subprocess.run(
        ["git", "-C", str(folder), *who, "commit", "-q", "--allow-empty", "-F", "-"],
        input=f"{subject}\n\nbody".encode(),
        check=True,
    )
    found = described(folder, "refs/heads/main")
    assert found["author"].startswith("A\u2028evil@x")
    assert (found["mail"], found["message"]) == ("a@b.c", "x" * 2048)
    assert found["date"].startswith("20")


def test_a_command_that_prints_too_much_is_ended(folder: Path) -> None:
    commit(folder, "a.txt")
    with pytest.raises(subprocess.CalledProcessError):
        program.first_bytes(folder, "cat-file", "--no-such-option", most=10)
    assert program.first_bytes(folder, "log", "--format=%s", most=100) == b"change\n"
    assert program.first_bytes(folder, "log", "--format=%s", most=3) == b"cha"
