"""Policy variables: ``${aws:username}``, ``${aws:PrincipalTag/team, 'nobody'}``, ``${*}``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from labs_helpers.sandbox.policy.match import LITERAL, literal
from labs_helpers.sandbox.policy.request import Context

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
#: "separate the variable text and the default value with a comma and space"
_INSIDE = re.compile(r"([^,\s']+)(?:, '([^']*)')?")


@dataclass(frozen=True)
class Variable:
    """key: in lower case; name: as written; default: the text for a request without the key."""

    key: str
    default: str | None
    name: str


@dataclass(frozen=True)
class Template:
    """A policy's text, split at its variables. `fixed` is the whole text if it has no variables."""

    parts: tuple[str | Variable, ...]
    fixed: str | None

    def fill(self, context: Context) -> str | None:
        """The pattern for this request; None, which matches nothing, if a variable has no value.

        A ``*`` in a value is not a wildcard. A key with several values gives its variable no value:
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
    """variables: whether the policy's Version has variables; in 2008-10-17 ``${`` is plain text."""
    if not variables or "${" not in text:
        return Template((text,), text)
    parts: list[str | Variable] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        parts += (text[end : match.start()], _part(match[1]))
        end = match.end()
    parts.append(text[end:])
    if any(isinstance(part, Variable) for part in parts):
        return Template(tuple(part for part in parts if part != ""), None)
    whole = "".join(part for part in parts if isinstance(part, str))
    return Template((whole,), whole)


def _part(inside: str) -> str | Variable:
    """inside: the text between ``${`` and ``}``."""
    if inside in LITERAL:
        return LITERAL[inside]
    match = _INSIDE.fullmatch(inside)
    if match is None:
        return Variable(inside.strip().lower(), None, inside.strip())
    return Variable(match[1].lower(), match[2], match[1])
