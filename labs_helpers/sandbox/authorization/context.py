"""The condition keys that AWS fills for every request, absent where AWS leaves them absent.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from labs_helpers.sandbox.iam.rights import Rights

_TYPES = {"root": "Account", "user": "User", "role": "AssumedRole", "federated": "FederatedUser"}


def of_request(environ: Mapping[str, str], region: str) -> dict[str, tuple[str, ...]]:
    """What the request itself brings: where from, with what, to which region.

    aws:SecureTransport is true: the clients speak to AWS's names, which have nothing but TLS, and
    only the way to the sandbox on the same machine has none.
    """
    found: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (region,),
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("false",),
    }
    for key, name in (
        ("aws:sourceip", "REMOTE_ADDR"),
        ("aws:useragent", "HTTP_USER_AGENT"),
        ("aws:referer", "HTTP_REFERER"),
    ):
        if value := environ.get(name):
            found[key] = (value,)
    return found


def of_time(now: datetime) -> dict[str, tuple[str, ...]]:
    """aws:CurrentTime and aws:EpochTime, by the sandbox clock."""
    return {
        "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now.timestamp())),),
    }


def of_principal(rights: Rights) -> dict[str, tuple[str, ...]]:
    """Who asks: ARN, account, type, ids and tags of the principal and its session."""
    caller = rights.caller
    found: dict[str, tuple[str, ...]] = {
        "aws:principalarn": (caller.principal_arn,),
        "aws:principalaccount": (caller.account,),
        "aws:principalisawsservice": ("false",),
    }
    if caller.kind in _TYPES:
        found["aws:principaltype"] = (_TYPES[caller.kind],)
    if caller.kind == "root":
        found["aws:userid"] = (caller.account,)
    found |= {key.lower(): (value,) for key, value in rights.session_keys.items()}
    for key, value in rights.tags.items():
        found[f"aws:principaltag/{key.lower()}"] = (value,)
    return found


def of_resource(account: str, tags: Mapping[str, str], prefix: str) -> dict[str, tuple[str, ...]]:
    """aws:ResourceAccount, and the resource's tags as the service and as AWS call them."""
    found: dict[str, tuple[str, ...]] = {"aws:resourceaccount": (account,)}
    for key, value in tags.items():
        found[f"aws:resourcetag/{key.lower()}"] = (value,)
        found[f"{prefix}:resourcetag/{key.lower()}"] = (value,)
    return found
