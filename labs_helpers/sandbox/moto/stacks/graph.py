"""References in a template: whether they exist, their order, and the form of functions.

Functions: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
Words of the errors, where CloudFormation's are public:
https://repost.aws/knowledge-center/cloudformation-template-validation
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

Template = Mapping[str, Any]

PSEUDO = frozenset(
    (
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    )
)
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""

VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
"""A variable in the text of Fn::Sub; `${!x}` is a literal."""

CONDITION_FUNCTIONS = frozenset(("Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | dict)


def _pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


_FORMS: Mapping[str, tuple[Any, str]] = {
    "Ref": (_is_text, "every Ref object must have a single String value."),
    "Fn::Base64": (lambda value: True, ""),
    "Fn::FindInMap": (
        lambda value: isinstance(value, list) and len(value) == 3 and _is_text(value[0]),
        "every Fn::FindInMap object requires three parameters, the map name, map key and the "
        "attribute for return value",
    ),
    "Fn::GetAZs": (lambda value: True, ""),
    "Fn::GetAtt": (
        lambda value: _pair(value) and all(map(_is_text, value)) and all(value),
        "every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
        "resource attribute",
    ),
    "Fn::If": (
        lambda value: isinstance(value, list) and len(value) == 3 and _is_text(value[0]),
        "Fn::If requires a list argument with the first element being a condition",
    ),
    "Fn::ImportValue": (lambda value: True, ""),
    "Fn::Join": (
        lambda value: _pair(value) and _is_text(value[0]) and _is_list(value[1]),
        "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) "
        "to be joined.",
    ),
    "Fn::Select": (
        lambda value: _pair(value) and _is_list(value[1]),
        "Fn::Select requires a list argument with two elements: an integer index and a list",
    ),
    "Fn::Split": (
        lambda value: _pair(value) and _is_text(value[0]),
        "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string "
        "to be split or a function that returns a string to be split.",
    ),
    "Fn::Sub": (
        lambda value: (
            _is_text(value) or (_pair(value) and _is_text(value[0]) and isinstance(value[1], dict))
        ),
        "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "
        "string as first argument, and an optional second argument to specify a mapping of values "
        "to replace in the string",
    ),
}
"""function -> (whether its argument has the form, what CloudFormation says otherwise)."""


def check(template: Template) -> None:
    """Raise Refusal for a function or a reference that cannot be followed, and for a circle."""
    for section in ("Conditions", "Resources", "Outputs"):
        for value in (template.get(section) or {}).values():
            _check_functions(value, section == "Conditions")
            _check_references(template, section, value)
    _ordered(
        {
            name: set(_conditions_in(value))
            for name, value in (template.get("Conditions") or {}).items()
        },
        "conditions",
    )
    order(template)


def order(template: Template) -> list[str]:
    """The resources' logical ids, each after those that it needs; raises Refusal for a circle."""
    resources = template["Resources"]
    needs: dict[str, set[str]] = {}
    for name, resource in resources.items():
        on = resource.get("DependsOn", [])
        named = {on} if isinstance(on, str) else set(on)
        named |= {found for found, _ in references(resource.get("Properties", {}))}
        needs[name] = named & set(resources)
    return _ordered(needs, "resources")


