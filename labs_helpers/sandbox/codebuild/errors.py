"""The errors of CodeBuild.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html#API_StartBuild_Errors
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class InvalidInput(ServiceError):
    """A parameter, or a combination of parameters, that CodeBuild does not take."""

    code = "InvalidInputException"


class NotFound(ServiceError):
    """There is no such project, build or webhook, or no access token."""

    code = "ResourceNotFoundException"


class AlreadyExists(ServiceError):
    """There is a project of this name, or the project has a webhook."""

    code = "ResourceAlreadyExistsException"


class LimitExceeded(ServiceError):
    """More builds than the project or the account may have at once."""

    code = "AccountLimitExceededException"


class OAuthProviderFailed(ServiceError):
    """GitHub does not let CodeBuild do this."""

    code = "OAuthProviderException"


def no_project(arn: str) -> NotFound:
    """In CodeBuild's words (https://github.com/hashicorp/terraform-provider-aws/issues/20176)."""
    return NotFound(f"Project cannot be found: {arn}")


def no_build(arn: str) -> NotFound:
    return NotFound(f"Build cannot be found: {arn}")
