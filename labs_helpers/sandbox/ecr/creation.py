"""Repositories that ECR makes by itself, by a template: for a push, or for a cached image.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.ecr import (
    documents,
    lifecycle_runs,
    lifecycle_text,
    policy_text,
    repositories,
)
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.repositories import DEFAULT_ENCRYPTION, Registry, Repository
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.policy.unique_ids import saved

TEMPLATE = "repository-creation-template"
"""The kind of the registry's documents that hold templates; the prefix is their name."""

REPOSITORY_POLICY = "repository-policy"
"""The kind of the repository's document that holds the policy."""

_EVERYWHERE = "ROOT"

NO_TEMPLATE: Mapping[str, Any] = {}
"""What a repository for cached images starts with when no template fits: ECR's defaults."""


def template_for(
    store: Store, registry: Registry, name: str, purpose: str
) -> Mapping[str, Any] | None:
    """The template of the longest prefix that fits the repository's name, or None.

    purpose: one of ``appliedFor``, PULL_THROUGH_CACHE or CREATE_ON_PUSH. ROOT fits every name.
    """
    fitting = {
        "" if prefix == _EVERYWHERE else prefix: template
        for prefix, template in documents.list_all(store, registry, TEMPLATE).items()
        if purpose in template["appliedFor"]
        and (prefix == _EVERYWHERE or f"{name}/".startswith(f"{prefix.rstrip('/')}/"))
    }
    return fitting[max(fitting, key=len)] if fitting else None


def create(
    store: Store,
    registry: Registry,
    name: str,
    template: Mapping[str, Any],
    elsewhere: Elsewhere,
) -> Repository:
    """Create a repository with what a template says.

    Raises RepositoryAlreadyExists, and KmsError for a key that cannot be used.
    """
    wanted = template.get("encryptionConfiguration", DEFAULT_ENCRYPTION)
    repository = repositories.create(
        store,
        registry,
        name,
        mutability=template.get("imageTagMutability", "MUTABLE"),
        mutability_exclusions=template.get("imageTagMutabilityExclusionFilters", ()),
        encryption=elsewhere.encryption(registry, wanted),
        tags={tag["Key"]: tag["Value"] for tag in template.get("resourceTags", ())},
    )
    if text := template.get("repositoryPolicy"):
        stored = policy_text.as_ecr_prints(saved(text, elsewhere.principals.id_of))
        documents.put(store, repository, REPOSITORY_POLICY, stored)
    if text := template.get("lifecyclePolicy"):
        lifecycle_runs.put_policy(store, repository, lifecycle_text.as_ecr_prints(text))
    return repository
