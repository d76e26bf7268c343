"""What each type of action does: one function a type, called until the action has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labs_helpers.sandbox.codepipeline.actions import (
    approval,
    build,
    codecommit_source,
    ecs_blue_green,
    ecs_deploy,
    git_source,
    s3_deploy,
    sources,
)
from labs_helpers.sandbox.codepipeline.actions.work import Outcome, Work

ACTS: Mapping[tuple[str, str], Callable[[Work], Outcome]] = {
    ("Source", "S3"): sources.s3,
    ("Source", "ECR"): sources.ecr,
    ("Source", "CodeCommit"): codecommit_source.codecommit,
    ("Source", "CodeStarSourceConnection"): git_source.connection,
    ("Build", "CodeBuild"): build.codebuild,
    ("Test", "CodeBuild"): build.codebuild,
    ("Approval", "Manual"): approval.manual,
    ("Deploy", "S3"): s3_deploy.deploy,
    ("Deploy", "ECS"): ecs_deploy.deploy,
    ("Deploy", "CodeDeployToECS"): ecs_blue_green.deploy,
}
"""By category and provider (providers.py). A function may be called again after a restart."""
