"""Lifecycle policies by the API: previews, runs on the sandbox's clock, and the archive."""

import json
from datetime import timedelta
from typing import Any

import pytest

from labs_helpers.sandbox.ecr import events
from labs_helpers.sandbox.ecr.lifecycle_runs import LifecycleWorker
from labs_helpers.sandbox.ecr.pull_times import is_excluded
from labs_helpers.sandbox.ecr.repositories import Registry
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, REGION, Ecr


def policy(**selection: Any) -> str:
    chosen = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1, **selection}
    action: dict[str, str] = chosen.pop("action", {"type": "expire"})
    return json.dumps({"rules": [{"rulePriority": 7, "selection": chosen, "action": action}]})


DAYS = {"countType": "sinceImagePushed", "countUnit": "days"}
TO_ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


@pytest.fixture
def clocked(demo: Ecr) -> Ecr:
    """ECR whose clock makes the runs of lifecycle policies, as in the sandbox."""
    demo.clock.subscribe(LifecycleWorker(demo.store).work)
    return demo


def push(ecr: Ecr, *tags: str, hours: float = 1) -> list[str]:
    """Images with those tags, an hour apart; their digests."""
    digests = []
    for tag in tags:
        digests.append(ecr.push("demo", tag, content=tag))
        ecr.clock.advance(timedelta(hours=hours))
    return digests


