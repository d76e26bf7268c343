"""Policy documents for the grammar's tests, valid and invalid."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from labs_helpers.sandbox.policy.elements import MalformedPolicy
from tests.sandbox.policy.examples import OURS, REPOSITORY

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
GOOD = {"Effect": "Allow", "Action": "ecr:PutImage", "Resource": REPOSITORY}
TRUST = {"Effect": "Allow", "Principal": {"AWS": OURS}, "Action": "sts:AssumeRole"}
SHARED = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

ABSENT = object()


def changed(one: dict[str, Any], **elements: Any) -> dict[str, Any]:
    made = {**one, **elements}
    return {name: value for name, value in made.items() if value is not ABSENT}


def text(*statements: Any, **top: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **top})


def refusal(check: Callable[[str], None], document: str) -> tuple[str, str]:
    with pytest.raises(MalformedPolicy) as refused:
        check(document)
    return refused.value.message, refused.value.place
