"""What a stack shows and exports: the section Outputs of its template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto.stacks.scope import Scope
from labs_helpers.sandbox.service.refusal import Refusal


def of(scope: Scope) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """The outputs as DescribeStacks shows them, and the exports by name, from what was made.

    Raises Refusal for an output that is no text.
    """
    shown, exports = [], []
    for key, each in (scope.template.get("Outputs") or {}).items():
        if not scope.exists(each):
            continue
        value = scope.resolve(each["Value"])
        if isinstance(value, dict | list):
            words = "The Value field of every Outputs member must evaluate to a String."
            raise Refusal("ValidationError", f"Template format error: {words}")
        named = (each.get("Export") or {}).get("Name")
        name = None if named is None else str(scope.resolve(named))
        shown.append(
            {
                "OutputKey": key,
                "OutputValue": str(value),
                "Description": each.get("Description"),
                "ExportName": name,
            }
        )
        if name is not None:
            exports.append((name, str(value)))
    return shown, exports
