"""The owner and the policy of a bucket of Amazon S3, for the decision on a request."""

from __future__ import annotations

import sys
from typing import Any


def bucket(name: str) -> tuple[str, str | None] | None:
    """(account, JSON text of the policy or None) of a bucket; None where there is no bucket.

    Nothing of moto is imported: before S3 was called, there are no buckets.
    """
    models: Any = sys.modules.get("moto.s3.models")
    if models is None or name not in models.s3_backends.bucket_accounts:
        return None
    partition, account = models.s3_backends.bucket_accounts[name]
    found = models.s3_backends[account][partition].buckets.get(name)
    text = None if found is None or found.policy is None else found.policy.decode()
    return str(account), text
