"""Pull through cache rules: which upstream registry a repository's name stands for.

Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store

KIND = "pull-through-cache-rule"
"""The kind of the registry's documents that hold rules; the prefix is their name."""

ROOT = "ROOT"

STAND_INS = frozenset({"registry-1.docker.io", "public.ecr.aws"})
"""Upstream registries that the sandbox has a stand-in for."""

_WANTED = ("username", "accessToken")


class InvalidSecret(Exception):
    """The secret has not the two members that ECR reads."""


@dataclass(frozen=True)
class Credentials:
    """What the secret of a rule says: the user's name and the access token at the upstream."""

    username: str
    access_token: str


def rule_for(store: Store, registry: Registry, name: str) -> tuple[dict[str, Any], str] | None:
    """The rule that a repository's name falls under, and the repository's name at the upstream.

    The longest prefix wins, and ROOT fits every name. None when no rule fits.
    """
    found: tuple[dict[str, Any], str] | None = None
    longest = -1
    for prefix, rule in documents.list_all(store, registry, KIND).items():
        own = "" if prefix == ROOT else f"{prefix.rstrip('/')}/"
        if name.startswith(own) and len(name) > len(own) > longest:
            at = str(rule.get("upstreamRepositoryPrefix", ROOT))
            before = "" if at == ROOT else f"{at.rstrip('/')}/"
            found, longest = (rule, before + name.removeprefix(own)), len(own)
    return found


def credentials_of(
    rule: Mapping[str, Any], registry: Registry, elsewhere: Elsewhere
) -> Credentials | None:
    """What the rule's secret holds now; None for a rule without a secret.

    The secret is a JSON object with ``username`` and ``accessToken``:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-creating-secret.html
    Raises SecretNotFound, and InvalidSecret for another form.
    """
    arn = rule.get("credentialArn")
    if arn is None:
        return None
    text = elsewhere.secret(registry.account, registry.region, arn)
    try:
        found = json.loads(text)
        name, token = (found[each] for each in _WANTED)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise InvalidSecret(
            "The secret must be a JSON object with the members username and accessToken."
        ) from None
    return Credentials(str(name), str(token))
