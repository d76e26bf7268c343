"""What ECR asks other services of AWS: IAM, KMS and Secrets Manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.ecr.repositories import Registry, Repository
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


class SecretNotFound(ServiceError):
    """A rule names a secret that there is not; the words are those of botocore's model."""

    code = "SecretNotFoundException"
    words = (
        "The ARN of the secret specified in the pull through cache rule was not found. Update the "
        "pull through cache rule with a valid secret ARN and try again."
    )


def _no_secret(account: str, region: str, arn: str) -> str:
    raise SecretNotFound()


def _no_key(account: str, region: str, name: str | None) -> str:
    raise KmsError.no_key(name or "alias/aws/ecr")


@dataclass(frozen=True)
class Elsewhere:
    """How ECR asks; as it is made here, every principal exists, and no key or secret.

    principal_exists: whether the principal with this ARN exists.
    kms_key: the ARN of a key, by account, region, and the key's id, ARN or alias; for None the key
    that AWS manages for ECR. Raises KmsError for a key that cannot be used.
    principals: the unique ids of the users and roles that policies name.
    secret: the text of a secret, by account, region and ARN. Raises SecretNotFound.
    upstream_failure: why the upstream of a rule cannot be logged in to, by the rule, account and
    region; empty if that works.
    """

    principal_exists: Callable[[str], bool] = lambda arn: True
    kms_key: Callable[[str, str, str | None], str] = _no_key
    principals: Principals = NOBODY_KNOWN
    secret: Callable[[str, str, str], str] = _no_secret
    upstream_failure: Callable[[Mapping[str, Any], str, str], str] = lambda rule, *place: ""

    def encryption(self, registry: Registry, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """The encryption with its key: the key that is wanted, or the one that AWS manages for ECR.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_EncryptionConfiguration.html
        Raises KmsError for a key that cannot be used.
        """
        if wanted["encryptionType"] == "AES256":
            return wanted
        key = self.kms_key(registry.account, registry.region, wanted.get("kmsKey"))
        return {**wanted, "kmsKey": key}

    def require_key(self, repository: Repository) -> None:
        """Raise KmsError when the key of a repository cannot be used, which ends push and pull.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
        """
        if key := repository.encryption.get("kmsKey"):
            registry = repository.registry
            self.kms_key(registry.account, registry.region, key)
