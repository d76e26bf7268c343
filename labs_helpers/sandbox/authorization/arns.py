"""ARNs of the resources that a request names, made from the forms of forms.py.

A form is what follows `arn:aws:<service>:<region>:<account>:`. In braces are parameters to take
the name from; `=x` stands in when none of them is there; `<:` keeps what is before a colon. A
parameter may itself be an ARN of the type, and is then taken whole. Of several parameters that a
request gives each is decided on, so that whoever executes may take any of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.service.refusal import Refusal

_HOLE = re.compile(r"\{([^}]+)\}")

_NAMES_WITH_COLONS: Mapping[str, str] = {
    "cloudwatch": r".+",
    "codebuild": r"[^:]+:[^:]+",
    "ec2": r".+",
    "ecs": r"[^:]+:[0-9]+",
    "iam": r".+",
    "organizations": r".+",
}
"""What a name with a colon may be: of an alarm, a build, a rule of a group, a task definition.

Elsewhere a name has no colon, and moto would take what follows one for the name.
"""

_OF_ONE_TYPE = frozenset(
    {
        "applicationName|applicationNames",
        "cluster|clusterName|clusters=default",
        "StackName|StackId",
        "StackSetName",
        "taskDefinition|taskDefinitions|family",
    }
)
"""Holes of forms whose parameters take an ARN of the form's own type, and of no other."""

_SLASHED = ("cloudwatch", "ec2", "iam", "kms", "logs", "organizations", "secretsmanager", "ssm")
"""Services with names that may have a slash; elsewhere a name with a slash is a second spelling.

moto takes what follows the last slash for the name (moto/ecs/models.py, moto/events/models.py).
"""


def values(params: Mapping[str, Any], path: str) -> list[str]:
    """The strings at a dotted path; through lists, each of their items."""
    found: list[Any] = [params]
    for step in path.split("."):
        inner = []
        for item in found:
            for each in item if isinstance(item, list) else [item]:
                if isinstance(each, Mapping) and each.get(step) is not None:
                    inner.append(each[step])
        found = inner
    flat = itertools.chain.from_iterable(
        item if isinstance(item, list) else [item] for item in found
    )
    return [item for item in flat if isinstance(item, str) and item]


def account_of(arn: str) -> str:
    """The account in an ARN; empty where it has none."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


def region_of(arn: str) -> str:
    """The region in an ARN; empty where it has none."""
    parts = arn.split(":", 5)
    return parts[3] if len(parts) == 6 else ""


def made(form: str, params: Mapping[str, Any], start: str) -> list[str]:
    """Every ARN of a form, `start` being `arn:aws:ecs:us-west-2:123456789012:`; [] for none.

    None is made when a parameter that the form has no other word for is not there. A part that is
    given as an ARN keeps its own region and account. Raises Refusal for an ARN of another service.
    """
    holes = list(_HOLE.finditer(form))
    parts = _HOLE.split(form)[::2]
    whole: list[str] = []
    rows: list[list[tuple[str, str]]] = []
    for number, hole in enumerate(holes):
        given = _given(hole[1], params)
        if not given:
            return []
        _check(given, start)
        if number == len(holes) - 1 and "<:" not in hole[1] and not parts[-1].strip(":/*"):
            whole = [each for each in given if _is_of(each, start, parts[0])]
            given = [each for each in given if each not in whole]
            other = [each for each in given if each.startswith("arn:")]
            # a parameter with ids of several types is one that AWS has for all of them
            if other and hole[1] in _OF_ONE_TYPE:
                raise _invalid(f"'{other[0][:200]}' is no ARN of a resource of {parts[0]}")
        rows.append([_place_and_name(each, parts[0]) for each in given])
    spelled = []
    for row in itertools.product(*rows):
        resource = parts[0] + "".join(
            name + part for (_, name), part in zip(row, parts[1:], strict=True)
        )
        places = dict.fromkeys(place for place, _ in row if place) or {start: None}
        spelled += [place + resource for place in places]
    return list(dict.fromkeys([*spelled, *whole]))


def wild(form: str, params: Mapping[str, Any], start: str) -> str:
    """The form with a star for each name that the request does not give."""
    return start + _HOLE.sub(
        lambda hole: next((_name(each, "") for each in _given(hole[1], params)), "*"), form
    )


def _given(hole: str, params: Mapping[str, Any]) -> list[str]:
    names, _, default = hole.partition("=")
    found: list[str] = []
    for name in names.split("|"):
        given = values(params, name.removesuffix("<:"))
        found += [_before_colon(each) for each in given] if name.endswith("<:") else given
    return list(dict.fromkeys(found)) or ([default] if default else [])


def _check(given: list[str], start: str) -> None:
    """Refuse an ARN of another service, and a name that is a path where names are none."""
    service = start.split(":")[2]
    for each in given:
        if each.startswith("arn:"):
            if each.count(":") < 5 or each.split(":")[:3] != start.split(":")[:3]:
                raise _invalid(f"'{each[:200]}' is no ARN of a resource of {service}.")
        elif ("/" in each and service not in _SLASHED) or (
            ":" in each and not re.fullmatch(_NAMES_WITH_COLONS.get(service, ""), each)
        ):
            raise _invalid(f"'{each[:200]}' is no name of a resource of {service}.")


def _invalid(words: str) -> Refusal:
    return Refusal("ValidationException", words)


def _is_of(text: str, start: str, head: str) -> bool:
    """Whether a text is an ARN of this service and of the type that begins with `head`."""
    parts, wanted = text.split(":", 5), start.split(":", 5)
    return len(parts) == 6 and parts[:3] == wanted[:3] and parts[5].startswith(head)


def _place_and_name(text: str, head: str) -> tuple[str, str]:
    """(`arn:aws:ecs:us-west-2:123456789012:` of an ARN, else empty; the name)."""
    place = f"{text.rpartition(text.split(':', 5)[-1])[0]}" if text.startswith("arn:") else ""
    return place, _name(text, head)


def _name(text: str, head: str) -> str:
    """A name as it is, of an ARN the part that is its name."""
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[-1]
    if head and resource.startswith(head):
        return resource.removeprefix(head).removesuffix(":*")
    return resource.rpartition("/")[2]


def _before_colon(text: str) -> str:
    if not text.startswith("arn:"):
        return text.partition(":")[0]
    *place, resource = text.split(":", 5)
    return ":".join([*place, resource.partition(":")[0]])
