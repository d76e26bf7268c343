"""Patterns of rules: what an event matches, and AWS's words for a pattern that AWS refuses.

Cases: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and
https://github.com/aws/event-ruler#readme.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers.sandbox.events.errors import InvalidPattern
from labs_helpers.sandbox.events.patterns import parse


def matches(pattern: Any, event: Any) -> bool:
    return parse(json.dumps(pattern)).matches(event)


VALUES: list[tuple[list[Any], list[Any], list[Any]]] = [
    (["a", "b"], ["a", "b", ["x", "a"]], ["c", "A", "", None, 1, ["x"], {"a": 1}]),
    ([1], [1, 1.0, [2, 1]], ["1", True, 2, None]),
    ([True], [True], [1, "true", False]),
    ([None], [None], ["", 0, "null"]),
    ([""], [""], [None, "a"]),
    ([{"prefix": "eu-"}], ["eu-west-1", "eu-"], ["EU-west-1", "us", 1]),
    ([{"prefix": {"equals-ignore-case": "EU-"}}], ["eu-west-1", "Eu-"], ["us"]),
    ([{"suffix": ".png"}], ["a.png", ".png"], ["a.PNG", "png"]),
    ([{"suffix": {"equals-ignore-case": ".png"}}], ["a.PNG"], ["a.gif"]),
    ([{"equals-ignore-case": "Alice"}], ["alice", "ALICE"], ["alicia", 1]),
    ([{"wildcard": "a*c"}], ["ac", "abc", "abcc"], ["a", "abcd", "xac"]),
    ([{"wildcard": "ab*ba"}], ["abba", "ab-ba"], ["aba"]),
    ([{"wildcard": "*a*b*"}], ["ab", "xaxbx"], ["ba", ""]),
    ([{"wildcard": r"a\*b\\"}], ["a*b\\"], ["axb\\", "ab\\"]),
    ([{"numeric": [">", 0, "<=", 5]}], [5, 0.1], [0, 5.1, "3", True]),
    ([{"numeric": ["=", 3.018e2]}], [301.8], [301]),
    ([{"numeric": ["<", 10]}], [-1], [10]),
    ([{"anything-but": "a"}], ["b", 1, ["a", "b"]], ["a", ["a"]]),
    ([{"anything-but": [1, 2]}], [3, "1"], [1, 2]),
    ([{"anything-but": {"prefix": "a"}}], ["ba", 1], ["ab"]),
    ([{"anything-but": {"suffix": ["x", "y"]}}], ["z"], ["ax", "ay"]),
    ([{"anything-but": {"equals-ignore-case": ["A"]}}], ["b"], ["a", "A"]),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], ["a"], ["a/lib/b"]),
    ([{"cidr": "10.0.0.0/24"}], ["10.0.0.255"], ["10.0.1.0", "x", "::1"]),
    ([{"cidr": "2001:db8::/32"}], ["2001:db8::1"], ["10.0.0.1"]),
    ([{"exists": True}], ["", None, 0, [1]], [{"a": 1}, [], {}]),
    ([{"exists": False}, "a"], ["a", [], {"a": 1}], ["b", None]),
]


@pytest.mark.parametrize(("wanted", "taken", "left"), VALUES)
def test_the_values_of_a_field(wanted: list[Any], taken: list[Any], left: list[Any]) -> None:
    pattern = {"detail": {"f": wanted}}
    assert [each for each in taken if not matches(pattern, {"detail": {"f": each}})] == []
    assert [each for each in left if matches(pattern, {"detail": {"f": each}})] == []


@pytest.mark.parametrize("event", [{}, {"detail": {}}, {"detail": None}, {"detail": "f"}])
def test_a_field_that_is_not_there(event: dict[str, Any]) -> None:
    assert not matches({"detail": {"f": [{"anything-but": "a"}]}}, event)
    assert not matches({"detail": {"f": [None]}}, event)
    assert matches({"detail": {"f": [{"exists": False}]}}, event)


def test_all_fields_have_to_match_and_one_of_each_or() -> None:
    pattern = {"a": ["1"], "$or": [{"b": ["2"]}, {"c": {"d": ["3"]}}]}
    assert matches(pattern, {"a": "1", "b": "2"})
    assert matches(pattern, {"a": "1", "c": {"d": "3"}})
    assert not matches(pattern, {"a": "1"})
    assert not matches(pattern, {"b": "2"})


def test_an_object_of_an_array_matches_as_a_whole() -> None:
    pattern = {"people": {"name": ["ann"], "city": ["rome"]}}
    ann, ben = {"name": "ann", "city": "oslo"}, {"name": "ben", "city": "rome"}
    assert not matches(pattern, {"people": [ann, ben]})
    assert matches(pattern, {"people": [ann, {"name": "ann", "city": "rome"}]})


REFUSED = [
    # https://github.com/buildkite/docs/pull/896, in one line
    ('{"source":["test.event-pattern"],"detail":{"lenderId":"LenderA"}}',
     '"lenderId" must be an object or an array', "line: 1, column: 56"),
    # https://github.com/cloud-custodian/cloud-custodian/issues/6507
    ('{"source": ["aws.health"], "detail": {}}', "Empty objects are not allowed",
     "line: 1, column: 40"),
    # https://github.com/aws/aws-cdk/issues/36904
    ('{"detail-type":[],"source":["example.source"],"account":["123456789012"]}',
     "Empty arrays are not allowed", "line: 1, column: 18"),
    ('{\n  "a": 5\n}', '"a" must be an object or an array', "line: 2, column: 9"),
    ("{}", "Empty objects are not allowed", ""),
    ("[]", "Filter is not an object", ""),
    ('{"a":[["b"]]}', "Match value must be String, number, true, false, or null", ""),
    ('{"a":[{"like":"b"}]}', "Unrecognized match type like", ""),
    ('{"a":[{}]}', "Match expression name not found", ""),
    ('{"a":[{"prefix":1}]}', "prefix match pattern must be a string", ""),
    ('{"a":[{"prefix":"b","suffix":"c"}]}', "Only one key allowed in match expression", ""),
    ('{"a":[{"exists":"yes"}]}', "exists match pattern must be either true or false.", ""),
    ('{"a":[{"numeric":">"}]}', "Value of numeric must be an array.", ""),
    ('{"a":[{"numeric":["!",1]}]}', "Unrecognized numeric range operator: !", ""),
    ('{"a":[{"numeric":[">","1"]}]}', "Value of > must be numeric", ""),
    ('{"a":[{"numeric":[">"]}]}', "Value of > must be numeric", ""),
    ('{"a":[{"numeric":[]}]}', "Invalid member in numeric match: ]", ""),
    ('{"a":[{"numeric":["<",1,">",0]}]}', "Too many elements in numeric expression", ""),
    ('{"a":[{"numeric":[">",5,"<",1]}]}', "Bottom must be less than top", ""),
    ('{"a":[{"anything-but":[1,"b"]}]}', "Inside anything but list, either all values are", ""),
    ('{"a":[{"anything-but":[null]}]}', "Inside anything but list, start|null|boolean", ""),
    ('{"a":[{"anything-but":{"numeric":[1]}}]}', "Unsupported anything-but pattern: numeric", ""),
    ('{"a":[{"wildcard":"b**"}]}', "Consecutive wildcard characters at pos", ""),
    ('{"a":[{"wildcard":"b\\\\c"}]}', "Invalid escape character at pos", ""),
    ('{"a":[{"cidr":"10.0.0.300/8"}]}', "Malformed CIDR", ""),
    ('{"$or":[{"a":["b"]}]}', "There must have at least 2 Objects in $or relationship.", ""),
    ('{"$or":{"a":["b"]}}', "It must be an Array followed with $or.", ""),
    ('{"$or":[1,2]}', "Only JSON object is allowed in array of $or relationship.", ""),
    ('{"$or":[{"prefix":["b"]},{"a":["b"]}]}', "prefix is Ruler reserved fieldName", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason", "where"), REFUSED)
def test_awss_words_for_a_pattern_that_aws_refuses(text: str, reason: str, where: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        parse(text)
    words = refused.value.message
    assert words.startswith(f"Event pattern is not valid. Reason: {reason}")
    assert f'[Source: (String)"{text}"; {where}' in words


@pytest.mark.parametrize(
    "text", ["", "{", "a", '{"a":["b"],}', '{"a":["b"]} x', '{"a":[01]}', '{"a":[NaN]}',
             '{"a":["\n"]}', "[" * 4096, '{"a":' * 800]
)  # fmt: skip
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(InvalidPattern, match=r"Event pattern is not valid\. Reason: Invalid JSON"):
        parse(text)


def test_stars_without_end_do_not_make_a_match_slow() -> None:
    pattern = parse(json.dumps({"f": [{"wildcard": "*a" * 1000 + "*b"}]}))
    assert not pattern.matches({"f": "a" * 200_000})
    assert pattern.matches({"f": "a" * 200_000 + "b"})


def test_a_deep_event_is_matched_or_not() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    assert parse('{"f":["x"]}').matches({"f": deep})
