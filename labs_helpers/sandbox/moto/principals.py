"""The users and roles in policies that moto stores: kept by unique id, shown by ARN.

moto keeps the policy of a role or bucket in one attribute of the object. A property in the place of
the attribute does what AWS does when a policy is saved and shown (policy/unique_ids.py), whichever
operation reads or writes the policy, CloudFormation's included. What lies in the object's
dictionary, and so on disk, is the saved text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.identity import Principals
from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.policy.unique_ids import Look, saved, shown

_TRUST = "assume_role_policy_document"
_POLICY = "policy"


def install_on_roles(principals: Principals) -> None:
    """From now on trust policies follow their principals."""

    def read(role: Any) -> Any:
        text = vars(role)[_TRUST]
        return shown(text, principals.arn_of) if isinstance(text, str) else text

    def write(role: Any, text: Any) -> None:
        kept = saved(text, principals.id_of) if isinstance(text, str) else text
        vars(role)[_TRUST] = kept

    patches.put(f"moto.iam.models:Role.{_TRUST}", property(read, write))


def install_on_buckets(principals: Principals) -> None:
    """From now on bucket policies follow their principals."""

    def read(bucket: Any) -> bytes | None:
        text = vars(bucket)[_POLICY]
        return None if text is None else _changed(text, shown, principals.arn_of)

    def write(bucket: Any, text: bytes | None) -> None:
        vars(bucket)[_POLICY] = None if text is None else _changed(text, saved, principals.id_of)

    patches.put(f"moto.s3.models:FakeBucket.{_POLICY}", property(read, write))


def _changed(text: bytes, change: Callable[[str, Look], str], look: Look) -> bytes:
    """The text after ``saved`` or ``shown``; bytes that are not UTF-8 stay as they are."""
    return change(text.decode(errors="surrogateescape"), look).encode(errors="surrogateescape")
