"""Policy documents, parsed for evaluation. Each text is parsed once.

Parsing is lenient: it accepts whatever IAM stored. What a statement has that cannot be understood
never allows and always denies. `grammar` decides which documents may be stored.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from labs_helpers.sandbox.policy.actions import Actions
from labs_helpers.sandbox.policy.conditions import Condition, conditions
from labs_helpers.sandbox.policy.match import arn_matches, arn_pattern
from labs_helpers.sandbox.policy.principals import Principals, principals
from labs_helpers.sandbox.policy.request import Context
from labs_helpers.sandbox.policy.variables import Template, template

#: The number of actions whose statements a document caches; the labs' services have fewer.
_CACHED_ACTIONS = 1024


class NotAPolicy(ValueError):
    """The text is not a policy. place: of the fault, such as ``Statement[1]``."""

    def __init__(self, place: str, problem: str):
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place


@dataclass(frozen=True)
class Resources:
    """The Resource or NotResource element.

    every: whether an entry is ``*``; fixed: the entries without variables; templates: the others.
    An action on no particular resource has the resource "*", which only the entry ``*`` matches:
    https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
    """

    negated: bool
    every: bool
    fixed: tuple[re.Pattern[str], ...]
    templates: tuple[Template, ...]

    @classmethod
    def of(cls, texts: list[str], negated: bool, variables: bool) -> Resources:
        entries = [template(text, variables) for text in texts]
        fixed = (arn_pattern(entry.fixed) for entry in entries if entry.fixed is not None)
        return cls(
            negated,
            "*" in texts,
            tuple(pattern for pattern in fixed if pattern is not None),
            tuple(entry for entry in entries if entry.fixed is None),
        )

    def match(self, resource: str, context: Context) -> bool:
        return (self.every or self._includes(resource, context)) != self.negated

    def _includes(self, resource: str, context: Context) -> bool:
        for pattern in self.fixed:
            if pattern.fullmatch(resource):
                return True
        for entry in self.templates:
            filled = entry.fill(context)
            if filled is not None and arn_matches(filled, resource):
                return True
        return False


@dataclass(frozen=True)
class Statement:
    """One statement.

    resources, principals: None if the statement has no such element; keys: the condition keys that
    it needs, in lower case -> as written; source: the statement as JSON.
    """

    index: int
    sid: str | None
    allows: bool
    actions: Actions
    resources: Resources | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    keys: Mapping[str, str]
    source: Mapping[str, Any]

    def holds(self, context: Context) -> bool:
        """Whether the Condition is met; an unknown operator counts as met only in a Deny."""
        if any(condition.operator is None for condition in self.conditions):
            return not self.allows
        return all(condition.matches(context) for condition in self.conditions)


@dataclass(frozen=True)
class Document:
    """A policy's statements, in order, and the text that they were parsed from."""

    version: str
    statements: tuple[Statement, ...]
    text: str = field(default="", repr=False, compare=False)
    _by_action: dict[str, tuple[Statement, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that include this action. action: in lower case."""
        known = self._by_action.get(action)
        if known is None:
            known = tuple(each for each in self.statements if each.actions.match(action))
            if len(self._by_action) >= _CACHED_ACTIONS:
                self._by_action.clear()
            self._by_action[action] = known
        return known


def parse(policy: str | Mapping[str, Any]) -> Document:
    """The document in a text, or in an object that was read from JSON.

    Raises NotAPolicy if it is not JSON, not an object, or has no statements or a statement without
    Effect.
    """
    return _parse(policy if isinstance(policy, str) else json.dumps(policy))


@lru_cache(maxsize=2048)
def _parse(text: str) -> Document:
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAPolicy("", f"not JSON ({error})") from error
    if not isinstance(policy, dict):
        raise NotAPolicy("", "not a JSON object")
    version = policy.get("Version", "2008-10-17")
    listed = policy.get("Statement")
    if isinstance(listed, dict):
        listed = [listed]
    if not isinstance(listed, list):
        raise NotAPolicy("Statement", "missing" if listed is None else "not a list of objects")
    variables = version == "2012-10-17"
    return Document(
        str(version),
        tuple(_statement(index, each, variables) for index, each in enumerate(listed)),
        text,
    )


def _statement(index: int, source: Any, variables: bool) -> Statement:
    place = f"Statement[{index}]"
    if not isinstance(source, dict):
        raise NotAPolicy(place, "not an object")
    effect = source.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise NotAPolicy(f"{place}.Effect", "neither Allow nor Deny")
    resources = _resources(place, source, variables)
    found = _conditions(place, source, variables)
    sid = source.get("Sid")
    return Statement(
        index,
        sid if isinstance(sid, str) and sid else None,
        effect == "Allow",
        _actions(place, source),
        resources,
        principals(source),
        found,
        _needed_keys(resources, found),
        source,
    )


def _actions(place: str, source: Mapping[str, Any]) -> Actions:
    if "NotAction" in source:
        return Actions.of(_texts(f"{place}.NotAction", source["NotAction"]), negated=True)
    return Actions.of(_texts(f"{place}.Action", source.get("Action", [])), negated=False)


def _resources(place: str, source: Mapping[str, Any], variables: bool) -> Resources | None:
    for name in ("Resource", "NotResource"):
        if name in source:
            texts = _texts(f"{place}.{name}", source[name])
            return Resources.of(texts, name == "NotResource", variables)
    return None


def _conditions(place: str, source: Mapping[str, Any], variables: bool) -> tuple[Condition, ...]:
    element = source.get("Condition") or {}
    if not isinstance(element, dict):
        raise NotAPolicy(f"{place}.Condition", "not an object")
    for name, keys in element.items():
        if not isinstance(keys, dict):
            raise NotAPolicy(f"{place}.Condition.{name}", "not an object")
    return conditions(element, variables)


def _needed_keys(resources: Resources | None, found: tuple[Condition, ...]) -> dict[str, str]:
    """The condition keys without a default, in lower case -> as written."""
    keys = {condition.key: condition.name for condition in found}
    templates = [*(resources.templates if resources else ())]
    for condition in found:
        templates += condition.values
    for each in templates:
        for variable in each.variables():
            if variable.default is None:
                keys[variable.key] = variable.name
    return keys


def _texts(place: str, value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in listed):
        raise NotAPolicy(place, "neither a string nor a list of strings")
    return listed
