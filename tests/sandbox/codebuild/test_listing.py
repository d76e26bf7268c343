"""Lists of projects: more than a page, in every order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codebuild.service import CodeBuildService
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service.events import nobody
from labs_helpers.sandbox.service.work import Desk
from tests.sandbox.codebuild.build_room import LINUX, ROLE

ANN = Principal("123456789012", "arn:aws:iam::123456789012:user/ann", "AIDAANN", "AKIAANN")
NAMES = [f"project-{number:03d}" for number in range(101)]


class EveryRole:
    """`ServiceRoles` in which each role trusts CodeBuild."""

    def check(self, *asked: Any) -> None:
        """No role is refused."""


def anybody(*asked: Any, **more: Any) -> None:
    """`identity.Authorize` that allows everything."""


def no_folder(connection: str, repository: str) -> str:
    raise LookupError("no connection is here")


def no_password(account: str, region: str, project: str) -> str:
    """CodeBuild's own login, which no project here asks for."""
    raise LookupError("no image is pulled here")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodeBuildService]:
    roles: Any = EveryRole()
    folder: Path = tmp_path_factory.mktemp("codebuild")
    made = CodeBuildService(folder, Clock(), anybody, Desk(), roles, nobody, no_folder, no_password)
    for name in NAMES:
        project = {
            "name": name,
            "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": LINUX,
            "serviceRole": ROLE,
        }
        ask(made, "CreateProject", project)
    yield made
    made.store.close()


def ask(service: CodeBuildService, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    target = f"CodeBuild_20161006.{operation}"
    answer = service.handle(target, json.dumps(params).encode(), ANN, "us-west-2")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ({}, NAMES),
        ({"sortBy": "NAME", "sortOrder": "DESCENDING"}, NAMES[::-1]),
        ({"sortBy": "CREATED_TIME"}, NAMES),
        ({"sortBy": "LAST_MODIFIED_TIME", "sortOrder": "DESCENDING"}, NAMES[::-1]),
    ],
)
def test_projects_are_listed_in_order_and_in_pages(
    service: CodeBuildService, order: dict[str, str], names: list[str]
) -> None:
    first = ask(service, "ListProjects", order)
    second = ask(service, "ListProjects", {**order, "nextToken": first["nextToken"]})
    assert first["projects"] + second["projects"] == names
    assert len(first["projects"]) == 100
    assert "nextToken" not in second


def test_a_token_of_another_order_is_refused(service: CodeBuildService) -> None:
    token = ask(service, "ListProjects", {})["nextToken"]
    body = json.dumps({"sortOrder": "DESCENDING", "nextToken": token}).encode()
    answer = service.handle("CodeBuild_20161006.ListProjects", body, ANN, "us-west-2")
    assert json.loads(answer.body)["__type"] == "InvalidInputException"
