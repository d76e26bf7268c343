"""A request's members against the model: required, enum, length, range and pattern.

ECR answers the first failure only, as InvalidParameterException with the text
``Invalid parameter at '<path>' failed to satisfy constraint: '<constraint>'``. Two spellings live
side by side on AWS: the framework's (``Member must ...``), and ECR's own for the repository's name
(``must ...``); both are kept. Texts seen on AWS:

- https://github.com/aws-actions/amazon-ecr-login/issues/225 (registryIds)
- https://github.com/renovatebot/renovate (maxResults: ``Member must have value less than ...``)
- https://github.com/carvel-dev/kbld (imageTag: ``must satisfy regular expression ...``)
"""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape

from labs_helpers.sandbox.ecr.errors import InvalidParameter

#: Patterns of the model that backtrack without end, each with an equal that does not.
SAFE_PATTERNS = {
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*",
}

#: The order in which AWS lists these values; the model has another.
_ENUM_ORDER = {
    "ImageTagMutability": [
        "IMMUTABLE",
        "MUTABLE",
        "MUTABLE_WITH_EXCLUSION",
        "IMMUTABLE_WITH_EXCLUSION",
    ],
}

#: Members that ECR checks itself, under the names and in the words it uses.
_OWN_WORDS = {"repositoryName"}
_OWN_NAMES = {"policyText": "PolicyText"}

#: Members whose rule is ECR's and not in the model.
IMAGE_TAG = "[a-zA-Z0-9-_.]+"


def invalid(path: str, constraint: str) -> InvalidParameter:
    """ECR's sentence about one member: its path and, quoted, the constraint it breaks."""
    return InvalidParameter.constraint(path, f"'{constraint}'")


def validate(params: dict[str, Any], shape: Shape) -> None:
    """Raises InvalidParameter for the first member that breaks a constraint of its shape."""
    for path, constraint in _failures(params, shape, ""):
        raise invalid(path, constraint)


def _failures(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    if shape.type_name == "structure":
        yield from _structure_failures(value, shape, path)
    elif shape.type_name == "list":
        yield from _list_failures(value, shape, path)
    else:
        for constraint in _broken(value, shape):
            yield path, constraint


def _structure_failures(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    for name in shape.required_members:
        if name not in value:
            yield _missing(name, path)
    for name, item in value.items():
        below = f"{path}.{_spelt(name)}" if path else _spelt(name)
        for where, constraint in _failures(item, shape.members[name], below):
            if not path and name in _OWN_WORDS:
                yield where, _own_words(constraint)
            else:
                yield where, constraint


def _missing(name: str, path: str) -> tuple[str, str]:
    if not path and name in _OWN_NAMES:
        return _OWN_NAMES[name], "Cannot be null"
    where = f"{path}.{_spelt(name)}" if path else _spelt(name)
    own = not path and name in _OWN_WORDS
    return where, "must not be null" if own else "Member must not be null"


def _list_failures(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    for constraint in _length_failures(value, shape):
        yield path, constraint
    member = shape.member
    for number, item in enumerate(value, start=1):
        if item is None:
            yield path, "Member must satisfy constraint: [Member must not be null]"
        elif member.type_name in ("structure", "list"):
            yield from _failures(item, member, f"{path}.{number}.member")
        elif any(_broken(item, member)):
            # a list of plain values is reported whole, with every constraint its members have
            rules = ", ".join(_constraints(member))
            yield path, f"Member must satisfy constraint: [{rules}]"


def _broken(value: Any, shape: Shape) -> Iterator[str]:
    if "enum" in shape.metadata and value not in shape.metadata["enum"]:
        yield _enum_text(shape)
    if shape.type_name in ("string", "blob"):
        yield from _length_failures(value, shape)
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(SAFE_PATTERNS.get(pattern, pattern), value):
            yield _pattern_text(pattern)
    elif shape.type_name in ("integer", "long"):
        minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
        if maximum is not None and value > maximum:
            yield f"Member must have value less than or equal to {maximum}"
        if minimum is not None and value < minimum:
            yield f"Member must have value greater than or equal to {minimum}"


def _length_failures(value: Any, shape: Shape) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if maximum is not None and len(value) > maximum:
        yield f"Member must have length less than or equal to {maximum}"
    if minimum is not None and len(value) < minimum:
        yield f"Member must have length greater than or equal to {minimum}"


def _constraints(shape: Shape) -> Iterator[str]:
    if "max" in shape.metadata:
        yield f"Member must have length less than or equal to {shape.metadata['max']}"
    if "min" in shape.metadata:
        yield f"Member must have length greater than or equal to {shape.metadata['min']}"
    if "pattern" in shape.metadata:
        yield _pattern_text(shape.metadata["pattern"])
    if "enum" in shape.metadata:
        yield _enum_text(shape)


def _enum_text(shape: Shape) -> str:
    values = _ENUM_ORDER.get(shape.name, shape.metadata["enum"])
    return f"Member must satisfy enum value set: [{', '.join(values)}]"


def _pattern_text(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern.replace(chr(92) + '/', '/')}"


def _own_words(constraint: str) -> str:
    _, found, pattern = constraint.partition("Member must satisfy regular expression pattern: ")
    if found:
        return f"must satisfy regular expression '{pattern}'"
    return constraint.removeprefix("Member ")


def _spelt(name: str) -> str:
    """AWS's messages begin every name with a small letter (``tags.1.member.key``)."""
    return name[:1].lower() + name[1:]
