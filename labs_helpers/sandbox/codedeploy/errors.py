"""The errors of CodeDeploy; one class for those whose messages differ from place to place.

Codes: https://docs.aws.amazon.com/codedeploy/latest/userguide/error-codes.html, and the section
"Errors" of each operation. Sentences are those that users quote from AWS, where there are any.
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class Refused(ServiceError):
    """A request that CodeDeploy refuses, with AWS's code for the reason."""

    def __init__(self, code: str, message: str) -> None:
        """code: without "Exception" at its end."""
        super().__init__(message)
        self.code = f"{code}Exception"


class NoApplication(ServiceError):
    """There is no such application."""

    code = "ApplicationDoesNotExistException"
    words = "No application found for name: {name}"


class NoGroup(ServiceError):
    """The application has no such deployment group."""

    code = "DeploymentGroupDoesNotExistException"
    words = "No Deployment Group found for name: {name}"


class NoConfig(ServiceError):
    """There is no such deployment configuration."""

    code = "DeploymentConfigDoesNotExistException"
    words = "No deployment configuration found for name: {name}"


class NoDeployment(ServiceError):
    """There is no such deployment."""

    code = "DeploymentDoesNotExistException"
    words = "The deployment {id} could not be found"


class Completed(ServiceError):
    """The deployment has ended."""

    code = "DeploymentAlreadyCompletedException"
    words = "The deployment {id} is already completed."


class BadDeploymentId(ServiceError):
    """At least one ID has not the form of an ID."""

    code = "InvalidDeploymentIdException"
    words = "Specified DeploymentId is not in the valid format: {id}"
