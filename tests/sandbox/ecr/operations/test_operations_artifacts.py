"""What becomes of a signature or an SBOM when its subject is deleted or archived.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
and https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-signing.html
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from labs_helpers.sandbox.control_api import Routes
from labs_helpers.sandbox.ecr import control_routes, events
from labs_helpers.sandbox.ecr.lifecycle_runs import LifecycleWorker
from labs_helpers.sandbox.ecr.store import Store
from tests.sandbox.ecr.operations.ecr_api import ACCOUNT, MANIFEST, REGION, Ecr, digest_of

OCI = "application/vnd.oci.image.manifest.v1+json"
NEVER = {"tagStatus": "tagged", "tagPatternList": ["no-such-tag"]}


@pytest.fixture
def clocked(demo: Ecr) -> Ecr:
    """ECR whose clock makes the runs of lifecycle policies, with a policy that takes nothing."""
    demo.clock.subscribe(LifecycleWorker(demo.store).work)
    policy(demo, NEVER)
    return demo


def policy(ecr: Ecr, selection: dict[str, object], action: str = "expire") -> None:
    chosen = {"countType": "imageCountMoreThan", "countNumber": 1, **selection}
    what = {"type": action} | ({"targetStorageClass": "archive"} if action != "expire" else {})
    rules = [{"rulePriority": 1, "selection": chosen, "action": what}]
    text = json.dumps({"rules": rules})
    ecr("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=text)


def artifact(ecr: Ecr, subject: str, content: str = "signature", tag: str | None = None) -> str:
    """An artifact that refers to an image; its digest."""
    document = json.loads(ecr.manifest("demo", content))
    named = {"mediaType": MANIFEST, "digest": subject, "size": 1}
    text = json.dumps(document | {"mediaType": OCI, "subject": named})
    tagged = {"imageTag": tag} if tag else {}
    ecr("PutImage", repositoryName="demo", imageManifest=text, **tagged)
    return digest_of(text)


def delete(ecr: Ecr, **image: str) -> None:
    ecr("BatchDeleteImage", repositoryName="demo", imageIds=[image])


def left(ecr: Ecr, status: str = "ANY") -> set[str]:
    found = ecr("ListImages", repositoryName="demo", filter={"imageStatus": status})
    return {each["imageDigest"] for each in found["imageIds"]}


def hours(ecr: Ecr, number: float) -> None:
    ecr.clock.advance(timedelta(hours=number))


def test_an_artifact_follows_a_subject_that_was_deleted_by_hand(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    signature = artifact(clocked, subject, tag="signed")
    hours(clocked, 30)
    delete(clocked, imageTag="v1")
    assert left(clocked) == {signature}
    hours(clocked, 17)
    assert left(clocked) == {signature}
    hours(clocked, 1)  # the policy's second run
    assert left(clocked) == set()
    told = [each.event["detail"] for each in events.queue(clocked.store)]
    gone = [each["image-digest"] for each in told if each["action-type"] == "DELETE"]
    assert gone == [subject, signature]


def test_an_artifact_stays_for_a_day_in_its_storage_class_first(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    hours(clocked, 2)
    signature = artifact(clocked, subject)
    delete(clocked, imageDigest=subject)
    hours(clocked, 22)  # the first run, in which the signature is 22 hours old
    assert left(clocked) == {signature}
    hours(clocked, 24)
    assert left(clocked) == set()


def test_artifacts_of_artifacts_follow_in_the_same_run(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    sbom = artifact(clocked, subject, "sbom")
    artifact(clocked, sbom, "signature of the sbom")
    other = clocked.push("demo", "v2", content="two")
    kept = artifact(clocked, other, "kept")
    delete(clocked, imageDigest=subject)
    hours(clocked, 24)
    assert left(clocked) == {other, kept}


def test_without_a_policy_nothing_removes_an_artifact_until_there_is_one(clocked: Ecr) -> None:
    clocked("DeleteLifecyclePolicy", repositoryName="demo")
    subject = clocked.push("demo", "v1")
    signature = artifact(clocked, subject)
    delete(clocked, imageDigest=subject)
    hours(clocked, 24 * 40)
    assert left(clocked) == {signature}
    policy(clocked, NEVER)
    hours(clocked, 24)
    assert left(clocked) == set()


def test_a_tag_that_goes_takes_no_artifact(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    clocked.push("demo", "v2")
    signature = artifact(clocked, subject)
    delete(clocked, imageTag="v1")
    hours(clocked, 24 * 10)
    assert left(clocked) == {subject, signature}


def test_a_subject_that_comes_back_keeps_its_artifacts(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    signature = artifact(clocked, subject)
    delete(clocked, imageDigest=subject)
    hours(clocked, 12)
    assert clocked.push("demo", "v1") == subject
    hours(clocked, 24 * 10)
    assert left(clocked) == {subject, signature}


def test_an_artifact_whose_subject_was_never_here_is_an_image_like_others(clocked: Ecr) -> None:
    lone = artifact(clocked, f"sha256:{'1' * 64}")
    hours(clocked, 24 * 10)
    assert left(clocked) == {lone}
    policy(clocked, {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"})
    hours(clocked, 24)
    assert left(clocked) == set()


def test_an_artifact_waits_for_the_index_that_lists_it(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    listed = artifact(clocked, subject, "attestation")
    index = clocked.push_index("demo", [listed], "index")
    delete(clocked, imageDigest=subject)
    hours(clocked, 24 * 3)
    assert left(clocked) == {listed, index}
    delete(clocked, imageDigest=index)
    hours(clocked, 24)
    assert left(clocked) == set()


def test_what_expires_by_a_rule_takes_its_artifacts_along(clocked: Ecr) -> None:
    old = clocked.push("demo", "v1")
    artifact(clocked, old)
    hours(clocked, 1)
    new = clocked.push("demo", "v2", content="two")
    policy(clocked, {"tagStatus": "any"})
    hours(clocked, 24)
    assert left(clocked) == {new}


def test_artifacts_are_archived_with_their_subject(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    signature = artifact(clocked, subject)
    clocked(
        "UpdateImageStorageClass",
        repositoryName="demo",
        imageId={"imageTag": "v1"},
        targetStorageClass="ARCHIVE",
    )
    hours(clocked, 23)
    assert left(clocked, "ACTIVE") == {signature}
    hours(clocked, 1)
    assert left(clocked, "ARCHIVED") == {subject, signature}


def test_a_rule_that_archives_an_image_archives_its_artifacts(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    signature = artifact(clocked, subject)
    days = {"countType": "sinceImagePulled", "countUnit": "days", "countNumber": 10}
    policy(clocked, {"tagStatus": "any", **days}, "transition")
    hours(clocked, 24 * 11)
    assert left(clocked, "ARCHIVED") == {subject, signature}


def test_a_clock_that_jumps_finds_the_day_of_an_artifact(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    hours(clocked, 24 * 100)
    signature = artifact(clocked, subject)
    delete(clocked, imageDigest=subject)
    hours(clocked, 24 * 100)
    told = [each.event for each in events.queue(clocked.store)]
    [gone] = [each for each in told if each["detail"]["image-digest"] == signature][1:]
    assert gone["time"] == "2027-02-11T09:00:00Z"  # 24 hours after the push


def test_what_waits_survives_a_restart(clocked: Ecr, tmp_path: Path) -> None:
    subject = clocked.push("demo", "v1")
    artifact(clocked, subject)
    delete(clocked, imageDigest=subject)
    clocked.store.close()
    again = Ecr(Store(tmp_path / "ecr", clocked.clock), clocked.clock)
    try:
        again.clock.advance(timedelta(hours=24))
        LifecycleWorker(again.store).work()
        assert left(again) == set()
    finally:
        again.store.close()


def test_the_labs_say_why_an_artifact_stays_for_now(clocked: Ecr) -> None:
    subject = clocked.push("demo", "v1")
    hours(clocked, 1)
    artifact(clocked, subject)
    assert why(clocked)[1] == f"goes with {subject[7:19]}, to which the artifact refers"
    delete(clocked, imageDigest=subject)
    assert why(clocked) == [f"follows {subject[7:19]}, deleted 2026-11-02 10:00 UTC"]


def why(ecr: Ecr) -> list[str]:
    explain: Routes = control_routes.routes(ecr.store)
    asked = {"account": ACCOUNT, "region": REGION, "repository": "demo"}
    answer = explain["GET", "/_labs/lifecycle"](asked)
    return [each["why"] for each in answer["images"]]
