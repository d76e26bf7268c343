"""Dynamic references of a template, which the sandbox does not follow.

Without a word a stack would have the text of the reference for the value of a secret:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import re
from typing import Any

from labs_helpers.sandbox.service.aws_errors import not_implemented

_REFERENCE = re.compile(r"\{\{resolve:[^{}]*")


def refuse(value: Any) -> None:
    """Raise Refusal (NotInSandbox) for a text with a dynamic reference, in whatever member."""
    if isinstance(value, dict):
        for name, each in value.items():
            refuse(name)
            refuse(each)
    elif isinstance(value, list):
        for each in value:
            refuse(each)
    elif isinstance(value, str) and (found := _REFERENCE.search(value)):
        raise not_implemented(f"the dynamic reference {found[0][:200]}}}}} in a template")
