"""Lifecycle policies that people publish, put and previewed on a repository with a past.

Each row has the shape of a published policy: which rules in which order, what they select and
count. Where the published numbers or tags would take nothing here, the row has others, and says so.
What a preview takes was worked out by hand, from the list of images below.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from tests.sandbox.ecr.operations.ecr_api import Ecr, digest_of

IMAGES: tuple[tuple[str, float, tuple[str, ...]], ...] = (
    ("A", 400, ()),
    ("B", 390, ("prod-1", "1.0.0")),
    ("C", 200, ("v1.0.0",)),
    ("D", 100, ("v1.1.0", "release-1")),
    ("E", 61, ()),
    ("F", 60.5, ("dev-1",)),
    ("G", 20, ("dev-2", "PR-7")),
    ("H", 15, ()),
    ("I", 14, ("PR-8",)),
    ("J", 10, ("v1.2.0", "latest", "stable")),
    ("K", 6, ()),
    ("L", 3, ("dev-3",)),
    ("M", 2, ("prod-2", "release-2")),
    ("N", 1, ()),
    ("O", 0.5, ("v1.3.0",)),
)
"""Name, age in days, and tags of each image, the oldest first."""

GITHUB = "https://github.com"
CONSTRAINT = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
TO_ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}
NO_SCHEMA = "instance failed to match exactly one schema (matched 0 out of 2)"


def rule(priority: int, select: str, count: int, *tags: str, **more: Any) -> dict[str, Any]:
    """A rule: "any", "untagged", "prefix" or "pattern"; keeps so many images unless `days`."""
    days = more.pop("days", False)
    status = select if select in ("any", "untagged") else "tagged"
    selection: dict[str, Any] = {
        "tagStatus": status,
        "countType": "sinceImagePushed" if days else "imageCountMoreThan",
        "countNumber": count,
    }
    if days:
        selection["countUnit"] = "days"
    if status == "tagged":
        selection["tagPrefixList" if select == "prefix" else "tagPatternList"] = list(tags)
    action = more.pop("action", {"type": "expire"})
    selection |= more
    return {"rulePriority": priority, "selection": selection, "action": action}


def text_of(rules: list[dict[str, Any]]) -> str:
    return json.dumps({"rules": rules}).ljust(100)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ecr]:
    """The repository demo with IMAGES. No preview changes them."""
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    clock = Clock(frozen_at=now - timedelta(days=500))
    store = Store(tmp_path_factory.mktemp("past") / "ecr", clock)
    ecr = Ecr(store, clock)
    ecr("CreateRepository", repositoryName="demo")
    for name, age, tags in IMAGES:
        clock.advance(now - timedelta(days=age) - clock.now())
        for tag in tags or (None,):
            ecr.push("demo", tag, content=name)
    clock.advance(now - clock.now())
    yield ecr
    store.close()


def previewed(ecr: Ecr, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the repository's own policy would take, after it was put."""
    ecr("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=text_of(rules))
    ecr("StartLifecyclePolicyPreview", repositoryName="demo")
    found = ecr("GetLifecyclePolicyPreview", repositoryName="demo")
    assert found["status"] == "COMPLETE"
    results: list[dict[str, Any]] = found["previewResults"]
    return results


def named(ecr: Ecr, results: list[dict[str, Any]]) -> str:
    """The images of a preview with the rule of each: "A1 B2"."""
    names = {digest_of(ecr.manifest("demo", name)): name for name, _, _ in IMAGES}
    found = [(names[each["imageDigest"]], each["appliedRulePriority"]) for each in results]
    return " ".join(f"{name}{priority}" for name, priority in found)


PUBLISHED = [
    (
        "the newest 3 of all",
        f"{GITHUB}/AlenGeorge12/CineReads-main/blob/main/infra/terraform/ecr_lifecycle.tf",
        [rule(1, "any", 3)],
        "A1 B1 C1 D1 E1 F1 G1 H1 I1 J1 K1 L1",
    ),
    (
        "so many of prod, and so many of all: 1 and 5 here; M is prod's and counts for both",
        f"{GITHUB}/CBIIT/ccdi-devops/blob/main/terraform/aws/modules/ecr-lifecycle-policy/main.tf",
        [rule(1, "prefix", 1, "prod"), rule(2, "any", 5)],
        "A2 B1 C2 D2 E2 F2 G2 H2 I2 J2",
    ),
    (
        "untagged for 5 days",
        f"{GITHUB}/virtlabx/aws-terraform-bloomreach/blob/master/modules/ecr-repository/"
        "untagged_images_lifecycle.tf",
        [rule(1, "untagged", 5, days=True)],
        "A1 E1 H1 K1",
    ),
    (
        "untagged for 7 days, under a description that says 14",
        f"{GITHUB}/woogieOnAndOn/rowoo-note/blob/main/terraform/registry/lifecycle.tf",
        [{**rule(1, "untagged", 7, days=True), "description": "older than 14 days"}],
        "A1 E1 H1",
    ),
    (
        "the newest 10 untagged: there are 5",
        f"{GITHUB}/hackoregon/civic-devops/issues/83",
        [rule(10, "untagged", 10)],
        "",
    ),
    (
        "one kind is safe by a number nobody reaches, of the other 500 stay: v and dev, 2 here",
        "https://stackoverflow.com/questions/51375318",
        [rule(10, "prefix", 9999, "v"), rule(20, "prefix", 2, "dev")],
        "F20",
    ),
    (
        "everything for 30 days",
        "https://gist.github.com/dev-daeun/27626fc08ad7848f23975bf94413fc1d",
        [rule(1, "any", 30, days=True)],
        "A1 B1 C1 D1 E1 F1",
    ),
    (
        "the newest 10 with one tag, of which there is never a second",
        f"{GITHUB}/cloudposse/terraform-aws-ecr/issues/158",
        [rule(1, "pattern", 10, "latest")],
        "",
    ),
    (
        "untagged for 14 days",
        "https://www.pulumi.com/docs/reference/pkg/aws/ecr/lifecyclepolicy",
        [rule(1, "untagged", 14, days=True)],
        "A1 E1 H1",
    ),
    (
        "prod is kept by a number nobody reaches, the rest for 30 days",
        "https://pypi.org/project/aws-cdk.aws-ecr/1.26.0",
        [rule(1, "prefix", 9999, "prod"), rule(2, "any", 30, days=True)],
        "A2 C2 D2 E2 F2",
    ),
    (
        "two patterns in one rule keep what has both tags, which is M; 2 untagged here, not 5",
        "https://kubeforge.kartikeytripathi.in/lesson/d9",
        [rule(1, "pattern", 9999, "prod-*", "release-*"), rule(2, "untagged", 2)],
        "A2 E2 H2",
    ),
    (
        "the same two patterns do not keep B and D from a rule for all",
        "https://kubeforge.kartikeytripathi.in/lesson/d9",
        [rule(1, "pattern", 9999, "prod-*", "release-*"), rule(2, "any", 30, days=True)],
        "A2 B2 C2 D2 E2 F2",
    ),
    (
        "a prefix that nobody pushes any more takes nothing",
        f"{GITHUB}/ustaxcourt/ef-cms/issues/10265",
        [rule(1, "prefix", 1, "SNAPSHOT-")],
        "",
    ),
    (
        "a list of every first letter wants an image with all of them; 2 untagged here, not 20",
        f"{GITHUB}/awslabs/ecs-refarch-continuous-deployment/issues/38",
        [rule(1, "untagged", 2), rule(2, "prefix", 1, *"0123456789abcdef")],
        "A1 E1 H1",
    ),
    (
        "dev for 60 days",
        f"{GITHUB}/ktb-cpplab/cpplab-cl/blob/main/dev/ecr.tf",
        [rule(1, "prefix", 60, "dev", days=True)],
        "F1",
    ),
    (
        "untagged for a day: exactly a day is enough",
        f"{GITHUB}/koki-develop/lgtm-generator/blob/main/backend/terraform/aws/ecr.tf",
        [rule(1, "untagged", 1, days=True)],
        "A1 E1 H1 K1 N1",
    ),
    (
        "the newest 10 of v: 2 here",
        f"{GITHUB}/yuu0w0yuu/aws-ecs/blob/main/terraform/migrate/ecr.tf",
        [rule(1, "prefix", 2, "v")],
        "C1 D1",
    ),
    (
        "the newest 30 of all: 13 here",
        f"{GITHUB}/reown-com/blockchain-api/blob/master/terraform/res_ecr.tf",
        [rule(1, "any", 13)],
        "A1 B1",
    ),
    (
        "untagged for 30 days",
        f"{GITHUB}/loukasprevyzis/dob-api/blob/main/infra/ecr.tf",
        [rule(1, "untagged", 30, days=True)],
        "A1 E1",
    ),
    (
        "prod for a year and the rest for 30 days, with priorities that leave a gap",
        f"{GITHUB}/obytes/terraform-aws-ecs-superset/blob/main/modules/aws/ecr/"
        "ecr_lifecycle_policy.tf",
        [rule(1, "prefix", 365, "prod", days=True), rule(5, "any", 30, days=True)],
        "A5 B1 C5 D5 E5 F5",
    ),
    (
        "so many of the stage's prefix: 1 of prod here",
        f"{GITHUB}/cloudposse/terraform-aws-ecr/blob/0203e5f5709ecd50e5913b63bb9d376b3d0a0a0c/"
        "main.tf",
        [rule(1, "prefix", 1, "prod")],
        "B1",
    ),
    (
        "untagged for a year, which caps nothing that is tagged",
        f"{GITHUB}/towardsthecloud/cloudburn/issues/190",
        [rule(1, "untagged", 365, days=True)],
        "A1",
    ),
    (
        "the newest 30 of v: 3 here",
        f"{GITHUB}/terraform-aws-modules/terraform-aws-ecr/blob/master/examples/complete/main.tf",
        [rule(1, "prefix", 3, "v")],
        "C1",
    ),
    (
        "what is deployed and 20 releases are kept by numbers, untagged goes after a day, and the "
        "rest after 30; prod is the tag of what is deployed here",
        f"{GITHUB}/alphagov/govuk-infrastructure/pull/765",
        [
            rule(1, "prefix", 100, "prod"),
            rule(2, "untagged", 1, days=True),
            rule(3, "prefix", 20, "release-"),
            rule(4, "any", 30, days=True),
        ],
        "A2 C4 E2 F4 H2 K2 N2",
    ),
    (
        "20 releases and 20 of v, and the rest for 30 days",
        f"{GITHUB}/alphagov/govuk-infrastructure/pull/1013",
        [
            rule(3, "prefix", 20, "release-"),
            rule(4, "prefix", 20, "v"),
            rule(5, "any", 30, days=True),
        ],
        "A5 B5 E5 F5",
    ),
    (
        "a rule for release takes an image of production as well, by its other tag: 1 here",
        f"{GITHUB}/aws/containers-roadmap/issues/1738",
        [rule(1, "prefix", 1, "release")],
        "D1",
    ),
    (
        "untagged for so many days, and so many of all, untagged ones too: 7 and 5 here",
        f"{GITHUB}/DefangLabs/pulumi-defang/pull/379",
        [rule(1, "untagged", 7, days=True), rule(2, "any", 5)],
        "A1 B2 C2 D2 E1 F2 G2 H1 I2 J2",
    ),
    (
        "images of branches for a day, the others for 30: dev is the tag of branches here",
        f"{GITHUB}/seek-oss/docker-ecr-cache-buildkite-plugin/pull/57",
        [rule(1, "prefix", 1, "dev", days=True), rule(2, "any", 30, days=True)],
        "A2 B2 C2 D2 E2 F1 G1 L1",
    ),
    (
        "seven of ten prefixes in one rule want an image with all seven; then the newest 1 of all, "
        "but for untagged ones that wait for their 14 days",
        f"{GITHUB}/DNXLabs/terraform-aws-ecr",
        [
            rule(1, "untagged", 14, days=True),
            rule(2, "prefix", 1, "feature", "prod", "deploy", "qa", "nonprod", "staging", "dev"),
            rule(3, "any", 1),
        ],
        "A1 B3 C3 D3 E1 F3 G3 H1 I3 J3 L3 M3",
    ),
    (
        "the newest 5 releases, of which an image is one only with both tags",
        "https://hub.guardrails.turbot.com/mods/aws/policies/aws-ecr/"
        "repositoryLifecyclePolicyRequiredItems",
        [rule(1, "untagged", 14, days=True), rule(2, "prefix", 5, "release", "v")],
        "A1 E1 H1",
    ),
    (
        "to the archive 90 days after the last pull, or the push, and away after a year there",
        f"{GITHUB}/hashicorp/terraform-provider-aws/blob/main/website/docs/r/"
        "ecr_lifecycle_policy.html.markdown",
        [
            rule(1, "any", 90, countType="sinceImagePulled", countUnit="days", action=TO_ARCHIVE),
            rule(
                2,
                "any",
                365,
                countType="sinceImageTransitioned",
                countUnit="days",
                storageClass="archive",
            ),
        ],
        "A1 B1 C1 D1",
    ),
]


@pytest.mark.parametrize(
    ("source", "rules", "expected"),
    [pytest.param(*row[1:], id=row[0]) for row in PUBLISHED],
)
def test_a_published_policy_takes_what_its_rules_say(
    past: Ecr, source: str, rules: list[dict[str, Any]], expected: str
) -> None:
    assert source.startswith("https://")
    assert named(past, previewed(past, rules)) == expected


def test_untagged_images_go_to_the_archive_after_30_days(past: Ecr) -> None:
    """https://github.com/cloudposse/terraform-aws-ecr/blob/main/examples/lifecycle-policies/main.tf"""
    results = previewed(past, [rule(1, "untagged", 30, days=True, action=TO_ARCHIVE)])
    assert named(past, results) == "A1 E1"
    assert {each["action"]["type"] for each in results} == {"TRANSITION"}


@pytest.mark.parametrize(
    ("source", "rules", "fault"),
    [
        (
            f"{GITHUB}/cloudposse/terraform-aws-ecr/issues/158",
            [
                rule(
                    1,
                    "pattern",
                    10,
                    "latest",
                    action={"type": "expire", "targetStorageClass": None},
                )
            ],
            NO_SCHEMA,
        ),
        (
            f"{GITHUB}/cloudposse/terraform-aws-ecr/pull/132",
            [rule(1, "any", 10, countUnit=None)],
            NO_SCHEMA,
        ),
        (
            f"{GITHUB}/cloud-custodian/cloud-custodian/issues/5597",
            [rule(1, "untagged", 5, countUnit="days")],
            NO_SCHEMA,
        ),
        (
            f"{GITHUB}/simple-container-com/api/issues/34",
            [rule(1, "any", 10, tagPatternList=None)],
            'instance type (null) does not match any allowed primitive type (allowed: ["array"])',
        ),
        (
            f"{GITHUB}/aws/containers-roadmap/issues/2728",
            [rule(1, "any", 30, countType="sinceImagePulled", countUnit="days")],
            NO_SCHEMA,
        ),
        (
            f"{GITHUB}/pulumi/pulumi-aws/issues/5383",
            [
                rule(1, "prefix", 14, "foo-", days=True),
                rule(1, "pattern", 14, "bar-*", days=True),
            ],
            "Rule priorities must be unique",
        ),
        (
            "https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html",
            [rule(1, "untagged", 7, days=True), rule(2, "untagged", 10)],
            "Only one rule can select Untagged images per storage class.",
        ),
        (
            "https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html",
            [rule(1, "any", 10), rule(2, "untagged", 7, days=True)],
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
    ],
    ids=lambda value: value.rsplit("/", 2)[-1] if str(value).startswith("https") else "",
)
def test_what_aws_refuses_is_refused_in_its_words(
    demo: Ecr, source: str, rules: list[dict[str, Any]], fault: str
) -> None:
    told = demo.error(
        "PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=text_of(rules)
    )
    words = f"{CONSTRAINT}'Lifecycle policy validation failure: {fault}'"
    assert (source[:8], told) == ("https://", ("InvalidParameterException", words))


def test_an_empty_policy_is_too_short(demo: Ecr) -> None:
    """What a Terraform module puts whose user left the policy out, as it was reported.

    https://github.com/terraform-aws-modules/terraform-aws-ecr/blob/master/variables.tf
    """
    code, message = demo.error("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText="")
    assert code == "InvalidParameterException"
    assert "'Member must have length greater than or equal to 100'" in message
