"""AWS JSON 1.1 by the models of other services than ECR: maps, times, and pages of a list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from labs_helpers.sandbox.service import paging, protocol
from labs_helpers.sandbox.service.errors import SerializationError
from labs_helpers.sandbox.service.validation import Invalid

SECRET = b"s" * 32
ITEMS = [([name], name.upper()) for name in "abcde"]


def parse(service: str, operation: str, body: Any) -> dict[str, Any]:
    model = protocol.service_model(service).operation_model(operation)
    return protocol.parse(json.dumps(body).encode(), model.input_shape)


def test_a_time_is_seconds_since_1970() -> None:
    sent = {"Entries": [{"Source": "labs", "Time": 1762074000.5}]}
    (entry,) = parse("events", "PutEvents", sent)["Entries"]
    assert entry["Time"] == datetime(2025, 11, 2, 9, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize("time", [1e30, "yesterday", True])
def test_what_is_no_time_is_refused(time: object) -> None:
    with pytest.raises(SerializationError, match="can not be converted to a Date"):
        parse("events", "PutEvents", {"Entries": [{"Time": time}]})


def test_a_map_keeps_its_keys() -> None:
    labels = {"team": "web", "über": "all"}
    sent = {"family": "web", "containerDefinitions": [{"name": "web", "dockerLabels": labels}]}
    (container,) = parse("ecs", "RegisterTaskDefinition", sent)["containerDefinitions"]
    assert container["dockerLabels"] == labels


@pytest.mark.parametrize("labels", ["team", ["team"], {"team": 1}])
def test_what_is_no_map_of_texts_is_refused(labels: object) -> None:
    sent = {"containerDefinitions": [{"dockerLabels": labels}]}
    with pytest.raises(SerializationError):
        parse("ecs", "RegisterTaskDefinition", sent)


def test_pages_follow_each_other_to_the_end() -> None:
    first, token = paging.page(ITEMS, None, 2, ["list"], SECRET)
    second, token = paging.page(ITEMS, token, 2, ["list"], SECRET)
    third, end = paging.page(ITEMS, token, 2, ["list"], SECRET)
    assert (first, second, third, end) == (["A", "B"], ["C", "D"], ["E"], None)


def test_what_is_deleted_between_two_pages_hides_nothing() -> None:
    _, token = paging.page(ITEMS, None, 2, ["list"], SECRET)
    rest, _ = paging.page(ITEMS[2:], token, 9, ["list"], SECRET)
    assert rest == ["C", "D", "E"]


@pytest.mark.parametrize("scope", [["other list"], ["list", "and more"]])
def test_the_token_of_another_list_is_refused(scope: list[str]) -> None:
    _, token = paging.page(ITEMS, None, 2, ["list"], SECRET)
    with pytest.raises(Invalid, match="Invalid nextToken"):
        paging.page(ITEMS, token, 2, scope, SECRET)


@pytest.mark.parametrize("token", ["", "AAAA", "é", "!"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Invalid, match="Invalid nextToken"):
        paging.page(ITEMS, token, 2, ["list"], SECRET)
