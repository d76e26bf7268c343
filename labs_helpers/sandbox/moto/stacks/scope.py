"""A template's values: parameters, conditions, functions, and attributes of resources."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from labs_helpers.sandbox.moto.stacks import graph
from labs_helpers.sandbox.moto.stacks.kinds import Made
from labs_helpers.sandbox.moto.stacks.types import types
from labs_helpers.sandbox.service import patterns
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal


class _Absent(Enum):
    """What AWS::NoValue is: the property is left out."""

    VALUE = 0


_ABSENT = _Absent.VALUE

Imports = Callable[[str], str | None]
"""The value that a stack exports under a name; None where there is no such export."""


class Scope:
    """One stack's values; `resolved_parameters` and `made` by name.

    Raises Refusal (ValidationError) for parameters that the template does not take.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        given: Mapping[str, Any],
        pseudo: Mapping[str, Any],
        imports: Imports,
    ) -> None:
        """pseudo: values of `AWS::Region` and the like; given: parameters as texts."""
        self.template = template
        self.made: dict[str, Made] = {}
        self._pseudo = {**pseudo, "AWS::NoValue": _ABSENT}
        self._imports = imports
        self._slots: Mapping[str, Any] = template.get("Parameters") or {}
        self.resolved_parameters = self._parameters(given)

    def is_hidden(self, parameter: str) -> bool:
        """Whether the parameter's value is never shown (NoEcho)."""
        return str(self._slots[parameter].get("NoEcho", False)).lower() == "true"

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Whether the condition of a resource or an output holds."""
        return "Condition" not in resource or self.condition(resource["Condition"])

    def condition(self, name: str) -> bool:
        return self._holds(self.template["Conditions"][name])

    def resolve(self, value: Any) -> Any:
        """A value of the template, its functions evaluated; raises Refusal."""
        found = self._resolve(value)
        graph.refuse_dynamic(found)  # a function may have put the reference together
        return None if found is _ABSENT else found

    def _holds(self, condition: Any) -> bool:
        if isinstance(condition, dict) and len(condition) == 1:
            ((name, argument),) = condition.items()
            if name == "Condition":
                return self.condition(argument)
            if name == "Fn::And":
                return all(self._holds(each) for each in argument)
            if name == "Fn::Or":
                return any(self._holds(each) for each in argument)
            if name == "Fn::Not":
                return not self._holds(argument[0])
            if name == "Fn::Equals" and len(argument) == 2:
                left, right = (_text(self.resolve(each)) for each in argument)
                return left == right
        raise _error("every Condition must be one of the functions of conditions")

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            items = [self._resolve(each) for each in value]
            return [each for each in items if each is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
        found = {name: self._resolve(each) for name, each in value.items()}
        return {name: each for name, each in found.items() if each is not _ABSENT}

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.resolved_parameters:
            return self.resolved_parameters[name]
        return self._resource(name).physical_id

    def _resource(self, name: str) -> Made:
        if name not in self.made:
            words = f"Unresolved resource dependencies [{name}] in the Resources block"
            raise Refusal("ValidationError", f"Template format error: {words} of the template")
        return self.made[name]

    def _get_att(self, argument: list[str]) -> Any:
        name, attribute = argument
        made = self._resource(name)
        kind = self.template["Resources"][name]["Type"]
        if attribute not in types()[kind].attributes:
            words = f"resource {name} does not support attribute type {attribute} in Fn::GetAtt"
            raise _error(words)
        return made.attributes[attribute]

    def _find_in_map(self, argument: list[Any]) -> Any:
        found: Any = self.template["Mappings"][argument[0]]
        for key in (self.resolve(each) for each in argument[1:]):
            if not isinstance(found, dict) or str(key) not in found:
                words = f"Unable to get mapping for {argument[0]}::{key}"
                raise _error(words)
            found = found[str(key)]
        return found

    def _if(self, argument: list[Any]) -> Any:
        return self._resolve(argument[1] if self.condition(argument[0]) else argument[2])

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(_text(each) for each in self._list(argument[1], "Fn::Join"))

    def _list(self, value: Any, function: str) -> list[Any]:
        found = self.resolve(value)
        if not isinstance(found, list):
            raise _error(f"{function} requires a list, and has {str(found)[:60]!r}")
        return found

    def _select(self, argument: list[Any]) -> Any:
        index, found = self.resolve(argument[0]), self._list(argument[1], "Fn::Select")
        if not str(index).isdecimal() or int(index) >= len(found):
            raise _error(f"Fn::Select cannot select nonexistent value at index {index}")
        return found[int(index)]

    def _split(self, argument: list[Any]) -> list[str]:
        if not argument[0]:
            raise _error("Fn::Split requires a delimiter that is not empty")
        return _text(self.resolve(argument[1])).split(argument[0])

    def _sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = {name: _text(self.resolve(each)) for name, each in own.items()}

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name in values:
                return values[name]
            logical_id, dot, attribute = name.partition(".")
            return _text(self._get_att([logical_id, attribute]) if dot else self._ref(name))

        return graph.VARIABLE.sub(value, text).replace("${!", "${")

    def _import(self, argument: Any) -> str:
        name = _text(self.resolve(argument))
        found = self._imports(name)
        if found is None:
            raise Refusal("ValidationError", f"No export named {name} found.")
        return found

    def _zones(self, argument: Any) -> list[str]:
        region = _text(self.resolve(argument) or "") or str(self._pseudo["AWS::Region"])
        return [f"{region}{letter}" for letter in "abc"]

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(_text(self.resolve(argument)).encode()).decode()

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := sorted(set(given) - set(self._slots)):
            words = f"Parameters: [{', '.join(unknown)}] do not exist in the template"
            raise Refusal("ValidationError", words)
        missing = [
            name
            for name, slot in self._slots.items()
            if name not in given and "Default" not in slot
        ]
        if missing:
            raise Refusal("ValidationError", f"Parameters: [{', '.join(missing)}] must have values")
        return {
            name: _parameter(name, slot, given.get(name, slot.get("Default")))
            for name, slot in self._slots.items()
        }


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": Scope._ref,
    "Fn::Base64": Scope._base64,
    "Fn::FindInMap": Scope._find_in_map,
    "Fn::GetAZs": Scope._zones,
    "Fn::GetAtt": Scope._get_att,
    "Fn::If": Scope._if,
    "Fn::ImportValue": Scope._import,
    "Fn::Join": Scope._join,
    "Fn::Select": Scope._select,
    "Fn::Split": Scope._split,
    "Fn::Sub": Scope._sub,
}


def _parameter(name: str, slot: Mapping[str, Any], value: Any) -> Any:
    """A parameter's value in its type; raises Refusal for a value that the template excludes.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    kind = slot["Type"]
    if kind.startswith("AWS::SSM::Parameter::"):
        raise not_implemented(f"the parameter type {kind[:80]} in a template")
    text = _text(value)
    allowed = [_text(each) for each in slot.get("AllowedValues", ())]
    if allowed and text not in allowed:
        raise _unfit(name, f"must be one of AllowedValues [{', '.join(allowed)}]")
    if "AllowedPattern" in slot and not _matches(name, str(slot["AllowedPattern"]), text):
        raise _unfit(name, f"must match pattern {slot['AllowedPattern']}")
    least, most = slot.get("MinLength"), slot.get("MaxLength")
    if least is not None and len(text) < int(least):
        raise _unfit(name, f"must contain at least {least} characters")
    if most is not None and len(text) > int(most):
        raise _unfit(name, f"must contain at most {most} characters")
    if kind == "Number":
        number = _number(name, text)
        least, most = slot.get("MinValue"), slot.get("MaxValue")
        if least is not None and number < float(least):
            raise _unfit(name, f"must be a number not less than {least}")
        if most is not None and number > float(most):
            raise _unfit(name, f"must be a number not greater than {most}")
        return text
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [each.strip() for each in text.split(",")]
    return text


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _unfit(name, "must be a number") from None


def _matches(name: str, pattern: str, text: str) -> bool:
    """Whether a value matches; a pattern that may take long is refused."""
    try:
        return patterns.fits(pattern, text)
    except patterns.MayTakeLong:
        raise not_implemented(f"an AllowedPattern such as that of the parameter {name}") from None
    except patterns.NoPattern:
        raise Refusal("ValidationError", f"Invalid AllowedPattern for parameter {name}") from None


def _unfit(name: str, words: str) -> Refusal:
    return Refusal("ValidationError", f"Parameter '{name}' {words}")


def _text(value: Any) -> str:
    """A value as CloudFormation writes the value into a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _error(words: str) -> Refusal:
    return Refusal("ValidationError", f"Template error: {words}")
