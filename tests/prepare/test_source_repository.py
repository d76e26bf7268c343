"""A git folder whose commits go to a repository, whatever the learner's own git is set to."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.files import LabsError
from labs_helpers.prepare import Place, source_repository
from labs_helpers.workspace import Workspace


class _NoSuch(Exception):
    pass


class _Exceptions:
    RepositoryDoesNotExistException = _NoSuch


@dataclass
class CodeCommit:
    """CodeCommit with bare repositories in a folder, which git reaches by their path."""

    folder: Path
    made: list[str] = field(default_factory=list)
    exceptions = _Exceptions

    def get_repository(self, repositoryName: str) -> dict[str, Any]:
        if not (self.folder / repositoryName).exists():
            raise _NoSuch
        return {"repositoryMetadata": {"cloneUrlHttp": f"file://{self.folder / repositoryName}"}}

    def create_repository(self, repositoryName: str, **words: str) -> dict[str, Any]:
        git(self.folder, "init", "-q", "--bare", "-b", "main", repositoryName)
        self.made.append(repositoryName)
        return self.get_repository(repositoryName)


class Here(Place):
    """A place whose CodeCommit is on this machine."""

    codecommit: CodeCommit

    def client(self, service: str, region: str | None = None) -> Any:
        assert service == "codecommit"
        return self.codecommit


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The learner's git keeps passwords, and has hooks for every repository."""
    home = tmp_path / "home"
    (home / "hooks").mkdir(parents=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ana\n\temail = ana@example.com\n"
        "[credential]\n\thelper = store\n[core]\n\thooksPath = ~/hooks\n"
    )
    for name in [one for one in os.environ if one.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    made = Here(Workspace(tmp_path / "labs"), "aws", "444455556666", "eu-central-1")
    object.__setattr__(made, "codecommit", CodeCommit(tmp_path))
    return made


@pytest.fixture
def app(place: Here, tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    git(tmp_path, "init", "-q", "-b", "main", "app")
    commit(folder, "one")
    return folder


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.rstrip()


def commit(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)
    return git(folder, "rev-parse", "HEAD")


def there(place: Here) -> str:
    return git(place.codecommit.folder / "demo-app", "rev-parse", "main")


def test_the_commit_and_every_later_one_arrive(place: Here, app: Path) -> None:
    url = source_repository.connect(place, app, "demo-app")
    assert url.endswith("/demo-app")
    assert there(place) == git(app, "rev-parse", "HEAD")
    second = commit(app, "two")
    assert there(place) == second


def test_a_commit_that_takes_another_back_arrives_too(place: Here, app: Path) -> None:
    source_repository.connect(place, app, "demo-app")
    commit(app, "two")
    git(app, "revert", "--no-edit", "HEAD")
    assert there(place) == git(app, "rev-parse", "HEAD")


def test_a_second_time_changes_nothing(place: Here, app: Path) -> None:
    source_repository.connect(place, app, "demo-app")
    first = (app / ".git" / "config").read_text()
    source_repository.connect(place, app, "demo-app")
    assert (app / ".git" / "config").read_text() == first
    assert place.codecommit.made == ["demo-app"]


def test_no_helper_of_the_learner_s_is_given_the_password(place: Here, app: Path) -> None:
    before = {path: path.read_bytes() for path in Path.home().rglob("*") if path.is_file()}
    url = source_repository.connect(place, app, "demo-app")
    helpers = git(app, "config", "--get-urlmatch", "credential.helper", url)
    assert helpers == "!aws codecommit credential-helper $@"
    listed = git(app, "config", "--local", "--get-all", f"credential.{url}.helper").splitlines()
    # the empty value takes away the helpers that were named before
    assert listed == ["", "!aws codecommit credential-helper $@"]
    assert {path: path.read_bytes() for path in Path.home().rglob("*") if path.is_file()} == before


def test_a_folder_without_a_commit_is_told(place: Here, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    with pytest.raises(LabsError, match="git push failed"):
        source_repository.connect(place, tmp_path / "empty", "demo-app")
