"""Policy variables: ``${aws:username}``, ``${aws:PrincipalTag/team, 'nobody'}``, ``${*}``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from labs_helpers.sandbox.policy.match import LITERAL, literal
from labs_helpers.sandbox.policy.model import Context

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
#: "separate the variable text and the default value with a comma and space"
_INSIDE = re.compile(r"([^,\s']+)(?:, '([^']*)')?")


@dataclass(frozen=True)
class Variable:
    """key: in lower case; name: as written; default: the text where the request has no such key."""

    key: str
    default: str | None
    name: str


@dataclass(frozen=True)
class Template:
    """A text of a policy, its variables apart. `fixed` is the whole text where it has none."""

    parts: tuple[str | Variable, ...]
    fixed: str | None

    def fill(self, context: Context) -> str | None:
        """The pattern for this request; None when a variable has no value, and so matches nothing.

        A value is text: a ``*`` in it is no wildcard. A key with several values has no one value:
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
        """
        if self.fixed is not None:
            return self.fixed
        filled = []
        for part in self.parts:
            if isinstance(part, str):
                filled.append(part)
                continue
            values = context.get(part.key, ())
            value = values[0] if len(values) == 1 else part.default if not values else None
            if value is None:
                return None
            filled.append(literal(value))
        return "".join(filled)

    def variables(self) -> Iterator[Variable]:
        return (part for part in self.parts if isinstance(part, Variable))


@lru_cache(maxsize=8192)
def template(text: str, variables: bool = True) -> Template:
    """variables: whether the policy's Version knows them; in 2008-10-17 ``${`` is just text."""
    if not variables or "${" not in text:
        return Template((text,), text)
    parts: list[str | Variable] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        parts.append(text[end : found.start()])
        parts.append(_part(found))
        end = found.end()
    parts.append(text[end:])
    if any(isinstance(part, Variable) for part in parts):
        return Template(tuple(part for part in parts if part != ""), None)
    whole = "".join(part for part in parts if isinstance(part, str))
    return Template((whole,), whole)


def _part(found: re.Match[str]) -> str | Variable:
    inside = found.group(1)
    if inside in LITERAL:
        return LITERAL[inside]
    named = _INSIDE.fullmatch(inside)
    if named is None:
        return Variable(inside.strip().lower(), None, inside.strip())
    return Variable(named.group(1).lower(), named.group(2), named.group(1))
