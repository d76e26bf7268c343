"""What each type of action does: one function a type, called until the action has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from labs_helpers.sandbox.codepipeline import configurations
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
from labs_helpers.sandbox.codepipeline.actions.work import ActionFailed, Outcome, Work
from labs_helpers.sandbox.service.errors import ServiceError

Act = Callable[[Work], Outcome]

_ACTS: Mapping[tuple[str, str], Act] = {
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


def _checked(act: Act) -> Act:
    """An action with a wrong value in its configuration fails before it does anything.

    CreatePipeline could not see the value where a variable stands.
    """

    @wraps(act)
    def checked(work: Work) -> Outcome:
        try:
            configurations.check(work.action, work.configuration)
        except ServiceError as error:
            raise ActionFailed("ConfigurationError", error.message) from error
        return act(work)

    return checked


ACTS: Mapping[tuple[str, str], Act] = {kind: _checked(act) for kind, act in _ACTS.items()}
"""By category and provider (providers.py). A function may be called again after a restart."""
