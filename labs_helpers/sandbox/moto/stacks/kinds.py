"""The description of a type of resource: its properties, and how it is made and deleted.

A type's properties are in CloudFormation's template reference:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import CallFailed, Calls

Properties = Mapping[str, Any]


@dataclass
class Made:
    """A resource that a stack has made.

    physical_id: what Ref gives; attributes: what Fn::GetAtt gives; properties: as last applied.
    """

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    properties: Properties = field(default_factory=dict)


Create = Callable[[Calls, str, Properties], Made]
"""(calls, the name that CloudFormation would give, properties) -> the resource."""
Delete = Callable[[Calls, Made], None]
Update = Callable[[Calls, Made, Properties], None]
"""(calls, the resource, its new properties)"""


@dataclass(frozen=True)
class Kind:
    """One type.

    properties: those that are applied, all others are refused; update: applies changes of
    `changes`, in place; replaces: whose change makes a new resource, after which the old one goes;
    attributes: of Fn::GetAtt; needs: the capability that a stack needs.
    """

    properties: frozenset[str]
    create: Create
    delete: Delete
    attributes: frozenset[str] = frozenset()
    update: Update | None = None
    changes: frozenset[str] = frozenset()
    needs: str = ""
    replaces: frozenset[str] = frozenset()


def kind(
    properties: str,
    create: Create,
    delete: Delete,
    *,
    attributes: str = "",
    update: Update | None = None,
    changes: str = "",
    needs: str = "",
    replaces: str = "",
) -> Kind:
    """A Kind; the texts `properties` to `replaces` are names with spaces between them."""
    words = [frozenset(text.split()) for text in (properties, attributes, changes, replaces)]
    return Kind(words[0], create, delete, words[1], update, words[2], needs, words[3])


def text_of(document: Any) -> str | None:
    """A policy of a template as the text that AWS's calls take; None for none."""
    if document is None or isinstance(document, str):
        return document
    return json.dumps(document)


def lowered(value: Any) -> Any:
    """A value with the names of members as AWS JSON has them: FilterType -> filterType."""
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: lowered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [lowered(each) for each in value]
    return value


def is_true(value: Any) -> bool:
    """A truth value of a template, which may be a text."""
    return str(value).lower() == "true"


def given(properties: Properties, *names: str) -> dict[str, Any]:
    """The named properties, as far as a template gives them."""
    return {name: properties[name] for name in names if name in properties}


@contextmanager
def undone_on_failure(calls: Calls, made: Made, delete: Delete) -> Iterator[None]:
    """Delete the resource when a call in the block fails.

    Raises CallFailed, which says so when the resource stays.
    """
    try:
        yield
    except CallFailed as error:
        try:
            delete(calls, made)
        except CallFailed as left:
            words = f"{error} {made.physical_id} stays: {left}"
            raise CallFailed(error.service, error.code, words) from error
        raise


def tags_of(calls: Calls, properties: Properties) -> list[dict[str, Any]]:
    """The tags of the stack and those of the resource, which win."""
    found = dict(calls.stack_tags) | {
        tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())
    }
    return [{"Key": key, "Value": value} for key, value in found.items()]
