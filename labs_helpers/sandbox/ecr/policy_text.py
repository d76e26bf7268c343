"""Validation of the policies of repositories and registries, and how ECR prints them.

Here is their form; sandbox/authorization decides what a policy permits. Source:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html
"""

import json
from collections.abc import Callable, Collection
from typing import Any

from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.policy.elements import MalformedPolicy
from labs_helpers.sandbox.policy.grammar import check_resource_policy, principals_of

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
    """Raise InvalidParameter, with the place, unless ECR accepts the text for a repository.

    A repository's policy is about that repository: ECR refuses a statement with a Resource, and
    takes two statements with one Sid. Sources, read on 2026-11-28:
    https://github.com/aws/aws-cdk/issues/24314,
    https://github.com/awsdocs/amazon-ecr-user-guide/pull/20 and
    https://github.com/getmoto/moto/pull/8933
    """
    _check(text, "Invalid repository policy provided", False, unique_sids=False)


def check_principals(text: str, exists: Callable[[str], bool]) -> None:
    """Raise InvalidParameter if a checked policy names a user or role that does not exist.

    https://github.com/hashicorp/terraform-provider-aws/issues/39064
    """
    if not all(exists(principal) for principal in principals_of(text)):
        raise InvalidParameter.constraint("PolicyText", "'Principal not found'")


def check_registry_policy(text: str) -> None:
    """Raise InvalidParameter, with the place, unless ECR accepts the text for a registry."""
    _check(text, "Invalid registry policy provided", True, _REGISTRY_ACTIONS)


def _check(
    text: str,
    words: str,
    resource: bool,
    actions: Collection[str] = (),
    unique_sids: bool = True,
) -> None:
    try:
        check_resource_policy(text, "ecr", resource, actions, unique_sids)
    except MalformedPolicy as error:
        # ECR does not say the place
        found = f"{error.place}: {error.message}" if error.place else error.message
        raise InvalidParameter.constraint("PolicyText", f"'{words}' ({found})") from error


def as_ecr_prints(text: str) -> str:
    """An accepted policy, formatted as ECR returns policies.

    Two spaces for each level, a space on each side of a colon, a list on the line of its name:
    https://docs.aws.amazon.com/cli/latest/reference/ecr/set-repository-policy.html
    """
    return _format(json.loads(text), "")


def _format(value: Any, margin: str) -> str:
    if isinstance(value, dict) and value:
        inner = margin + "  "
        members = [
            f"{inner}{json.dumps(name, ensure_ascii=False)} : {_format(item, inner)}"
            for name, item in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return f"[ {', '.join(_format(item, margin) for item in value)} ]"
    return {"{}": "{ }", "[]": "[ ]"}.get(text := json.dumps(value, ensure_ascii=False), text)
