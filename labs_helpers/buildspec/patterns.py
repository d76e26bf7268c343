"""Patterns of paths, as artifacts/files and artifacts/exclude-paths have them.

`*` stands for any characters within a name, `**` for any number of folders, and names that begin
with a dot are names as others (`'**/*'` is "all files recursively").
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME`` and ``${NAME}`` replaced; an unset variable is empty, as in a shell.

    AWS's example of several outputs has `base-directory: $CODEBUILD_SRC_DIR`:
    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-pipeline-multi-input-output.html
    """
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)


def matches(pattern: str, path: str) -> bool:
    """Whether a path with forward slashes, relative to where the pattern begins, fits."""
    return _compiled(pattern).fullmatch(path) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    made = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            made += ".+" if last else "(?:[^/]+/)*"
        else:
            made += _name(part) + ("" if last else "/")
    return re.compile(made, re.DOTALL)


def _name(part: str) -> str:
    """A name with ``*``, ``?`` and ``[...]``; a bracket that is never closed is a bracket."""
    made, rest = "", part
    while rest:
        head, rest = rest[0], rest[1:]
        if head == "*":
            made += "[^/]*"
            rest = rest.lstrip("*")
        elif head == "?":
            made += "[^/]"
        elif head == "[" and (group := re.match(r"([!^]?)(\]?[^\]]*)\]", rest)) and group[2]:
            body = re.sub(r"([\\\[\]^&~|])", r"\\\1", group[2])
            made += f"[{'^/' if group[1] else ''}{body}]"
            rest = rest[group.end() :]
        else:
            made += re.escape(head)
    return made
