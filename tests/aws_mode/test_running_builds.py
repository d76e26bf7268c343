"""A build project that clean-up deletes has no build that runs on, and writes its log again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.clean_up import builds as kinds_of_builds
from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.prepare import Place
from labs_helpers.workspace import Workspace


@dataclass
class CodeBuild:
    """Builds that stop when asked for the ``patience``-th time; ``done``: what was asked."""

    builds: dict[str, str]
    patience: int = 1
    done: list[str] = field(default_factory=list)

    def list_builds_for_project(self, projectName: str) -> Any:
        return {"ids": list(self.builds)}

    def batch_get_builds(self, ids: list[str]) -> Any:
        return {"builds": [{"id": one, "buildStatus": self.builds[one]} for one in ids]}

    def stop_build(self, id: str) -> None:
        self.done.append(f"stop {id}")
        if self.done.count(f"stop {id}") >= self.patience:
            self.builds[id] = "STOPPED"

    def delete_project(self, name: str) -> None:
        self.done.append(f"delete {name}")


class There(Place):
    builds: CodeBuild

    def client(self, service: str, region: str | None = None) -> Any:
        return self.builds


def deleted(folder: Path, builds: CodeBuild) -> list[str]:
    place = There(Workspace(folder), "aws", "444455556666", "eu-central-1")
    object.__setattr__(place, "builds", builds)
    KINDS["build project"].delete(place, "demo-app-build")
    return builds.done


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds_of_builds, "_PAUSE", 0)


def test_the_builds_that_run_stop_first(tmp_path: Path) -> None:
    builds = CodeBuild({"one": "SUCCEEDED", "two": "IN_PROGRESS"})
    assert deleted(tmp_path, builds) == ["stop two", "delete demo-app-build"]


def test_a_build_that_takes_its_time_is_waited_for(tmp_path: Path) -> None:
    builds = CodeBuild({"one": "IN_PROGRESS"}, patience=3)
    assert deleted(tmp_path, builds) == [*["stop one"] * 3, "delete demo-app-build"]


def test_a_build_that_never_stops_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds_of_builds, "_SECONDS", 0)
    builds = CodeBuild({"one": "IN_PROGRESS"}, patience=9)
    assert deleted(tmp_path, builds) == ["stop one", "delete demo-app-build"]


def test_a_project_without_builds_is_deleted(tmp_path: Path) -> None:
    assert deleted(tmp_path, CodeBuild({})) == ["delete demo-app-build"]
