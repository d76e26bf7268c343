"""The events that ECR's acts leave for EventBridge, in AWS's shape and in the order of the acts."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.sandbox.ecr import events
from tests.sandbox.ecr.operations.ecr_api import CONFIG, LIST, MANIFEST, Ecr


def details(ecr: Ecr) -> list[dict[str, Any]]:
    return [one.event["detail"] for one in events.queue(ecr.store)]


def actions(ecr: Ecr) -> list[tuple[str, str]]:
    """(action, tag) of each event."""
    return [(one["action-type"], one["image-tag"]) for one in details(ecr)]


@pytest.fixture
def pushed(demo: Ecr) -> str:
    """The digest of an image under v1 and v2, whose events are delivered."""
    digest = demo.push("demo", "v1")
    demo.push("demo", "v2")
    events.remove(demo.store, events.queue(demo.store))
    return digest


def delete(ecr: Ecr, *image_ids: dict[str, str]) -> None:
    ecr("BatchDeleteImage", repositoryName="demo", imageIds=list(image_ids))


def test_a_push_leaves_the_event_that_aws_documents(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    (one,) = events.queue(demo.store)
    assert {key: value for key, value in one.event.items() if key != "id"} == {
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2026-11-02T09:00:00Z",
        "region": "us-west-2",
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": "demo",
            "image-digest": digest,
            "action-type": "PUSH",
            "image-tag": "v1",
            "manifest-media-type": MANIFEST,
            "artifact-media-type": CONFIG,
        },
    }


def test_another_tag_for_the_same_image_is_a_push(demo: Ecr) -> None:
    demo.push("demo", "v1")
    demo.push("demo", "production")
    assert actions(demo) == [("PUSH", "v1"), ("PUSH", "production")]


def test_a_push_that_changes_nothing_leaves_no_event(demo: Ecr, pushed: str) -> None:
    demo.error(
        "PutImage", repositoryName="demo", imageManifest=demo.manifest("demo"), imageTag="v1"
    )
    assert actions(demo) == []


def test_an_index_and_its_parts_are_pushes_of_their_own(demo: Ecr) -> None:
    part = demo.push("demo")
    demo.push_index("demo", [part], "all")
    assert actions(demo) == [("PUSH", ""), ("PUSH", "all")]
    assert [one["manifest-media-type"] for one in details(demo)] == [MANIFEST, LIST]


def test_an_image_deleted_with_its_tags_leaves_an_event_a_tag(demo: Ecr, pushed: str) -> None:
    delete(demo, {"imageDigest": pushed})
    assert actions(demo) == [("DELETE", "v1"), ("DELETE", "v2")]
    assert {one["image-digest"] for one in details(demo)} == {pushed}


def test_a_tag_deleted_leaves_its_event_then_the_image_with_the_last(
    demo: Ecr, pushed: str
) -> None:
    delete(demo, {"imageTag": "v2"})
    delete(demo, {"imageTag": "v1"})
    assert actions(demo) == [("DELETE", "v2"), ("DELETE", "v1")]


def test_an_untagged_image_deleted_has_no_tag(demo: Ecr) -> None:
    digest = demo.push("demo")
    delete(demo, {"imageDigest": digest})
    assert actions(demo) == [("PUSH", ""), ("DELETE", "")]


def test_what_is_refused_leaves_no_event(demo: Ecr) -> None:
    part = demo.push("demo")
    demo.push_index("demo", [part], "all")
    events.remove(demo.store, events.queue(demo.store))
    delete(demo, {"imageDigest": part}, {"imageTag": "absent"})
    assert actions(demo) == []


def test_an_event_is_undone_with_the_act_it_tells_of(demo: Ecr) -> None:
    digest = demo.push("demo", "v1")
    events.remove(demo.store, events.queue(demo.store))
    with demo.store.write() as db:
        db.execute(
            "create temp trigger full_disk before insert on registry_documents"
            " begin select raise(abort, 'no room'); end"
        )
    with pytest.raises(sqlite3.IntegrityError):
        delete(demo, {"imageTag": "v1"})
    (kept,) = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert kept["imageDigest"] == digest


def test_events_of_one_moment_keep_the_order_of_the_acts(demo: Ecr) -> None:
    tags = [f"v{number}" for number in range(30)]
    for tag in tags:
        demo.push("demo", tag)
    assert [tag for _, tag in actions(demo)] == tags


def test_the_newest_events_are_kept(demo: Ecr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "CAPACITY", 3)
    for number in range(5):
        demo.push("demo", f"v{number}")
    assert actions(demo) == [("PUSH", "v2"), ("PUSH", "v3"), ("PUSH", "v4")]


def test_only_what_was_delivered_is_forgotten(demo: Ecr) -> None:
    demo.push("demo", "v1")
    first = events.queue(demo.store)
    demo.push("demo", "v2")
    events.remove(demo.store, first)
    assert actions(demo) == [("PUSH", "v2")]


def test_whoever_delivers_is_told_once_the_event_is_on_disk(demo: Ecr, tmp_path: Path) -> None:
    seen: list[list[tuple[str, str]]] = []
    demo.store.subscribe(events.TOPIC, lambda: seen.append(actions(demo)))
    demo.push("demo", "v1")
    delete(demo, {"imageTag": "v1"})
    assert seen == [[("PUSH", "v1")], [("PUSH", "v1"), ("DELETE", "v1")]]
