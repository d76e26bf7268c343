"""The callers, requests and policies that the tests use."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.policy.document import parse
from labs_helpers.sandbox.policy.model import Kind, Policy
from labs_helpers.sandbox.policy.request import Caller, Request

OURS = "123456789012"
THEIRS = "444455556666"
GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
REPOSITORY = f"arn:aws:ecr:us-west-2:{OURS}:repository/demo-app-repo"

DEV = Caller(OURS, f"arn:aws:iam::{OURS}:user/dev", f"arn:aws:iam::{OURS}:user/dev")
ROOT = Caller(OURS, f"arn:aws:iam::{OURS}:root", f"arn:aws:iam::{OURS}:root")
SESSION = Caller(
    OURS, f"arn:aws:sts::{OURS}:assumed-role/ci/build-1", f"arn:aws:iam::{OURS}:role/ci"
)
FEDERATED = Caller(
    OURS,
    f"arn:aws:sts::{OURS}:federated-user/dev",
    f"arn:aws:sts::{OURS}:federated-user/dev",
    federated_by=DEV.arn,
)
STRANGER = Caller(THEIRS, f"arn:aws:iam::{THEIRS}:user/bob", f"arn:aws:iam::{THEIRS}:user/bob")
STRANGER_ROOT = Caller(THEIRS, f"arn:aws:iam::{THEIRS}:root", f"arn:aws:iam::{THEIRS}:root")
CODEBUILD = Caller("", "codebuild.amazonaws.com", "")
PROVIDER = Caller("", f"arn:aws:iam::{OURS}:oidc-provider/oidc.example", "")
ANYONE = Caller("", "*", "")


def request(
    caller: Caller = DEV,
    action: str = "ecr:PutImage",
    resource: str = REPOSITORY,
    account: str = OURS,
    **keys: Any,
) -> Request:
    """keys: condition keys with "__" for ":" ("aws__username"); a tuple has several values."""
    context = {
        name.replace("__", ":").lower(): value if isinstance(value, tuple) else (value,)
        for name, value in keys.items()
    }
    return Request(caller, action, resource, account, context)


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    made = {"Effect": effect, **elements}
    if not {"Action", "NotAction"} & made.keys():
        made["Action"] = "*"
    if not {"Resource", "NotResource", "Principal", "NotPrincipal"} & made.keys():
        made["Resource"] = "*"
    return made


def policy(
    kind: Kind, *statements: dict[str, Any], version: str = "2012-10-17", arn: str = ""
) -> Policy:
    document = {"Version": version, "Statement": list(statements)}
    return Policy(kind, kind.value, parse(document), arn=arn)


def identity(*statements: dict[str, Any], **more: str) -> Policy:
    return policy(Kind.IDENTITY, *statements, **more)


def resource(*statements: dict[str, Any], **more: str) -> Policy:
    return policy(Kind.RESOURCE, *statements, **more)


ALLOW = statement()
DENY = statement("Deny")
NOTHING = statement(Action="none:Nothing")
