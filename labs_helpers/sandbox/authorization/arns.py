"""The ARNs that a form of forms.py makes of a request's parameters."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

_HOLE = re.compile(r"\{([^}]+)\}")


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


def made(form: str, params: Mapping[str, Any], start: str) -> list[str]:
    """Every ARN of a form, `start` being `arn:aws:ecs:us-west-2:123456789012:`; [] for none.

    None is made when a parameter that the form has no other word for is not there.
    """
    holes = list(_HOLE.finditer(form))
    parts = _HOLE.split(form)[::2]
    whole: list[str] = []
    rows: list[list[str]] = []
    for number, hole in enumerate(holes):
        given = _given(hole[1], params)
        if not given:
            return []
        if number == len(holes) - 1 and "<:" not in hole[1] and not parts[-1].strip(":/*"):
            whole = [each for each in given if _is_of(each, start, parts[0])]
            given = [each for each in given if each not in whole]
        rows.append([_name(each, parts[0]) for each in given])
    spelled = [
        start + parts[0] + "".join(name + part for name, part in zip(row, parts[1:], strict=True))
        for row in itertools.product(*rows)
    ]
    return spelled + whole


def wild(form: str, params: Mapping[str, Any], start: str) -> str:
    """The form with a star for each name that the request does not give."""
    return start + _HOLE.sub(
        lambda hole: next((_name(each, "") for each in _given(hole[1], params)), "*"), form
    )


def _given(hole: str, params: Mapping[str, Any]) -> list[str]:
    names, _, default = hole.partition("=")
    for name in names.split("|"):
        path = name.removesuffix("<:")
        if found := values(params, path):
            cut = name.endswith("<:")
            return [_before_colon(each) if cut else each for each in found]
    return [default] if default else []


def _is_of(text: str, start: str, head: str) -> bool:
    """Whether a text is an ARN of this service and of the type that begins with `head`."""
    parts, wanted = text.split(":", 5), start.split(":", 5)
    return len(parts) == 6 and parts[:3] == wanted[:3] and parts[5].startswith(head)


def _name(text: str, head: str) -> str:
    """A name as it is, of an ARN the part that is its name."""
    if not text.startswith("arn:"):
        return text
    resource = text.split(":", 5)[-1]
    if head and resource.startswith(head):
        return resource.removeprefix(head).removesuffix(":*")
    return resource.rpartition("/")[2]


def _before_colon(text: str) -> str:
    if text.startswith("arn:"):
        text = text.split(":", 5)[-1].rpartition("/")[2]
    return text.partition(":")[0]
