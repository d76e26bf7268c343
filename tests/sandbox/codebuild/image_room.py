"""The labs' servers with images in ECR, for builds whose environment is an image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.policies import allow
from tests.sandbox.codebuild import build_room
from tests.sandbox.codebuild.build_room import LINUX, LOGS
from tests.sandbox.ecs import task_room
from tests.sandbox.ecs.task_room import REGISTRY
from tests.sandbox.sandbox_process import Running

IMAGE = f"{REGISTRY}/box:1"
PULL = allow(
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
)
"""https://docs.aws.amazon.com/codebuild/latest/userguide/sample-ecr.html"""


@dataclass
class ImageRoom(build_room.Room):
    """builds: as of every room of CodeBuild's; tasks: pushes images, has the engine's client."""

    tasks: Any = None

    def client(self, service: str, **changed: Any) -> Any:
        return self.tasks.client(service)

    def environment(self, image: str = IMAGE, **changed: Any) -> dict[str, Any]:
        return {**LINUX, "image": image, "imagePullCredentialsType": "SERVICE_ROLE", **changed}


@contextmanager
def running(**variables: str) -> Iterator[ImageRoom]:
    """Until the block ends. There is an image "box:1", and the role of ROLE may pull it."""
    with task_room.running(**variables) as tasks:
        home = tasks.workspace.home
        process: Any = None
        room = ImageRoom(Running(process, home, tasks.port), tasks=tasks)
        room.role("builder", LOGS, PULL)
        room.client("ecr").create_repository(repositoryName="box")
        tasks.push("box", "1", "ENV OF_THE_IMAGE=yes", "USER 1000", 'ENTRYPOINT ["/no"]')
        yield room
