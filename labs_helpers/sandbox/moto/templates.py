"""CloudFormation's templates: JSON or YAML with short forms (`!Ref x`) -> plain data.

Formats: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
(no aliases, no tags of YAML's own beyond plain data). Short forms:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
Words of the errors:
https://repost.aws/knowledge-center/cloudformation-template-validation
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from labs_helpers.sandbox.moto.stacks import graph, types
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

LARGEST = 1024 * 1024
"""Bytes of a template in S3.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

DEEPEST = 100
"""Levels of a template. CloudFormation names no limit; moto follows each level by recursion."""

_FUNCTIONS = (
    "And",
    "Base64",
    "Cidr",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "Equals",
    "FindInMap",
    "GetAZs",
    "GetAtt",
    "GetStackOutput",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "RefAll",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
    "ValueOf",
    "ValueOfAll",
)
_SHORT = {
    "!Ref": "Ref",
    "!Condition": "Condition",
    **{f"!{name}": f"Fn::{name}" for name in _FUNCTIONS},
}
_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Hooks",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
}

_NOT_DONE = {"Globals", "Hooks", "Rules", "Transform"}
"""Sections that would change or refuse a stack, and that nothing here reads."""


def parse(text: object) -> dict[str, Any]:
    """The template as plain data; raises Refusal with CloudFormation's words for a bad one."""
    if not isinstance(text, str) or not text:
        raise _invalid("Either Template URL or Template Body must be specified.")
    if len(text.encode()) > LARGEST:
        raise _invalid(f"Template may not exceed {LARGEST} bytes in size.")
    template = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    if not isinstance(template, dict):
        raise _format("unsupported structure.")
    _check(template)
    return template


class Loader:
    """`parse` in the form of PyYAML's loaders, for `yaml.load(text, Loader=...)`."""

    def __init__(self, text: object) -> None:
        self._text = text

    def get_single_data(self) -> dict[str, Any]:
        return parse(self._text)

    def dispose(self) -> None:
        """Nothing is held."""


def install() -> None:
    """From now on, in this process, `yaml.load(text, Loader=yaml.Loader)` is `parse`.

    PyYAML's own Loader runs any function that a text names, and moto 5.2.5 gives it every template
    (moto/cloudformation/models.py and responses.py). moto looks `yaml.Loader` up at each call.
    """
    for name in ("Loader", "UnsafeLoader", "FullLoader"):
        setattr(yaml, name, Loader)


class _Yaml(yaml.SafeLoader):
    """Plain data and short forms only; keys are texts, and so are dates."""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"(line {error.lineno}, column {error.colno})"
        raise _format(f"JSON not well-formed. {place}") from None
    except RecursionError:
        raise _format("JSON not well-formed.") from None


