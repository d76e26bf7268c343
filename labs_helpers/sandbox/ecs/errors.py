"""The errors of ECS.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html, and the section
"Errors" of each operation.
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class InvalidParameter(ServiceError):
    """A parameter that the operation does not take."""

    code = "InvalidParameterException"


class Refused(ServiceError):
    """An action that cannot be done, or a resource that is not there."""

    code = "ClientException"


class NoCluster(ServiceError):
    """There is no such cluster."""

    code = "ClusterNotFoundException"
    words = "Cluster not found."


class NoService(ServiceError):
    """There is no such service in the cluster."""

    code = "ServiceNotFoundException"
    words = "Service not found."


class ServiceNotActive(ServiceError):
    """The service is deleted, or about to be."""

    code = "ServiceNotActiveException"
    words = "Service was not ACTIVE."


class NoServiceDeployment(ServiceError):
    """There is no such service deployment."""

    code = "ServiceDeploymentNotFoundException"
    words = "Service deployment not found."


class NoTaskSet(ServiceError):
    """The service has no such task set."""

    code = "TaskSetNotFoundException"
    words = "The specified task set was not found."


class Conflict(ServiceError):
    """The resource is not in a state for this."""

    code = "ConflictException"


class ClusterHasServices(ServiceError):
    """A cluster with active services is not deleted."""

    code = "ClusterContainsServicesException"
    words = "The Cluster cannot be deleted while Services are active."


class ClusterHasTasks(ServiceError):
    """A cluster with active tasks is not deleted."""

    code = "ClusterContainsTasksException"
    words = "The Cluster cannot be deleted while Tasks are active."