def put(ecr: Ecr, text: str) -> None:
    ecr("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=text)


def tags(ecr: Ecr, status: str = "ANY") -> list[str]:
    found = ecr("DescribeImages", repositoryName="demo", filter={"imageStatus": status})
    return sorted(tag for each in found["imageDetails"] for tag in each.get("imageTags", []))


def preview(ecr: Ecr, **asked: Any) -> dict[str, Any]:
    return ecr("GetLifecyclePolicyPreview", repositoryName="demo", **asked)


def test_images_expire_on_the_first_run_a_day_after_the_policy(clocked: Ecr) -> None:
    push(clocked, "v1", "v2")
    put(clocked, policy())
    clocked.clock.advance(timedelta(hours=23))
    assert tags(clocked) == ["v1", "v2"]
    clocked.clock.advance(timedelta(hours=1))
    assert tags(clocked) == ["v2"]
    at = clocked("GetLifecyclePolicy", repositoryName="demo")["lastEvaluatedAt"]
    assert at == clocked.clock.now().timestamp()


def test_an_expired_image_is_told_as_deleted(clocked: Ecr) -> None:
    first, _ = push(clocked, "v1", "v2")
    put(clocked, policy())
    clocked.clock.advance(timedelta(days=3))
    told = [each.event["detail"] for each in events.queue(clocked.store)]
    deleted = [each for each in told if each["action-type"] == "DELETE"]
    assert [(each["image-digest"], each["image-tag"]) for each in deleted] == [(first, "v1")]


def test_a_clock_that_jumps_passes_every_run_between(clocked: Ecr) -> None:
    push(clocked, "v1")
    archive = {"rulePriority": 1, "action": TO_ARCHIVE}
    archive["selection"] = {"tagStatus": "any", **DAYS, "countNumber": 10}
    expire = {"rulePriority": 2, "action": {"type": "expire"}}
    moved = {"countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 100}
    expire["selection"] = {"tagStatus": "any", "storageClass": "archive", **moved}
    put(clocked, json.dumps({"rules": [archive, expire]}))
    clocked.clock.advance(timedelta(days=109))
    assert (tags(clocked), tags(clocked, "ARCHIVED")) == (["v1"], ["v1"])
    clocked.clock.advance(timedelta(days=1))
    assert tags(clocked) == []


def test_an_index_goes_first_and_its_images_in_the_next_run(clocked: Ecr) -> None:
    children = [clocked.push("demo", content=each) for each in ("amd64", "arm64")]
    clocked.push_index("demo", children, "both")
    put(clocked, policy(**DAYS, countNumber=5))
    clocked.clock.advance(timedelta(days=5))
    left = clocked("ListImages", repositoryName="demo")["imageIds"]
    assert sorted(each["imageDigest"] for each in left) == sorted(children)
    clocked.clock.advance(timedelta(days=1))
    assert clocked("ListImages", repositoryName="demo")["imageIds"] == []


def test_a_new_policy_has_a_day_before_its_first_run(clocked: Ecr) -> None:
    push(clocked, "v1", "v2")
    put(clocked, policy())
    clocked.clock.advance(timedelta(hours=20))
    put(clocked, policy(countNumber=2))
    clocked.clock.advance(timedelta(hours=20))
    assert clocked("GetLifecyclePolicy", repositoryName="demo")["lastEvaluatedAt"] == 0
    clocked.clock.advance(timedelta(days=30))
    assert tags(clocked) == ["v1", "v2"]


def test_a_policy_that_is_deleted_expires_nothing(clocked: Ecr) -> None:
    push(clocked, "v1", "v2")
    put(clocked, policy())
    clocked("DeleteLifecyclePolicy", repositoryName="demo")
    clocked.clock.advance(timedelta(days=30))
    assert tags(clocked) == ["v1", "v2"]


def test_a_century_is_no_long_wait(clocked: Ecr) -> None:
    push(clocked, *(f"v{n}" for n in range(5)))
    put(clocked, policy(**DAYS, countNumber=36000))
    clocked.clock.advance(timedelta(days=36400))
    assert tags(clocked) == []


def test_a_preview_says_which_rule_would_take_what(demo: Ecr) -> None:
    first, second, _ = push(demo, "v1", "v2", "v3")
    started = demo(
        "StartLifecyclePolicyPreview", repositoryName="demo", lifecyclePolicyText=policy()
    )
    assert started["status"] == "IN_PROGRESS"
    found = preview(demo)
    assert found["status"] == "COMPLETE"
    assert found["summary"] == {"expiringImageTotalCount": 2, "transitioningImageTotalCounts": []}
    assert [
        (each["imageDigest"], each["imageTags"], each["action"], each["appliedRulePriority"])
        for each in found["previewResults"]
    ] == [(first, ["v1"], {"type": "EXPIRE"}, 7), (second, ["v2"], {"type": "EXPIRE"}, 7)]
    assert tags(demo) == ["v1", "v2", "v3"]


def test_a_preview_takes_the_repositorys_policy_when_none_is_given(demo: Ecr) -> None:
    code, _ = demo.error("StartLifecyclePolicyPreview", repositoryName="demo")
    assert code == "LifecyclePolicyNotFoundException"
    push(demo, "v1", "v2")
    put(demo, policy(action=TO_ARCHIVE))
    demo("StartLifecyclePolicyPreview", repositoryName="demo")
    found = preview(demo)
    archive = {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    assert [each["action"] for each in found["previewResults"]] == [archive]
    assert found["summary"]["transitioningImageTotalCounts"] == [
        {"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}
    ]


def test_a_preview_comes_in_pages_and_filtered(demo: Ecr) -> None:
    push(demo, "v1", "v2", "v3", "v4")
    demo("StartLifecyclePolicyPreview", repositoryName="demo", lifecyclePolicyText=policy())
    first = preview(demo, maxResults=2)
    rest = preview(demo, maxResults=2, nextToken=first["nextToken"])
    assert [len(each["previewResults"]) for each in (first, rest)] == [2, 1]
    assert "nextToken" not in rest
    named = preview(demo, imageIds=[{"imageTag": "v2"}, {"imageTag": "v4"}])
    assert [each["imageTags"] for each in named["previewResults"]] == [["v2"]]
    assert preview(demo, filter={"tagStatus": "UNTAGGED"})["previewResults"] == []
    code, _ = demo.error(
        "GetLifecyclePolicyPreview",
        repositoryName="demo",
        imageIds=[{"imageTag": "v2"}],
        maxResults=1,
    )
    assert code == "InvalidParameterException"


def test_a_preview_that_nobody_started_is_not_found(demo: Ecr) -> None:
    code, _ = demo.error("GetLifecyclePolicyPreview", repositoryName="demo")
    assert code == "LifecyclePolicyPreviewNotFoundException"


def test_a_preview_refuses_what_put_refuses(demo: Ecr) -> None:
    code, message = demo.error(
        "StartLifecyclePolicyPreview",
        repositoryName="demo",
        lifecyclePolicyText=policy(countNumber=0),
    )
    assert (code, "minimum: 1, found: 0" in message) == ("InvalidParameterException", True)


def move(ecr: Ecr, tag: str, to: str) -> dict[str, Any]:
    return ecr(
        "UpdateImageStorageClass",
        repositoryName="demo",
        imageId={"imageTag": tag},
        targetStorageClass=to,
    )


def pulled(ecr: Ecr, tag: str) -> str:
    answer = ecr("BatchGetImage", repositoryName="demo", imageIds=[{"imageTag": tag}])
    return answer["failures"][0]["failureCode"] if answer["failures"] else "pulled"


def test_an_archived_image_is_described_and_not_pulled(demo: Ecr) -> None:
    push(demo, "v1")
    assert move(demo, "v1", "ARCHIVE")["imageStatus"] == "ARCHIVED"
    assert (tags(demo, "ACTIVE"), tags(demo, "ARCHIVED")) == ([], ["v1"])
    assert demo("ListImages", repositoryName="demo")["imageIds"] == []
    [detail] = demo("DescribeImages", repositoryName="demo", imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ]
    assert detail["imageStatus"] == "ARCHIVED"
    assert detail["lastArchivedAt"] == demo.clock.now().timestamp()
    assert pulled(demo, "v1") == "ImageInaccessible"
    code, _ = demo.error("StartImageScan", repositoryName="demo", imageId={"imageTag": "v1"})
    assert code == "ImageArchivedException"


def test_an_image_takes_its_time_to_come_back(demo: Ecr) -> None:
    push(demo, "v1")
    move(demo, "v1", "ARCHIVE")
    assert move(demo, "v1", "STANDARD")["imageStatus"] == "ACTIVATING"
    assert (pulled(demo, "v1"), tags(demo, "ACTIVATING")) == ("ImageInaccessible", ["v1"])
    demo.clock.advance(timedelta(minutes=20))
    assert (pulled(demo, "v1"), tags(demo, "ACTIVE")) == ("pulled", ["v1"])


def test_a_push_brings_an_archived_image_back(demo: Ecr) -> None:
    push(demo, "v1")
    move(demo, "v1", "ARCHIVE")
    demo.push("demo", "again", content="v1")
    assert (pulled(demo, "v1"), tags(demo, "ACTIVE")) == ("pulled", ["again", "v1"])


@pytest.mark.parametrize("before", ["", "ARCHIVE", "STANDARD"])
def test_a_move_to_where_the_image_is_is_refused(demo: Ecr, before: str) -> None:
    push(demo, "v1")
    if before:
        move(demo, "v1", "ARCHIVE")
    if before == "STANDARD":
        move(demo, "v1", "STANDARD")
    code, _ = demo.error(
        "UpdateImageStorageClass",
        repositoryName="demo",
        imageId={"imageTag": "v1"},
        targetStorageClass=before or "STANDARD",
    )
    assert code == "ImageStorageClassUpdateNotSupportedException"


def test_the_images_of_an_active_index_stay_out_of_the_archive(demo: Ecr) -> None:
    children = [demo.push("demo", content=each) for each in ("amd64", "arm64")]
    demo.push_index("demo", children, "both")
    asked = {"repositoryName": "demo", "targetStorageClass": "ARCHIVE"}
    child = {"imageDigest": children[0]}
    code, message = demo.error("UpdateImageStorageClass", **asked, imageId=child)
    assert (code, "archive the index first" in message) == (
        "ImageStorageClassUpdateNotSupportedException",
        True,
    )
    move(demo, "both", "ARCHIVE")
    assert demo("UpdateImageStorageClass", **asked, imageId=child)["imageStatus"] == "ARCHIVED"


def test_pulls_of_excluded_users_and_roles_do_not_count(demo: Ecr) -> None:
    home = Registry(ACCOUNT, REGION)
    role, user = (f"arn:aws:iam::{ACCOUNT}:{each}" for each in ("role/ci/scanner", "user/learner"))
    push(demo, "v1")
    for arn in (role, user):
        demo("RegisterPullTimeUpdateExclusion", principalArn=arn)
    pulled(demo, "v1")
    [detail] = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert "lastRecordedPullTime" not in detail
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/scanner/one"
    assert is_excluded(demo.store, home, session)
    assert not is_excluded(demo.store, home, session.replace("scanner", "scanners"))
    assert not is_excluded(demo.store, home, session.replace(ACCOUNT, "210987654321"))
    listed = demo("ListPullTimeUpdateExclusions")["pullTimeUpdateExclusions"]
    assert listed == [role, user]
    code, _ = demo.error("RegisterPullTimeUpdateExclusion", principalArn=user)
    assert code == "ExclusionAlreadyExistsException"
    demo("DeregisterPullTimeUpdateExclusion", principalArn=user)
    pulled(demo, "v1")
    [detail] = demo("DescribeImages", repositoryName="demo")["imageDetails"]
    assert detail["lastRecordedPullTime"] == demo.clock.now().timestamp()
    code, _ = demo.error("DeregisterPullTimeUpdateExclusion", principalArn=user)
    assert code == "ExclusionNotFoundException"
