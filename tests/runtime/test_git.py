"""git in a folder of somebody else's: what the folder's configuration names is never started."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

from labs_helpers.labs.delivery import history
from labs_helpers.runner import git as of_the_runner
from labs_helpers.runner import git_watch
from labs_helpers.runtime import git
from tests.engine.engine_room import require

SIGNED = "tree {tree}\nauthor A <a@x> 1 +0000\ncommitter A <a@x> 1 +0000\ngpgsig {mark}\n\nsigned\n"
MARK = "-----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a commit on main, and a program ``started`` that says that it ran."""
    require("git")
    place = tmp_path / "repository"
    place.mkdir()
    plain(place, "init", "-q", "-b", "main")
    (place / "app.py").write_text("print('app')\n")
    (place / ".gitattributes").write_text("*.py filter=x diff=x text export-subst\n")
    plain(place, "add", ".")
    plain(place, "commit", "-q", "-m", "first")
    program = tmp_path / "started"
    program.write_text(f"#!/bin/sh\necho ran > {tmp_path}/ran\nexit 1\n")
    program.chmod(0o755)
    return place


def plain(folder: Path, *arguments: str) -> str:
    """git as a person runs it, with the configuration of the repository."""
    who = {
        f"GIT_{role}_{part}": "a@x"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    return done.stdout


def ask_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the labs ask git."""
    monkeypatch.chdir(folder)
    assert of_the_runner.git(folder, "for-each-ref", "refs/heads")
    of_the_runner.git(folder, "log", "-1", "--no-show-signature", "--format=%H", "main", "--")
    of_the_runner.git(folder, "archive", "--format=zip", "-o", f"{folder}/../packed.zip", "main")
    assert history.commits()
    assert history.file("app.py") is not None
    history.is_changed("app.py")
    git.run(folder, "rev-parse", "--verify", "HEAD^{commit}")
    before = {"refs/heads/main": "1" * 40}
    head = git.run(folder, "rev-parse", "main").stdout.decode().strip()
    assert git_watch.changed_paths(folder, before, "refs/heads/main", head, 1000)


PLANTED = [
    ("core.fsmonitor", "{program}", ["status"]),
    ("tar.zip.command", "{program}", ["archive", "--format=zip", "main"]),
    ("tar.tar.gz.command", "{program}", ["archive", "--format=tar.gz", "main"]),
    ("filter.x.clean", "{program}", ["diff"]),
    ("filter.x.smudge", "{program}", ["checkout", "--", "app.py"]),
    ("filter.x.process", "{program}", ["checkout", "--", "app.py"]),
    ("diff.external", "{program}", ["diff", "HEAD~0"]),
    ("diff.x.command", "{program}", ["diff"]),
    ("diff.x.textconv", "{program}", ["show", "--textconv", "HEAD:app.py"]),
    ("gpg.program", "{program}", ["log", "-1", "--show-signature", "signed"]),
    ("alias.first", "!{program}", ["first"]),
    ("core.pager", "{program}", ["--paginate", "log", "-1"]),
    ("core.sshCommand", "{program}", ["ls-remote", "ssh://nobody@localhost/x"]),
    ("credential.helper", "!{program}", ["credential", "fill"]),
    ("remote.origin.url", "ext::{program}", ["fetch"]),
    ("core.hooksPath", "{hooks}", ["checkout", "-q", "--detach", "main"]),
    ("core.editor", "{program}", ["commit", "--allow-empty"]),
    ("core.askPass", "{program}", ["ls-remote", "http://127.0.0.1:9/x"]),
    ("include.path", "{included}", ["status"]),
]


@pytest.mark.parametrize(("key", "value", "trap"), PLANTED, ids=[key for key, _, _ in PLANTED])
def test_a_program_in_the_configuration_never_runs(
    folder: Path, key: str, value: str, trap: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    above = folder.parent
    (above / "hooks").mkdir()
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (above / "hooks" / name).symlink_to(above / "started")
    (above / "included").write_text(f"[core]\n\tfsmonitor = {above}/started\n")
    commit = SIGNED.format(tree=plain(folder, "rev-parse", "main^{tree}").strip(), mark=MARK)
    (above / "commit").write_text(commit)
    signed = plain(folder, "hash-object", "-t", "commit", "-w", str(above / "commit")).strip()
    plain(folder, "branch", "signed", signed)
    value = value.format(
        program=above / "started", hooks=above / "hooks", included=above / "included"
    )
    plain(folder, "config", key, value)
    plain(folder, "config", "protocol.ext.allow", "always")
    plain(folder, "config", "log.showSignature", "true")
    plain(folder, "config", "filter.x.required", "false")
    (folder / "app.py").write_text("print('changed')\n")

    ask_everything(folder, monkeypatch)
    assert not (above / "ran").exists()

    # the plant is a true one wherever a person's git reaches the plant
    plain(folder, *trap)
    assert (above / "ran").exists() or key in ("credential.helper", "core.askPass", "core.pager")


def test_hooks_of_the_repository_never_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (folder / ".git/hooks" / name).unlink(missing_ok=True)
        (folder / ".git/hooks" / name).symlink_to(folder.parent / "started")
    ask_everything(folder, monkeypatch)
    assert not (folder.parent / "ran").exists()


def test_the_environment_s_configuration_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(folder.parent / "started"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(folder.parent / "started"))
    ask_everything(folder, monkeypatch)
    assert not (folder.parent / "ran").exists()


def test_worktrees_bare_and_sha256_repositories_are_read(folder: Path, tmp_path: Path) -> None:
    plain(folder, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    plain(folder, "clone", "-q", "--bare", str(folder), str(tmp_path / "bare"))
    plain(folder, "pack-refs", "--all")
    first = plain(folder, "rev-parse", "main").strip()
    for place in (folder, tmp_path / "tree", tmp_path / "bare"):
        done = git.run(place, "log", "--format=%H", "HEAD", "--")
        assert done.stdout.decode().split() == [first], (place, done.stderr)
    new = tmp_path / "sha256"
    new.mkdir()
    plain(new, "init", "-q", "-b", "main", "--object-format=sha256")
    plain(new, "commit", "-q", "--allow-empty", "-m", "x")
    assert len(git.run(new, "rev-parse", "HEAD").stdout.split()[0]) == 64


def test_a_folder_without_a_repository_is_said_in_words(tmp_path: Path) -> None:
    require("git")
    with pytest.raises(git.NoGit, match="is in no repository of git"):
        git.run(tmp_path, "log")


def test_a_changed_file_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert not history.is_changed("app.py")
    assert not history.is_changed("nothing.py")
    (folder / "app.py").write_text("print('changed')\n")
    assert history.is_changed("app.py")
    (folder / "app.py").unlink()
    assert history.is_changed("app.py")


@pytest.mark.parametrize("name", ["HEAD", "config", "packed-refs", "refs/heads/odd", "shallow"])
@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_what_is_no_plain_file_is_refused_at_once(folder: Path, name: str, kind: str) -> None:
    path = folder / ".git" / name
    path.unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(of_the_runner.GitFailed, match="is no plain file, or is too large"):
        of_the_runner.git(folder, "log", "-1")
    assert git_watch._refs(folder) is None


def test_a_tree_that_names_itself_many_times_takes_little_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight folders in each other, each with ten entries: a hundred million names."""
    entry = plain(folder, "rev-parse", "HEAD:app.py").strip()
    kind = "100644 blob"
    for _ in range(8):
        listed = "".join(f"{kind} {entry}\te{number}\n" for number in range(10))
        made = subprocess.run(
            ["git", "mktree"], cwd=folder, input=listed, capture_output=True, text=True, check=True
        )
        entry, kind = made.stdout.strip(), "040000 tree"
    commit = plain(folder, "commit-tree", "-p", "HEAD", "-m", "bomb", entry).strip()
    script = f"ulimit -v {256 * 1024}; {git._BOUND[2].partition(';')[2]}"
    monkeypatch.setattr(git, "_BOUND", (*git._BOUND[:2], script, "git"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    ran = git_watch._paths(folder, 1000, commit, "--not", "HEAD")
    assert ran is None or len(ran) <= 3000
    most = max(before, 256 * 1024)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= most
