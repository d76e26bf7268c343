"""AWS managed policies: the subset in managed.json, with AWS's own documents, versions and dates.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True)
class Managed:
    """One policy; `document` is JSON text, `version` its default version ("v3")."""

    name: str
    arn: str
    version: str
    created: datetime
    updated: datetime
    document: str

    @property
    def path(self) -> str:
        """With a slash at both ends: "/", "/job-function/", "/service-role/"."""
        return self.arn.partition(":policy")[2].removesuffix(self.name)

    @property
    def id(self) -> str:
        """A unique id in AWS's form, the same in every sandbox; AWS's own id is another one."""
        digest = hashlib.sha256(self.arn.encode()).digest()
        return "ANPA" + "".join(_ID_ALPHABET[byte % 32] for byte in digest[:17])


@cache
def policies() -> Mapping[str, Managed]:
    """Every policy of the subset, by its ARN."""
    text = Path(__file__).with_name("managed.json").read_text(encoding="utf-8")
    made = (
        Managed(
            name,
            found["arn"],
            found["version"],
            datetime.fromisoformat(found["created"]),
            datetime.fromisoformat(found["updated"]),
            json.dumps(found["document"]),
        )
        for name, found in json.loads(text)["policies"].items()
    )
    return {policy.arn: policy for policy in made}
