"""A policy document made ready to evaluate: text -> Document, once a text.

Lenient: whatever IAM stored can be read, and what a statement says that cannot be understood makes
it deny if it denies and never allow. What may be stored at all is for `grammar` to say.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from labs_helpers.sandbox.policy.actions import Actions
from labs_helpers.sandbox.policy.conditions import Test, compile_condition, hold
from labs_helpers.sandbox.policy.match import arn_matches, arn_pattern
from labs_helpers.sandbox.policy.model import Context
from labs_helpers.sandbox.policy.principals import Principals, principals
from labs_helpers.sandbox.policy.variables import Template, template

#: How many actions a document remembers the statements of; the labs' services have fewer.
_REMEMBERED = 1024


class NotAPolicy(ValueError):
    """The text is no policy at all. place: where in it, such as ``Statement[1]``."""

    def __init__(self, place: str, problem: str):
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place


@dataclass(frozen=True)
class Resources:
    """The Resource or NotResource element. every: ``*`` is in it; fixed: entries without variables.

    A resource of "*", where an action is on none in particular, is matched by ``*`` alone:
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
    """One statement. resources and principals are None where it has no such element.

    keys: the condition keys that it needs, in lower case -> as written.
    """

    index: int
    sid: str | None
    allows: bool
    actions: Actions
    resources: Resources | None
    principals: Principals | None
    tests: tuple[Test, ...]
    keys: Mapping[str, str]
    source: Mapping[str, Any]

    def holds(self, context: Context) -> bool:
        """Whether its Condition does. One that cannot be understood holds for a Deny only."""
        if any(test.operator is None for test in self.tests):
            return not self.allows
        return hold(self.tests, context)


@dataclass(frozen=True)
class Document:
    """A policy's statements, in order; `text` is what they were read from."""

    version: str
    statements: tuple[Statement, ...]
    text: str = field(default="", repr=False, compare=False)
    _by_action: dict[str, tuple[Statement, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def about(self, action: str) -> tuple[Statement, ...]:
        """The statements that this action is in. action: in lower case."""
        known = self._by_action.get(action)
        if known is None:
            known = tuple(each for each in self.statements if each.actions.match(action))
            if len(self._by_action) >= _REMEMBERED:
                self._by_action.clear()
            self._by_action[action] = known
        return known


def parse(policy: str | Mapping[str, Any]) -> Document:
    """The document of a text, or of an object already read from JSON.

    Raises NotAPolicy when it is no policy: no JSON, no object, no statements, no Effect.
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
    tests = _tests(place, source, variables)
    sid = source.get("Sid")
    return Statement(
        index,
        sid if isinstance(sid, str) and sid else None,
        effect == "Allow",
        _actions(place, source),
        resources,
        principals(source),
        tests,
        dict(_keys(resources, tests, needed=True)),
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


def _tests(place: str, source: Mapping[str, Any], variables: bool) -> tuple[Test, ...]:
    condition = source.get("Condition") or {}
    if not isinstance(condition, dict):
        raise NotAPolicy(f"{place}.Condition", "not an object")
    for name, keys in condition.items():
        if not isinstance(keys, dict):
            raise NotAPolicy(f"{place}.Condition.{name}", "not an object")
    return compile_condition(condition, variables)


def _keys(
    resources: Resources | None, tests: Iterable[Test], needed: bool
) -> Iterator[tuple[str, str]]:
    """The condition keys that are written in it. needed: not those that have a default."""
    templates = list(resources.templates) if resources is not None else []
    for test in tests:
        yield test.key, test.name
        templates += test.values
    for each in templates:
        for variable in each.variables():
            if variable.default is None or not needed:
                yield variable.key, variable.name


def _texts(place: str, value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in listed):
        raise NotAPolicy(place, "neither a string nor a list of strings")
    return listed
