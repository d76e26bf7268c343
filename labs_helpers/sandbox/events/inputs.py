"""What a target of a rule is sent: the event, a constant, a part of the event, or a template.

Sources: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html (Input,
InputPath, InputTransformer) and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")
_STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]")


class BadInput(Exception):
    """A target's input cannot be made of this event; the message says why."""


def message(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """The text that the target is sent, compact JSON unless it is a constant or a template.

    Raises BadInput.
    """
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        return compact(_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if transformer:
        return _filled(transformer, event, rule_arn)
    return compact(event)


def compact(value: object) -> str:
    """JSON as AWS sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _filled(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """The template with the values in place of their names.

    Within quotes a text stands bare; elsewhere a value stands as JSON. A path that the event does
    not have leaves nothing within quotes, and null elsewhere.
    """
    values: dict[str, Any] = {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
    }
    paths = transformer.get("InputPathsMap") or {}
    values |= {name: _at(event, path, missing=None) for name, path in paths.items()}
    template = str(transformer.get("InputTemplate", ""))
    parts, start = [], 0
    for found in _PLACEHOLDER.finditer(template):
        if found[1] not in values:
            raise BadInput(f"the template names <{found[1]}>, which InputPathsMap does not have")
        parts.append(template[start : found.start()])
        parts.append(_placed(values[found[1]], _quoted(template[: found.start()])))
        start = found.end()
    return "".join([*parts, template[start:]])


def _placed(value: Any, quoted: bool) -> str:
    if not quoted:
        return compact(value)
    if value is None:
        return ""
    text = value if isinstance(value, str) else compact(value)
    return compact(text)[1:-1]


def _quoted(before: str) -> bool:
    """Whether what follows a piece of a template stands within quotes."""
    return len(re.findall(r'(?<!\\)"', before)) % 2 == 1


_RAISE = object()


def _at(event: Mapping[str, Any], path: str, missing: Any = _RAISE) -> Any:
    """The value at "$.detail.image-tag" or "$.resources[0]"."""
    value: Any = event
    position = 1
    if not path.startswith("$"):
        raise BadInput(f"the path {path!r} does not begin with $")
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise BadInput(f"the path {path!r} cannot be read from {path[position:]!r} on")
        try:
            value = value[int(step[2])] if step[2] else value[step[1] or step[3]]
        except (KeyError, IndexError, TypeError) as error:
            if missing is _RAISE:
                raise BadInput(f"the event has nothing at {path!r}") from error
            return missing
        position = step.end()
    return value
