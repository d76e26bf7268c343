"""How lab 14 says what is left."""

from __future__ import annotations

from labs_helpers.labs.lab14.left import in_lines


def test_the_revisions_of_a_task_definition_are_one_line() -> None:
    there = ["service web", "cluster demo", "role demo-app-node"]
    revisions = [f"task definition demo-app:{number}" for number in range(1, 12)]
    shop = ["task definition shop:1"]
    assert in_lines([*there[:2], *revisions, *shop, there[2]]) == [
        "service web",
        "cluster demo",
        "task definition demo-app: 11 revisions, demo-app:1 and others",
        "task definition shop:1",
        "role demo-app-node",
    ]


def test_each_task_and_role_has_a_line() -> None:
    there = ["task 12ab", "task 34cd of no service", "role a", "role b"]
    assert in_lines(there) == there
