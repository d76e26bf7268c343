"""Secrets of Secrets Manager that another service reads; moto holds them."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.ecr.elsewhere import SecretNotFound


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
