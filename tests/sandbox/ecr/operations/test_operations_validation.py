"""What is checked before an operation runs: JSON, types, and the model's constraints."""

import json
import re
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.sandbox.service.protocol import service_model
from labs_helpers.sandbox.service.validation import SAFE_PATTERNS
from tests.sandbox.ecr.operations.ecr_api import OPERATIONS, TARGET, Ecr

NAME = (
    r"'must satisfy regular expression "
    r"'[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*''"
)
FRESH = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def constraint(path: str, text: str) -> tuple[str, str]:
    message = f"Invalid parameter at '{path}' failed to satisfy constraint: {text}"
    return "InvalidParameterException", message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Demo", NAME),
        ("a___b", NAME),
        ("a/", NAME),
        ("a\n", NAME),
        ("é" * 3, NAME),
        ("a", "'must have length greater than or equal to 2'"),
        ("a" * 257, "'must have length less than or equal to 256'"),
        (None, "'must not be null'"),
    ],
)
def test_a_repositorys_name_is_refused_in_ecrs_words(ecr: Ecr, name: str | None, text: str) -> None:
    assert ecr.error("CreateRepository", repositoryName=name) == constraint("repositoryName", text)


@pytest.mark.parametrize(
    ("operation", "params", "path", "text"),
    [
        (
            "ListImages",
            {"repositoryName": "demo", "maxResults": 1001},
            "maxResults",
            "'Member must have value less than or equal to 1000'",
        ),
        (
            "PutImageTagMutability",
            {"repositoryName": "demo", "imageTagMutability": "SOLID"},
            "imageTagMutability",
            "'Member must satisfy enum value set: [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, "
            "IMMUTABLE_WITH_EXCLUSION]'",
        ),
        (
            "GetAuthorizationToken",
            {"registryIds": ["123"]},
            "registryIds",
            "'Member must satisfy constraint: [Member must satisfy regular expression pattern: "
            "[0-9]{12}]'",
        ),
        (
            "BatchGetImage",
            {"repositoryName": "demo", "imageIds": []},
            "imageIds",
            "'Member must have length greater than or equal to 1'",
        ),
        (
            "BatchGetImage",
            {"repositoryName": "demo", "imageIds": [{}, {"imageTag": "a" * 301}]},
            "imageIds.2.member.imageTag",
            "'Member must have length less than or equal to 300'",
        ),
        (
            "CreateRepository",
            {"repositoryName": "demo", "tags": [{"Key": "a", "Value": "b"}, {"Value": "b"}]},
            "tags.2.member.key",
            "'Member must not be null'",
        ),
    ],
)
def test_a_broken_constraint_is_named(
    ecr: Ecr, operation: str, params: dict[str, Any], path: str, text: str
) -> None:
    assert ecr.error(operation, **params) == constraint(path, text)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "The request body is not valid JSON"),
        (b"\xff\xfe", "The request body is not valid JSON"),
        (b'{"maxResults": NaN}', "The request body is not valid JSON"),
        (b"[" * 100_000, "The request body is not valid JSON"),
        (b'{"nextToken": "\\ud800"}', "The request body is not valid JSON"),
        (b"[]", "Start of list found where not expected"),
        (b"1", "Unexpected field type"),
        (b'{"nextToken": {}}', "Start of structure or map found where not expected."),
        (b'{"nextToken": 1}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"nextToken": true}', "TRUE_VALUE can not be converted to a String"),
        (b'{"maxResults": "1"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"maxResults": 1.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"maxResults": 1e400}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"maxResults": 2147483648}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"repositoryNames": "demo"}', "Unexpected field type"),
    ],
)
def test_what_is_not_the_requests_json_is_a_serialization_error(
    ecr: Ecr, body: bytes, message: str
) -> None:
    answer = ecr.raw(f"{TARGET}.DescribeRepositories", body)
    assert answer.status == 400
    assert json.loads(answer.body) == {"__type": "SerializationException", "message": message}


def test_a_member_that_the_operation_does_not_have_is_passed_over(demo: Ecr) -> None:
    """As AWS does; a client checks its own parameters."""
    assert demo("ListImages", repositoryName="demo", colour="blue") == {"imageIds": []}


def test_an_empty_body_and_null_members_are_no_members(demo: Ecr) -> None:
    assert demo.raw(f"{TARGET}.DescribeRepositories", b"").status == 200
    assert demo("DescribeRepositories", repositoryNames=None)["repositories"] != []


@pytest.mark.parametrize("slow", sorted(SAFE_PATTERNS))
@given(text=st.text(alphabet="a0*._-/A", max_size=10))
@FRESH
def test_a_safe_pattern_says_what_the_models_says(slow: str, text: str) -> None:
    assert bool(re.fullmatch(SAFE_PATTERNS[slow], text)) == bool(re.fullmatch(slow, text))


def test_a_long_filter_is_judged_at_once(ecr: Ecr) -> None:
    filters = [{"filter": "a" * 254 + "!", "filterType": "WILDCARD"}]
    rule = {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": filters}
    code, _ = ecr.error("PutRegistryScanningConfiguration", rules=[rule])
    assert code == "InvalidParameterException"


MODEL = service_model("ecr")
MEMBERS = sorted(
    {name for each in OPERATIONS for name in MODEL.operation_model(each).input_shape.members}
)
TEXTS = st.sampled_from(
    ["demo", "v1", "none", "sha256:" + "0" * 64, "123456789012", "MUTABLE", "{}", ""]
) | st.text(alphabet=string.printable + "é\0\u2028\U0001f600", max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["imageTag", "imageDigest", "Key", "Value", "rules", "filter", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    operation=st.sampled_from(OPERATIONS),
    params=st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=4),
    named=st.booleans(),
)
@FRESH
def test_no_parameters_break_an_operation(
    demo: Ecr, operation: str, params: dict[str, Any], named: bool
) -> None:
    if named:
        params = {**params, "repositoryName": "demo"}
    answer = demo.raw(f"{TARGET}.{operation}", json.dumps(params).encode())
    body = json.loads(answer.body)
    assert answer.status in (200, 400)
    assert answer.status == 200 or set(body) >= {"__type", "message"}


@given(operation=st.sampled_from(OPERATIONS), body=st.binary(max_size=40))
@FRESH
def test_no_bytes_break_an_operation(demo: Ecr, operation: str, body: bytes) -> None:
    assert demo.raw(f"{TARGET}.{operation}", body).status in (200, 400)
