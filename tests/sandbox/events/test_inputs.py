"""What a target is sent, as EventBridge makes it of an event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labs_helpers.sandbox.events.inputs import BadInput, message

RULE = "arn:aws:events:us-west-2:123456789012:rule/pushed"
EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "ECR Image Action",
    "source": "aws.ecr",
    "account": "123456789012",
    "time": "2026-11-02T09:00:00Z",
    "region": "us-west-2",
    "resources": ["arn:one"],
    "detail": {"repository-name": "demo", "image-tag": 'a"b', "counts": {"HIGH": 2}},
}


def sent(**target: Any) -> str:
    return message(target, EVENT, RULE)


def transformed(template: str, **paths: str) -> str:
    return sent(InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_without_an_input_the_whole_event_is_sent_compact() -> None:
    assert json.loads(sent()) == EVENT
    assert sent().startswith('{"version":"0","id":"1","detail-type":"ECR Image Action"')


def test_a_constant_is_sent_as_it_stands() -> None:
    assert sent(Input='{"build": true}') == '{"build": true}'


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("$.detail.repository-name", '"demo"'),
        ("$.detail.counts", '{"HIGH":2}'),
        ("$.resources[0]", '"arn:one"'),
        ("$['detail']['counts'].HIGH", "2"),
    ],
)
def test_a_path_sends_a_part(path: str, text: str) -> None:
    assert sent(InputPath=path) == text


@pytest.mark.parametrize("path", ["detail", "$.absent", "$.resources[9]", "$..detail", "$.id.no"])
def test_a_path_to_nothing_is_an_input_that_cannot_be_made(path: str) -> None:
    with pytest.raises(BadInput):
        sent(InputPath=path)


def test_within_quotes_a_value_stands_bare_and_elsewhere_as_json() -> None:
    text = transformed(
        '{"tag": <tag>, "said": "pushed <tag> to <name>", "counts": <counts>}',
        tag="$.detail.image-tag",
        name="$.detail.repository-name",
        counts="$.detail.counts",
    )
    assert json.loads(text) == {
        "tag": 'a"b',
        "said": 'pushed a"b to demo',
        "counts": {"HIGH": 2},
    }


def test_what_the_event_lacks_is_left_out() -> None:
    text = transformed('{"one": <one>, "two": "<one>!"}', one="$.detail.absent")
    assert json.loads(text) == {"one": None, "two": "!"}


def test_a_template_knows_the_rule_and_the_event() -> None:
    template = '{"rule": "<aws.events.rule-name>", "all": <aws.events.event.json>}'
    assert json.loads(transformed(template)) == {"rule": "pushed", "all": EVENT}


def test_a_name_that_the_map_lacks_is_an_input_that_cannot_be_made() -> None:
    with pytest.raises(BadInput, match="<tag>"):
        transformed('"<tag>"')
