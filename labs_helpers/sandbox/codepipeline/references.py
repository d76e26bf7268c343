"""Variables in the configuration of an action or a rule: #{namespace.variable}.

https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_.-]+)\}")

RESERVED = ("codepipeline", "variables")
"""Namespaces that are there in every execution."""

Namespaces = Mapping[str, Mapping[str, str]]


class Unresolved(Exception):
    """The configuration names a variable that no action has made, or becomes too long."""


MOST = 100 * 1024
"""Characters of a configuration with the values of its variables.

https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html bounds it, too.
"""


def resolved(
    configuration: Mapping[str, str], known: Namespaces, of: str = "action"
) -> dict[str, str]:
    """The configuration with each reference replaced by its value; raises Unresolved.

    of: what has the configuration, "action" or "rule".
    """

    left = MOST - sum(map(len, configuration.values()))

    def value(found: re.Match[str]) -> str:
        nonlocal left
        try:
            text = known[found[1]][found[2]]
            left -= len(text)
            if left < 0:
                raise Unresolved(
                    f"The {of} configuration is longer than {MOST >> 10} KB with the values of its "
                    "variables"
                )
            return text
        except KeyError:
            raise Unresolved(
                f"The {of} configuration references an output variable {found[0]}, "
                "which is not there in this execution"
            ) from None

    return {key: REFERENCE.sub(value, text) for key, text in configuration.items()}


def namespaces(configuration: Mapping[str, str]) -> Iterator[str]:
    """The namespaces to which a configuration refers."""
    for text in configuration.values():
        for found in REFERENCE.finditer(text):
            yield found[1]
