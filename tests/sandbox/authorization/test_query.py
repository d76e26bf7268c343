"""Names of a form that spell lists and structures, and those that could be read in two ways."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.authorization.query import nested
from labs_helpers.sandbox.service.refusal import Refusal

GOOD: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"UserName": "a"}, {"UserName": "a"}),
    (
        {"Tags.member.1.Key": "k", "Tags.member.1.Value": "v"},
        {"Tags": [{"Key": "k", "Value": "v"}]},
    ),
    ({"InstanceId.2": "b", "InstanceId.1": "a"}, {"InstanceId": ["a", "b"]}),
    ({"A.entry.1.key": "k"}, {"A": [{"key": "k"}]}),
    ({"IamInstanceProfile.Name": "web"}, {"IamInstanceProfile": {"Name": "web"}}),
    ({"ActionNames": ""}, {"ActionNames": ""}),
    ({"Tags.member": "x"}, {"Tags": {"member": "x"}}),
]  # fmt: skip


@pytest.mark.parametrize(("flat", "expected"), GOOD)
def test_what_the_names_spell(flat: dict[str, str], expected: dict[str, Any]) -> None:
    assert nested(flat) == expected


@pytest.mark.parametrize(
    "flat",
    [
        {"UserName": "a", "UserName.x": "b"},
        {"UserName.x": "b", "UserName": "a"},
        {"Tags.member.1.Key": "a", "Tags.1.Key": "b"},
        {"InstanceId.1": "a", "InstanceId.x": "b"},
        {"InstanceId.1": "a", "InstanceId.01": "b"},
        {"InstanceId.1": "a", "InstanceId": "b"},
    ],
)
def test_two_names_for_one_thing_are_refused(flat: dict[str, str]) -> None:
    with pytest.raises(Refusal, match=r"."):
        nested(flat)


def test_a_word_before_a_name_is_part_of_it() -> None:
    assert nested({"UserName": "a", "member.UserName": "b"}) == {
        "UserName": "a",
        "member": {"UserName": "b"},
    }