def _yaml(text: str) -> Any:
    try:
        # not yaml.load: a YAML stream may hold one document only, which get_single_data checks
        return _Yaml(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise _format(f"YAML not well-formed.{place}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise _format("YAML not well-formed.") from None


def _compose_node(loader: Any, parent: Any, index: Any) -> Any:
    if loader.check_event(yaml.AliasEvent):
        words = "Template error: YAML aliases are not allowed in CloudFormation templates"
        raise _invalid(words)
    return yaml.SafeLoader.compose_node(loader, parent, index)


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    found = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is no text", key.start_mark)
        found[key.value] = loader.construct_object(value, deep=True)
    return found


def _short_form(loader: Any, node: Any) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = node.value
    elif isinstance(node, yaml.SequenceNode):
        value = [loader.construct_object(each, deep=True) for each in node.value]
    else:
        value = _mapping(loader, node)
    if node.tag == "!GetAtt" and isinstance(value, str):
        name, _, attribute = value.partition(".")
        value = [name, attribute]
    return {_SHORT[node.tag]: value}


_loader: Any = _Yaml
_loader.compose_node = _compose_node
_loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _tag in _SHORT:
    _loader.add_constructor(_tag, _short_form)
for _kind in ("timestamp", "binary", "omap", "pairs", "set"):
    _loader.add_constructor(f"tag:yaml.org,2002:{_kind}", yaml.SafeLoader.construct_undefined)
_loader.yaml_implicit_resolvers = {
    first: [each for each in resolvers if not each[0].endswith((":timestamp", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _check(template: dict[str, Any]) -> None:
    """The structure that every template has, so that moto does not stumble over another."""
    if unknown := sorted(set(template) - _SECTIONS):
        raise _invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    for place in _nulls(template, ""):
        raise _invalid(f"[{place}] 'null' values are not allowed in templates")
    if str(template.get("AWSTemplateFormatVersion", "2010-09-09")) != "2010-09-09":
        raise _format("unsupported value for AWSTemplateFormatVersion.")
    if not isinstance(template.get("Description", ""), str):
        raise _format("Every Description member must be a string.")
    _check_resources(template.get("Resources") or {})
    for name, each in _members(template, "Parameters"):
        if not isinstance(each, dict) or not isinstance(each.get("Type"), str):
            raise _format(
                f"[/Parameters/{name}] Every Parameters object must contain a Type member."
            )
    for name, each in _members(template, "Outputs"):
        if not isinstance(each, dict) or "Value" not in each:
            raise _format(f"[/Outputs/{name}] Every Outputs member must contain a Value object")
        export = each.get("Export", {"Name": ""})
        if not isinstance(export, dict) or "Name" not in export:
            raise _format(f"[/Outputs/{name}/Export] Every Export must contain a Name.")
    for section in ("Conditions", "Mappings"):
        for name, each in _members(template, section):
            if not isinstance(each, dict):
                raise _format(f"[/{section}/{name}] Every {section} member must be an object.")
    for section in _NOT_DONE & set(template):
        raise not_implemented(f"the section {section} of a template")
    graph.check(template)
    graph.refuse_dynamic({name: template.get(name) for name in ("Outputs", "Resources")})
    for name, each in template["Resources"].items():
        types.check(name, each)


def _check_resources(resources: Any) -> None:
    if not isinstance(resources, dict):
        raise _format("unsupported structure.")
    if not resources:
        raise _format("At least one Resources member must be defined.")
    for name, each in resources.items():
        if name.startswith("Fn::"):  # of the transform AWS::LanguageExtensions
            raise not_implemented(f"{name[:60]} in the resources of a template")
        if not isinstance(each, dict):
            raise _format(f"[/Resources/{name}] resource definition is malformed")
        if not isinstance(each.get("Type"), str):
            raise _format(f"[/Resources/{name}] Every Resources object must contain a Type member.")
        if not isinstance(each.get("Properties", {}), dict):
            raise _format(f"[/Resources/{name}] Any Properties member must be an object.")


def _members(template: Mapping[str, Any], section: str) -> Iterator[tuple[str, Any]]:
    found = template.get(section, {})
    if not isinstance(found, dict):
        raise _format(f"[/{section}] Every {section} member must be an object.")
    yield from found.items()


def _nulls(value: Any, place: str) -> Iterator[str]:
    """Where there is no value; CloudFormation writes Type for Properties in such a place.

    Raises Refusal for what is nested too deep, and for Fn::Transform.
    """
    if place.count("/") > DEEPEST:
        raise _format("unsupported structure.")
    if value is None:
        yield place
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "Fn::Transform":  # moto would read the file from any account's bucket
                raise not_implemented("Fn::Transform in a template")
            of_resource = place.startswith("/Resources/") and place.count("/") == 2
            step = "Type" if of_resource and name == "Properties" else name
            yield from _nulls(each, f"{place}/{step}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _nulls(each, f"{place}/{number}")


def _format(words: str) -> Refusal:
    return _invalid(f"Template format error: {words}")


def _invalid(words: str) -> Refusal:
    return Refusal("ValidationError", words)
