"""Patterns of paths, as artifacts/files and artifacts/exclude-paths have them.

`*` stands for any characters within a name, `**` for any number of folders, and names that begin
with a dot are names as others (`'**/*'` is "all files recursively").
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files

A comparison takes time proportional to the length of the pattern times the length of the path: a
regular expression of Python would take minutes for `*a*a*a*a*a*b` and a name of 200 letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_GROUP = re.compile(r"([!^]?)(\]?[^\]]*)\]")

_Test = Callable[[str], bool]
"""Whether a character fits one step of a name's pattern."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME`` and ``${NAME}`` replaced; an unset variable is empty, as in a shell.

    AWS's example of several outputs has `base-directory: $CODEBUILD_SRC_DIR`:
    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-pipeline-multi-input-output.html
    """
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), text)


def matches(pattern: str, path: str) -> bool:
    """Whether a path with forward slashes, relative to where the pattern begins, fits."""
    wanted = _parts(pattern)
    places = _onwards({0}, wanted)
    for name in path.split("/") if path else ():
        places = _onwards(_after(places, wanted, name), wanted)
    return len(wanted) in places


_ANY_FOLDERS = None
"""What `**` is among the parts of a pattern."""

_Part = tuple[_Test | None, ...] | None
"""What one name has to be: a row of steps, each for one character, or None for `*`."""


@lru_cache(1000)
def _parts(pattern: str) -> Sequence[_Part]:
    texts = [part for part in pattern.split("/") if part not in ("", ".")]
    if texts[-1:] == ["**"]:
        texts.append("*")  # what is in a folder at any depth, and not the folder itself
    return [_ANY_FOLDERS if text == "**" else _steps(text) for text in texts]


def _onwards(places: set[int], wanted: Sequence[_Part]) -> set[int]:
    """The places in a row of parts, and those that are reached without a name."""
    found = set(places)
    for place, part in enumerate(wanted):
        if place in found and part is _ANY_FOLDERS:
            found.add(place + 1)
    return found


def _after(places: set[int], wanted: Sequence[_Part], name: str) -> set[int]:
    """The places that a name leads to."""
    found = set()
    for place in places - {len(wanted)}:
        part = wanted[place]
        if part is None:
            found.add(place)
        elif _is_named(part, name):
            found.add(place + 1)
    return found


def _is_named(steps: Sequence[_Test | None], name: str) -> bool:
    """Whether a name fits; only the last `*` is tried again, which is enough.

    An earlier `*` that took more would leave less for the steps after it, and the last `*` takes
    whatever is left.
    """
    at = step = 0
    star, begun = -1, 0
    while at < len(name):
        test = steps[step] if step < len(steps) else _never
        if test is None:
            star, begun = step, at
            step += 1
        elif test(name[at]):
            at += 1
            step += 1
        elif star >= 0:
            begun += 1
            at, step = begun, star + 1
        else:
            return False
    return all(test is None for test in steps[step:])


def _steps(part: str) -> tuple[_Test | None, ...]:
    """A name with ``*``, ``?`` and ``[...]``; a bracket that is never closed is a bracket."""
    made: list[_Test | None] = []
    at = 0
    while at < len(part):
        character = part[at]
        at += 1
        if character == "*":
            made.append(None)
        elif character == "?":
            made.append(_always)
        elif character == "[" and (group := _GROUP.match(part, at)) and group[2]:
            made.append(_group(group[2], negated=bool(group[1])))
            at = group.end()
        else:
            made.append(character.__eq__)
    return tuple(made)


def _group(body: str, negated: bool) -> _Test:
    """A character of a group; a range that ends before its beginning, as ``z-a``, is empty."""
    escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", body)
    try:
        inside = re.compile(f"[{escaped}]")
    except re.error:
        return _always if negated else _never
    return lambda character: (inside.fullmatch(character) is None) is negated


def _always(character: str) -> bool:
    return True


def _never(character: str) -> bool:
    return False
