"""Users and roles whose pulls do not count: scanners and mirrors, which would keep images young.

Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_RegisterPullTimeUpdateExclusion.html
"""

from __future__ import annotations

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store

EXCLUSION = "pull-time-exclusion"
"""The kind of the registry's documents; the ARN of the user or role is their name."""


def is_excluded(store: Store, registry: Registry, puller: str) -> bool:
    """Whether ECR does not record the pulls of a caller.

    puller: the ARN of a user or of a session of a role, or the name of a service of AWS.
    """
    excluded = documents.list_all(store, registry, EXCLUSION)
    if puller in excluded:
        return True
    if not puller.startswith("arn:"):
        return False
    _, _, service, _, account, resource = puller.split(":", 5)
    kind, _, rest = resource.partition("/")
    if (service, kind) != ("sts", "assumed-role"):
        return False
    role = rest.split("/")[0]
    return any(
        arn.startswith(f"arn:aws:iam::{account}:role/") and arn.rsplit("/", 1)[1] == role
        for arn in excluded
    )
