"""What a restart of the sandbox keeps of repositories, and what it takes away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codecommit.errors import RepositoryDoesNotExist
from labs_helpers.sandbox.codecommit.service import CodeCommitService

PLACE = ("123456789012", "us-west-2")


def opened(root: Path) -> CodeCommitService:
    def anything(*asked: Any, **more: Any) -> None:
        """Everything is allowed, and nobody listens."""

    return CodeCommitService(root, Clock(), anything, anything, anything)


def test_a_restart_keeps_repositories_and_removes_folders_without_a_row(tmp_path: Path) -> None:
    service = opened(tmp_path)
    made = service.repositories.create(PLACE, "app")
    cut_short = tmp_path / "git" / "cut-short.git"
    cut_short.mkdir()
    service.store.close()
    again = opened(tmp_path)
    assert again.repositories.require(PLACE, "app") == made
    with again.repositories.reading(made) as repo:
        assert repo.bare
    assert not cut_short.exists()
    again.store.close()


def test_a_damaged_database_is_set_aside_with_the_git_folders(tmp_path: Path) -> None:
    service = opened(tmp_path)
    made = service.repositories.create(PLACE, "app")
    service.store.close()
    for each in tmp_path.glob("codecommit.sqlite*"):
        each.write_bytes(b"no database" * 1000)
    with pytest.warns(UserWarning, match="CodeCommit"):
        again = opened(tmp_path)
    with pytest.raises(RepositoryDoesNotExist):
        again.repositories.require(PLACE, "app")
    name = f"{made['repositoryId']}.git"
    assert [path.name for path in tmp_path.rglob(name)] == [name]
    again.store.close()
