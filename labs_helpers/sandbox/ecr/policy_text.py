"""Whether a text is a resource policy that ECR accepts, and how ECR shows one.

The form only; what a policy permits is decided elsewhere. Source:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
"""

import json
from collections.abc import Collection
from typing import Any

from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.policy.grammar import check_resource_policy

#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html
_REGISTRY_ACTIONS = {
    "ecr:*",
    "ecr:replicateimage",
    "ecr:createrepository",
    "ecr:batchimportupstreamimage",
    "ecr:batchgetimage",
    "ecr:getdownloadurlforlayer",
}


def check_repository_policy(text: str) -> None:
    """InvalidParameter in ECR's words, and the place, unless it is a repository's policy.

    A repository's policy speaks of its own repository, so a statement needs no Resource.
    """
    _check(text, "Invalid repository policy provided")


def check_registry_policy(text: str) -> None:
    """InvalidParameter in ECR's words, and the place, unless it is the registry's policy."""
    _check(text, "Invalid registry policy provided", True, _REGISTRY_ACTIONS)


def _check(
    text: str, words: str, needs_resource: bool = False, actions: Collection[str] = ()
) -> None:
    try:
        check_resource_policy(text, "ecr", needs_resource, actions)
    except MalformedPolicy as error:
        # ECR itself leaves it to the reader to find the place
        found = f"{error.place}: {error.message}" if error.place else error.message
        raise InvalidParameter.constraint("PolicyText", f"'{words}' ({found})") from error


def shown(text: str) -> str:
    """A policy that was accepted, laid out as ECR hands it back.

    Two spaces a level, a space on each side of a colon, lists on the line of their name:
    https://docs.aws.amazon.com/cli/latest/reference/ecr/set-repository-policy.html
    """
    return _laid_out(json.loads(text), "")


def _laid_out(value: Any, margin: str) -> str:
    if isinstance(value, dict) and value:
        inner = margin + "  "
        members = [
            f"{inner}{json.dumps(name, ensure_ascii=False)} : {_laid_out(item, inner)}"
            for name, item in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return f"[ {', '.join(_laid_out(item, margin) for item in value)} ]"
    return {"{}": "{ }", "[]": "[ ]"}.get(text := json.dumps(value, ensure_ascii=False), text)
