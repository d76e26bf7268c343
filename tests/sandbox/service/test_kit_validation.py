"""Parameters against a model: which problems there are, and AWS's sentence about each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from botocore.model import ServiceModel, StructureShape

from labs_helpers.sandbox.service.protocol import service_model
from labs_helpers.sandbox.service.validation import Invalid, validate

SERVICES = ("codebuild", "codedeploy", "codepipeline", "ecr", "ecs", "events", "iam", "sts")
FAILED = "failed to satisfy constraint:"


def shape(members: dict[str, Any], *required: str, **shapes: dict[str, Any]) -> StructureShape:
    """An input shape with members of these shapes."""
    names = {name: {"shape": name} for name in members}
    document = {"type": "structure", "members": names, "required": list(required)}
    model = ServiceModel({"shapes": {**members, **shapes, "Input": document}})
    found = model.shape_for("Input")
    assert isinstance(found, StructureShape)
    return found


def sentence(params: dict[str, Any], model: StructureShape) -> str:
    with pytest.raises(Invalid) as raised:
        validate(params, model)
    return str(raised.value)


def test_every_problem_is_named() -> None:
    model = shape({"Name": {"type": "string", "max": 3}, "Count": {"type": "integer"}}, "Count")
    assert sentence({"Name": "abcd"}, model) == (
        f"2 validation errors detected: Value null at 'count' {FAILED} Member must not be null; "
        f"Value 'abcd' at 'name' {FAILED} Member must have length less than or equal to 3"
    )


def test_a_sensitive_value_is_not_repeated() -> None:
    model = shape({"Password": {"type": "string", "min": 9, "sensitive": True}})
    assert sentence({"Password": "hunter2"}, model) == (
        f"1 validation error detected: Value at 'password' {FAILED} Member must have length "
        "greater than or equal to 9"
    )


def test_a_list_of_plain_values_is_reported_as_a_whole() -> None:
    model = shape(
        {"Names": {"type": "list", "member": {"shape": "N"}}}, N={"type": "string", "min": 2}
    )
    assert sentence({"Names": ["ab", "c", "d"]}, model) == (
        f"1 validation error detected: Value '[ab, c, d]' at 'names' {FAILED} Member must satisfy "
        "constraint: [Member must have length greater than or equal to 2]"
    )


def test_a_map_is_reported_by_its_keys_and_its_values() -> None:
    variables = {"type": "map", "key": {"shape": "K"}, "value": {"shape": "V"}}
    model = shape(
        {"Variables": variables},
        K={"type": "string", "pattern": "[a-z]+"},
        V={"type": "string", "max": 1},
    )
    validate({"Variables": {"a": "b"}}, model)
    said = sentence({"Variables": {"A": "bc"}}, model)
    assert "Map keys must satisfy constraint: [Member must satisfy regular expr" in said
    assert "Map value must satisfy constraint: [Member must have length less than" in said


def test_a_structure_within_a_list_is_reported_by_its_own_path() -> None:
    model = service_model("codedeploy").operation_model("CreateApplication").input_shape
    tags = [{"Key": "a"}, {"Key": "b"}]
    validate({"applicationName": "demo", "tags": tags}, model)
    model = service_model("ecr").operation_model("TagResource").input_shape
    with pytest.raises(Invalid) as raised:
        validate({"resourceArn": "arn:aws:ecr:", "tags": [{"Key": "a", "Value": "b"}, {}]}, model)
    assert [one.path for one in raised.value.problems] == [
        "tags.2.member.key",
        "tags.2.member.value",
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_the_models_can_be_matched(service: str) -> None:
    model = service_model(service)
    shapes = [model.shape_for(name) for name in model.shape_names]
    patterns = [one for one in shapes if one.type_name == "string" and "pattern" in one.metadata]
    for each in patterns:
        member = shape({"Text": {"type": "string", "pattern": each.metadata["pattern"]}})
        with suppress(Invalid):
            validate({"Text": "some text"}, member)


def test_letters_of_every_script_are_letters() -> None:
    model = service_model("ecs").operation_model("TagResource").input_shape
    arn = "arn:aws:ecs:us-west-2:123456789012:cluster/demo"
    validate({"resourceArn": arn, "tags": [{"key": "größe", "value": "大"}]}, model)
    with pytest.raises(Invalid):
        validate({"resourceArn": arn, "tags": [{"key": "a;b", "value": ""}]}, model)


def test_a_session_policy_is_limited_with_its_white_space() -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html"""
    model = service_model("sts").operation_model("GetFederationToken").input_shape
    validate({"Name": "dev", "Policy": " " * 2048}, model)
    with pytest.raises(Invalid, match=r"at .policy. failed .* less than or equal to 2048"):
        validate({"Name": "dev", "Policy": " " * 2049}, model)
