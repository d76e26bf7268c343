"""Lab 14 begins with what the learner has, and takes away only what it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs_helpers.labs.deployment import web
from labs_helpers.prepare import beginning, ecs, ecs_service
from tests.labs.desk import Desk, desk

COUNTS = """aws ecr list-images --repository-name demo-app-repo --query 'length(imageIds)'
aws ecs list-task-definitions --query 'length(taskDefinitionArns)'
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("14") as made:
        yield made


def first_start(lab: Desk) -> list[str]:
    """What the first start of the lab removes."""
    beginning.make("14", lab.place, over=False)
    return lab.place.removed


def test_what_the_learner_has_stays(lab: Desk) -> None:
    lab.begin()
    lab.done(
        "aws ecs update-service --cluster demo --service web --desired-count 1 --query x\n"
        "aws ecs wait services-stable --cluster demo --services web\n"
        "aws ecs create-cluster --cluster-name mine --query cluster.status\n"
        "aws ecr create-repository --repository-name mine --query repository.repositoryName"
    )
    before, had = web.service(lab.place), lab.shell(COUNTS).stdout
    assert first_start(lab) == []
    after = web.service(lab.place)
    assert (after["createdAt"], after["desiredCount"]) == (before["createdAt"], 1)
    assert after["taskDefinition"] == before["taskDefinition"]
    assert lab.shell(COUNTS).stdout == had


def test_a_beginning_that_is_made_over_is_the_same_for_everybody(lab: Desk) -> None:
    lab.done("aws ecs update-service --cluster demo --service web --desired-count 1 --query x")
    beginning.make("14", lab.place)
    assert "cluster demo" in lab.place.removed
    assert web.service(lab.place)["runningCount"] == web.TASKS


def test_only_what_is_missing_is_made(lab: Desk) -> None:
    lab.begin()
    ecs_service.remove(lab.place, "demo", "web")
    lab.done(
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=1.0.0\n"
        "aws ecr put-image-tag-mutability --repository-name demo-app-repo \\\n"
        "  --image-tag-mutability IMMUTABLE"
    )
    images, _ = lab.shell(COUNTS).stdout.split()
    assert first_start(lab) == ["role demo-app-execution"]  # the tasks' new role has its name
    assert web.service(lab.place)["runningCount"] == web.TASKS
    # the image that was there is still there, and the repository's setting too
    assert lab.shell(COUNTS).stdout.split()[0] == str(int(images) + 1)
    setting = lab.shell(
        "aws ecr describe-repositories --repository-names demo-app-repo \\\n"
        "  --query 'repositories[0].imageTagMutability' --output text"
    )
    assert setting.stdout.strip() == "IMMUTABLE"
    assert ecs.services(lab.place, "demo") == ["web"]


def test_a_repository_that_refuses_its_owner_s_push_is_made_anew_and_named(lab: Desk) -> None:
    deny = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", '
        '"Action": "ecr:PutImage"}]}'
    )
    lab.done(
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=1.0.0\n"
        f"aws ecr set-repository-policy --repository-name demo-app-repo --policy-text '{deny}'"
    )
    said, *others = first_start(lab)
    assert others == []
    assert said.startswith("of repository demo-app-repo: 1 image ")
    assert said.endswith("and the settings you gave it")
