"""moto's models of IAM, loaded with our corrections; patches.py lists each with its reason."""

from __future__ import annotations

import copy
import importlib
import sys
import types
from functools import cache
from typing import Any

from labs_helpers.sandbox.iam import managed
from labs_helpers.sandbox.iam.credentials import unique_id
from labs_helpers.sandbox.moto import patches

_MODELS = "moto.iam.models"


@cache
def load() -> Any:
    """moto.iam.models, patched: our subset of AWS managed policies, ids of AWS's form."""
    # read by moto when it is imported: a module of 6 MB that nobody needs
    data = types.ModuleType("moto.iam.aws_managed_policies")
    data.aws_managed_policies_data = "{}"  # type: ignore[attr-defined]
    sys.modules.setdefault(data.__name__, data)
    models: Any = importlib.import_module(_MODELS)
    templates = [_template(models, policy) for policy in managed.policies().values()]

    def aws_policies(backend: Any) -> list[Any]:
        return [_of_account(template, backend) for template in templates]

    patches.put(f"{_MODELS}:IAMBackend._init_aws_policies", aws_policies)
    for name, prefix in _IDS.items():
        _give_ids(f"{_MODELS}:{name}.__init__", prefix)
    for name in ("IAMPolicyDocumentValidator", "IAMTrustPolicyDocumentValidator"):
        patches.put(f"{_MODELS}:{name}", _NoValidator)
    return models


_IDS = {"User": "AIDA", "Group": "AGPA", "ManagedPolicy": "ANPA", "InstanceProfile": "AIPA"}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes"""


def _give_ids(target: str, prefix: str) -> None:
    """Unique ids of AWS's form for what is made from now on; what is restored keeps its own."""

    def initialise(entity: Any, *arguments: Any, **named: Any) -> None:
        original(entity, *arguments, **named)
        entity.id = unique_id(prefix)

    original = patches.put(target, initialise)


class _NoValidator:
    """In the place of moto's validators of documents."""

    def __init__(self, policy_document: str) -> None:
        """Takes the document, as moto's validators do."""

    def validate(self) -> None:
        """Nothing is left to find."""


def _template(models: Any, policy: managed.Managed) -> Any:
    found = models.AWSManagedPolicy(
        policy.name,
        account_id="aws",
        region="aws",
        default_version_id=policy.version,
        path=policy.path,
        document=policy.document,
        create_date=policy.created,
        update_date=policy.updated,
    )
    found.id = policy.id
    return found


def _of_account(template: Any, backend: Any) -> Any:
    """A policy as one account sees it: its own count of attachments, the same document."""
    seen = copy.copy(template)
    seen.account_id, seen.partition = backend.account_id, backend.partition
    seen.attachment_count = 0
    return seen