def references(value: Any) -> Iterator[tuple[str, bool]]:
    """(name, whether an attribute is asked for) of every Ref, GetAtt and Sub."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    if not isinstance(value, dict):
        return
    for name, each in value.items():
        if name == "Ref" and len(value) == 1:
            yield each, False
        elif name == "Fn::GetAtt":
            yield each[0], True
        elif name == "Fn::Sub":
            text, own = (each, {}) if isinstance(each, str) else each
            for variable in VARIABLE.findall(text):
                if variable not in own:
                    logical_id, dot, _ = variable.partition(".")
                    yield logical_id, bool(dot)
            yield from references(own)
        else:
            yield from references(each)


def _check_functions(value: Any, in_conditions: bool) -> None:
    if isinstance(value, list):
        for each in value:
            _check_functions(each, in_conditions)
    if not isinstance(value, dict):
        return
    for name, each in value.items():
        if name.startswith("Fn::") or (name == "Ref" and len(value) == 1):
            if in_conditions and name in CONDITION_FUNCTIONS:
                if not isinstance(each, list) or not each:
                    raise _error(f"{name} requires a list argument")
            elif name not in _FORMS:
                raise not_implemented(f"the function {name[:60]} in a template")
            elif not _FORMS[name][0](each):
                raise _error(_FORMS[name][1])
        _check_functions(each, in_conditions)


def _check_references(template: Template, section: str, value: Any) -> None:
    parameters = set(template.get("Parameters") or {}) | PSEUDO
    resources = set(template["Resources"]) if section != "Conditions" else set()
    searched = value.get("Properties", {}) if section == "Resources" else value
    for found, is_attribute in references(searched):
        if found not in (resources if is_attribute else resources | parameters):
            if is_attribute:
                words = f"instance of Fn::GetAtt references undefined resource {found}"
                raise _error(words)
            raise _unresolved(found, section)
    on = value.get("DependsOn", []) if section == "Resources" else []
    if not isinstance(on, str) and not (isinstance(on, list) and all(map(_is_text, on))):
        raise _format("Every DependsOn value must be a string or a list of strings.")
    for each in [on] if isinstance(on, str) else on:
        if each not in resources:
            raise _unresolved(each, section)
    conditions = set(template.get("Conditions") or {})
    named = set(_conditions_in(value, section == "Conditions"))
    if section != "Conditions" and "Condition" in value:
        named.add(str(value["Condition"]))
    for condition in sorted(named - conditions):
        words = (
            f"Unresolved condition dependency {condition} in the {section} block of the template"
        )
        raise _format(words)
    for found in _maps_in(searched):
        if found not in (template.get("Mappings") or {}):
            raise _error(
                f"Mapping named '{found}' is not present in the 'Mappings' section of template."
            )


def _conditions_in(value: Any, in_conditions: bool = True) -> Iterator[str]:
    """Names of the conditions that a value asks for."""
    if isinstance(value, list):
        for each in value:
            yield from _conditions_in(each, in_conditions)
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "Fn::If":
                yield each[0]
            if in_conditions and name == "Condition" and isinstance(each, str):
                yield each
            yield from _conditions_in(each, in_conditions)


def _maps_in(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _maps_in(each)
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "Fn::FindInMap":
                yield each[0]
            yield from _maps_in(each)


def _ordered(needs: Mapping[str, set[str]], what: str) -> list[str]:
    done: dict[str, None] = {}
    left = dict(needs)
    while left:
        ready = [name for name, on in left.items() if not (on & set(left))]
        if not ready:
            names = ", ".join(sorted(left))
            raise Refusal("ValidationError", f"Circular dependency between {what}: [{names}]")
        for name in ready:
            done[name] = None
            del left[name]
    return list(done)


def _unresolved(name: str, section: str) -> Refusal:
    return _format(
        f"Unresolved resource dependencies [{name}] in the {section} block of the template"
    )


def _error(words: str) -> Refusal:
    return Refusal("ValidationError", f"Template error: {words}")


def _format(words: str) -> Refusal:
    return Refusal("ValidationError", f"Template format error: {words}")


_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*")


def refuse_dynamic(value: Any) -> None:
    """Raise Refusal (NotInSandbox) for a text with a dynamic reference, in whatever member.

    The sandbox does not follow them: without a refusal a stack would have the text of the reference
    for the value of a secret.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    if isinstance(value, dict):
        for name, each in value.items():
            refuse_dynamic(name)
            refuse_dynamic(each)
    elif isinstance(value, list):
        for each in value:
            refuse_dynamic(each)
    elif isinstance(value, str) and (found := _DYNAMIC.search(value)):
        raise not_implemented(f"the dynamic reference {found[0][:200]}}}}} in a template")
