"""Keys and secrets that ECR uses; moto's KMS and Secrets Manager hold them."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.ecr.elsewhere import KmsError, SecretNotFound
from labs_helpers.sandbox.moto.kept.state import changing
from labs_helpers.sandbox.moto.service_states import unusable

_MANAGED = "alias/aws/ecr"


def key_for_ecr(account: str, region: str, name: str | None) -> str:
    """The ARN of a key by its id, ARN or alias; for None, of the key that AWS manages for ECR.

    As on AWS, the first use makes the managed key:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    Raises KmsError for a key that does not exist or is not enabled.
    """
    from moto.kms.models import kms_backends  # not at the start, which nobody should wait for

    with changing():
        return _usable_key(kms_backends[account][region], account, region, name)


def _usable_key(backend: Any, account: str, region: str, name: str | None) -> str:
    if name is None and not backend.alias_exists(_MANAGED):
        words = "Default key that protects my ECR data when no other key is defined"
        made = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", words, None)
        made.key_manager = "AWS"
        backend.create_alias(made.id, _MANAGED)
    wanted = name or _MANAGED
    plain = backend.get_key_id(backend.get_alias_name(wanted))
    if plain.startswith("alias/"):
        plain = backend.get_key_id_from_alias(plain) or plain
    key = backend.keys.get(plain)
    if key is None or (wanted.startswith("arn:") and ":key/" in wanted and key.arn != wanted):
        raise KmsError.no_key(_arn(account, region, wanted))
    if found := unusable(key):
        raise KmsError(*found)
    return str(key.arn)


def _arn(account: str, region: str, name: str) -> str:
    """A key's ARN by what a request calls the key."""
    if name.startswith("arn:"):
        return name
    what = name if name.startswith("alias/") else f"key/{name}"
    return f"arn:aws:kms:{region}:{account}:{what}"


def secret_for_ecr(account: str, region: str, arn: str) -> str:
    """The text of a secret, which ECR reads by its service-linked role; raises SecretNotFound.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/slr-pullthroughcache.html
    """
    from moto.secretsmanager.exceptions import SecretsManagerClientError
    from moto.secretsmanager.models import secretsmanager_backends

    backend: Any = secretsmanager_backends[account][region]
    try:
        found = backend.get_secret_value(secret_id=arn, version_id="", version_stage="AWSCURRENT")
    except SecretsManagerClientError as error:
        raise SecretNotFound() from error
    return str(found.get("SecretString", ""))
