"""Whose resources a request is on, and where: one account and the region that was signed.

An ARN, a queue's URL or a parameter may name another account. Its policies have let the caller in
(the decision comes first); then the operation is done in that account, or refused in words.
"""

from __future__ import annotations

from collections.abc import Iterable

from labs_helpers.sandbox.authorization.arns import region_of
from labs_helpers.sandbox.authorization.terms import ApiRequest, Permission
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

_EVERYWHERE = ("iam", "s3", "sts")
"""Services whose operations find a resource in whatever account it is."""


def check_regions(needed: Iterable[Permission], region: str) -> None:
    """Raise Refusal for a resource of another region than the one that was signed.

    A service of AWS has its resources in one region, and finds none of another:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    for each in needed:
        elsewhere = region_of(each.resource)
        if elsewhere not in ("", "*", region):
            raise Refusal(
                "ValidationException",
                f"The resource {each.resource[:200]} is in the region {elsewhere[:40]}; the "
                f"request was sent to {region}.",
            )


def account(asked: ApiRequest, needed: Iterable[Permission], caller: str) -> str:
    """The account to act in; raises Refusal for resources of several accounts."""
    if asked.service in _EVERYWHERE:
        return caller
    # the tagging API is on the resources of other services
    own = "" if asked.service == "tagging" else f"{asked.prefix}:"
    found = {each.account or caller for each in needed if each.action.startswith(own)} or {caller}
    if len(found) > 1:
        raise not_implemented(
            f"the operation {asked.service}:{asked.operation} on resources of several accounts"
        )
    return found.pop()
