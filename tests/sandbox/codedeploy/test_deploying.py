"""Blue/green deployments by CodeDeploy: whom the visitors meet, and when."""

from __future__ import annotations

import json

from tests.sandbox.codedeploy.deploy_room import Aws, Deployed, spec
from tests.sandbox.ecs.task_room import Room


def test_all_visitors_meet_the_new_task_set_at_once(room: Room, aws: Aws) -> None:
    shop = Deployed(room, "shop")
    aws("deploy", "create-deployment-group", "--cli-input-json", json.dumps(shop.group()))
    shop.settled()
    two = shop.define("two")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec(two)}}
    number = aws(
        *("deploy", "create-deployment", "--application-name", "shop"),
        *("--deployment-group-name", "shop", "--revision", json.dumps(revision)),
        *("--query", "deploymentId", "--output", "text"),
    )
    shop.shifted(number, 100.0)
    shop.front.once_met("two")
    assert set(shop.events(number).values()) == {"Succeeded"}
    assert shop.deployment(number)["status"] == "InProgress"
    assert shop.sets() == {shop.one: "ACTIVE", two: "PRIMARY"}
    shop.wait(minutes=5)
    aws("deploy", "wait", "deployment-successful", "--deployment-id", number)
    assert shop.sets() == {two: "PRIMARY"}
    assert shop.front.visit(4) == {"two": 4}
    shop.delete()
