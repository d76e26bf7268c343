"""What moto's and Floci's tests expect of event patterns: rows of a pattern and of events.

AWS's own matcher, which decides what a pattern means: https://github.com/aws/event-ruler#readme
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers.sandbox.events import patterns
from labs_helpers.sandbox.events.errors import InvalidPattern
from tests.sandbox.public_expectations import FLOCI, MOTO

SUITE = MOTO + "test_events/test_event_pattern.py"
TRIED = FLOCI + (
    "src/test/java/io/github/hectorvent/floci/services/eventbridge/"
    "EventBridgeTestEventPatternIntegrationTest.java"
)
ROW = tuple[str, str, Any, list[Any], list[Any]]


def of(*values: Any) -> list[Any]:
    """Events whose detail has a field of these values."""
    return [{"detail": {"field": each}} for each in values]


def field(*matchers: Any) -> dict[str, Any]:
    return {"detail": {"field": list(matchers)}}


EITHER = {"$or": [{"source": ["aws.ec2"]}, {"detail": {"state": ["running"]}}]}
ROWS: list[ROW] = [
    ("one of the values", SUITE, {"source": ["foo", "bar"]},
     [{"source": "foo"}, {"source": "bar"}], [{"source": "baz"}, {}]),
    ("a value in a list", SUITE, field("a", "b"), of("a", ["a", "c"], ["b"]), of("c", ["c", "d"])),
    ("a value deeper", SUITE, {"detail": {"x": {"y": ["v"]}}},
     [{"detail": {"x": {"y": ["v", "w"]}}}], [{"detail": {"x": {"y": ["w"]}}}]),
    ("there", SUITE, field({"exists": True}), of("bar", None, False),
     [{"detail": {}}, *of({"bar": "baz"})]),
    ("not there", SUITE, field({"exists": False}), [{"detail": {}}, *of({"bar": "baz"})],
     of("bar", None)),
    ("a beginning", SUITE, field({"prefix": "bar"}), of("bar", "bar!"), of("ba")),
    ("a beginning in any case", SUITE, field({"prefix": {"equals-ignore-case": "EventB"}}),
     of("eventbridge", "EVENTBRIDGE"), of("Other")),
    ("an end", SUITE, field({"suffix": ".png"}), of("image.png"), of("image.jpg")),
    ("an end in any case", SUITE, field({"suffix": {"equals-ignore-case": ".png"}}),
     of("IMAGE.PNG"), of("image.jpg")),
    ("less", SUITE, field({"numeric": ["<", 1]}), of(0), of(1, 2)),
    ("at most", SUITE, field({"numeric": ["<=", 1]}), of(0, 1), of(2)),
    ("equal", SUITE, field({"numeric": ["=", 1]}), of(1), of(0, 2)),
    ("more", SUITE, field({"numeric": [">", 1]}), of(2), of(0, 1)),
    ("at least", SUITE, field({"numeric": [">=", 1]}), of(1, 2), of(0)),
    ("from and below", SUITE, field({"numeric": [">=", 1, "<", 3]}), of(1, 2), of(0, 3, 4)),
    ("above and up to", SUITE, field({"numeric": [">", 1, "<=", 3]}), of(2, 3), of(0, 1, 4)),
    ("null", SUITE, field("val", None), of("val", None), of("other")),
    ("null, missing", TRIED, field(None), of(None), [{"detail": {"other": 1}}]),
    ("anything but a word", SUITE, field({"anything-but": "initializing"}), of("running"),
     [*of("initializing"), {"detail": {"other": 1}}]),
    ("anything but words", SUITE, field({"anything-but": ["a", "b"]}),
     of("c", ["c", "d"], ["a", "c"]), of("a", ["a", "b"])),
    ("anything but a number", TRIED, field({"anything-but": 5}), of(3), of(5)),
    ("anything but a case", SUITE, field({"anything-but": {"equals-ignore-case": "init"}}),
     of("running"), of("INIT")),
    ("anything but a beginning", SUITE, field({"anything-but": {"prefix": "init"}}), of("running"),
     of("initializing")),
    ("anything but an end", SUITE, field({"anything-but": {"suffix": ".txt"}}), of("data.json"),
     of("logs.txt")),
    ("anything but a wildcard", SUITE, field({"anything-but": {"wildcard": "*/lib/*"}}),
     of("/usr/bin/exec"), of("/usr/lib/mod.so")),
    ("a network", SUITE, field({"cidr": "10.0.0.0/24"}), of("10.0.0.123"),
     of("10.0.1.5", "not-an-ip")),
    ("any case", SUITE, {"detail-type": [{"equals-ignore-case": "ec2 state-change"}]},
     [{"detail-type": "EC2 State-Change"}], [{"detail-type": "EC2"}]),
    ("a wildcard at the end", SUITE, field({"wildcard": "init*"}), of("initializing", "init"),
     of("stopped")),
    ("a wildcard within", SUITE, field({"wildcard": "/usr/*/bin"}), of("/usr/local/bin"),
     of("/usr/local/lib")),
    ("a star itself", SUITE, field({"wildcard": "a\\*b"}), of("a*b"), of("acb")),
    ("either", SUITE, EITHER,
     [{"source": "aws.ec2", "detail": {"state": "stopped"}},
      {"source": "aws.s3", "detail": {"state": "running"}}],
     [{"source": "aws.s3", "detail": {"state": "stopped"}}]),
    ("one of three numbers", SUITE,
     {"detail": {"$or": [{"c": [{"numeric": [">", 0, "<=", 5]}]}, {"d": [{"numeric": ["<", 10]}]},
                         {"x": [{"numeric": ["=", 301.8]}]}]}},
     [{"detail": {"c": 3}}, {"detail": {"d": 5}}, {"detail": {"x": 301.8}}],
     [{"detail": {"c": 10, "d": 20, "x": 500}}]),
    ("true", TRIED, field(True), of(True), of(False, "true")),
    ("the word true", TRIED, field("true"), of("true"), of(True)),
    ("a number", TRIED, field(300), of(300, 300.0), of("300")),
    ("a number in powers of ten", TRIED, field(3.0e2), of(300, 300.0), of(3)),
    ("the word five", TRIED, field("5"), of("5"), of(5)),
    ("the account", TRIED, {"account": ["999999999999"]}, [{"account": "999999999999"}],
     [{"account": "111111111111"}]),
    ("the region", TRIED, {"region": ["eu-west-1"]}, [{"region": "eu-west-1"}],
     [{"region": "us-east-1"}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "pattern", "taken", "left"), [each[1:] for each in ROWS], ids=[r[0] for r in ROWS]
)
def test_a_pattern_takes_what_the_public_suites_expect(
    source: str, pattern: Any, taken: list[Any], left: list[Any]
) -> None:
    assert source.startswith("https://")
    read = patterns.parse(json.dumps(pattern))
    assert [each for each in taken if not read.matches(each)] == []
    assert [each for each in left if read.matches(each)] == []


@pytest.mark.parametrize("text", ["", "{not-json}", "[]"])
def test_a_text_that_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        patterns.parse(text)
