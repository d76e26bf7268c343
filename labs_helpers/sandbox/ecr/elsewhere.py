"""What ECR asks other services of AWS: IAM about principals, and KMS about keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labs_helpers.sandbox.identity import NOBODY_KNOWN, Principals
from labs_helpers.sandbox.service.errors import ServiceError


class KmsError(ServiceError):
    """AWS KMS does not let ECR use a key.

    The message is that of KMS, whose name for the error is the member ``kmsError``:
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html#API_CreateRepository_Errors
    """

    code = "KmsException"

    def __init__(self, kms_error: str, message: str) -> None:
        super().__init__(message)
        self.members = {"kmsError": kms_error}

    @classmethod
    def no_key(cls, arn: str) -> KmsError:
        """There is no such key."""
        return cls("NotFoundException", f"Key '{arn}' does not exist")


def _no_key(account: str, region: str, name: str | None) -> str:
    raise KmsError.no_key(name or "alias/aws/ecr")


@dataclass(frozen=True)
class Elsewhere:
    """How ECR asks; as it is made here, every principal exists and no key does.

    principal_exists: whether the principal with this ARN exists.
    kms_key: the ARN of a key, by account, region, and the key's id, ARN or alias; for None the key
    that AWS manages for ECR. Raises KmsError for a key that cannot be used.
    principals: the unique ids of the users and roles that policies name.
    """

    principal_exists: Callable[[str], bool] = lambda arn: True
    kms_key: Callable[[str, str, str | None], str] = _no_key
    principals: Principals = NOBODY_KNOWN
