"""The errors of EKS.

https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class NotFound(ServiceError):
    code = "ResourceNotFoundException"
    http_status = 404


class InUse(ServiceError):
    code = "ResourceInUseException"
    http_status = 409


class InvalidParameter(ServiceError):
    code = "InvalidParameterException"


class InvalidRequest(ServiceError):
    code = "InvalidRequestException"


def no_cluster(name: str) -> NotFound:
    """In EKS's words (https://github.com/hashicorp/terraform-provider-aws/issues/27560)."""
    return NotFound(f"No cluster found for name: {name}.")
