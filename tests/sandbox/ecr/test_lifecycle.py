"""The evaluation of lifecycle policies, held to the examples and the rules of AWS's user guide.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html and
https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.sandbox.ecr.lifecycle import DAY, Candidate, evaluate, next_due, rules_of
from labs_helpers.sandbox.ecr.lifecycle_text import InvalidLifecyclePolicy, check_lifecycle_policy

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp()


def ago(days: float) -> float:
    return NOW - days * DAY


def image(name: str, days: float, *tags: str, **more: Any) -> Candidate:
    return Candidate(name, tags, ago(days), **more)


def rule(priority: int, count: int, *tags: str, **more: Any) -> dict[str, Any]:
    """A rule that keeps `count` images with all those tag patterns, or what `more` says."""
    to = more.pop("to", None)
    selection: dict[str, Any] = {"tagStatus": "tagged", "countType": "imageCountMoreThan"}
    if tags:
        selection["tagPatternList"] = list(tags)
    selection |= {"countNumber": count, **more}
    if selection["countType"] != "imageCountMoreThan":
        selection["countUnit"] = "days"
    action = {"type": "transition", "targetStorageClass": to} if to else {"type": "expire"}
    return {"rulePriority": priority, "selection": selection, "action": action}


def taken(images: list[Candidate], *rules: dict[str, Any], now: float = NOW) -> str:
    """The names of the images that the policy takes, with the rule of each: "A1 B1"."""
    document = {"rules": list(rules)}
    check_lifecycle_policy(json.dumps(document))
    outcomes = evaluate(rules_of(document), images, now)
    assert [each.image for each in outcomes] == sorted(
        images, key=lambda one: (one.pushed_at, one.digest)
    )
    found = sorted(
        f"{each.image.digest}{each.rule.priority}" for each in outcomes if each.taken and each.rule
    )
    return " ".join(found)


PUSHED, PULLED, MOVED = (f"sinceImage{verb}" for verb in ("Pushed", "Pulled", "Transitioned"))
BETA_AND_PROD = [
    image("A", 10, "beta-1", "prod-1"),
    image("B", 9, "beta-2", "prod-2"),
    image("C", 8, "beta-3"),
]


@pytest.mark.parametrize(
    ("images", "rules", "expected"),
    [
        # Filtering on image age
        (
            [image("A", 15, "prod-1"), image("B", 13, "prod-2"), image("C", 15, "dev")],
            [rule(1, 14, "prod*", countType=PUSHED)],
            "A1",
        ),
        # Filtering on image count
        (
            [image("A", 3), image("B", 2), image("C", 1), image("D", 4, "kept")],
            [rule(1, 1, tagStatus="untagged")],
            "A1 B1",
        ),
        # Filtering on multiple rules, examples A and B
        (BETA_AND_PROD, [rule(1, 1, "prod*"), rule(2, 1, "beta*")], "A1"),
        (BETA_AND_PROD, [rule(1, 1, "beta*"), rule(2, 1, "prod*")], "A1 B1"),
        # Filtering on multiple tags in a single rule, examples A and B
        (
            [
                image("A", 12, "alpha-1"),
                image("B", 11, "beta-1"),
                image("C", 10, "alpha-2", "beta-2"),
                image("D", 4, "alpha-3"),
                image("E", 3, "beta-3"),
                image("F", 2, "alpha-4", "beta-4"),
            ],
            [rule(1, 5, "alpha*", "beta*", countType=PUSHED)],
            "C1",
        ),
        (
            [
                image("A", 10, "alpha-1", "beta-1", "gamma-1"),
                image("B", 9, "alpha-2", "beta-2"),
                image("C", 8, "alpha-3", "beta-3", "gamma-2"),
            ],
            [rule(1, 1, "alpha*", "beta*")],
            "A1 B1",
        ),
        # Filtering on all images, examples A and B
        (
            [image("A", 4, "alpha-1"), image("B", 3, "beta-1"), image("C", 2), image("D", 1, "a")],
            [rule(1, 1, tagStatus="any")],
            "A1 B1 C1",
        ),
        (
            [
                image("A", 4, "alpha-1", "beta-1"),
                image("B", 3),
                image("C", 2, "alpha-2"),
                image("D", 1, "git hash"),
                image("E", 0.9),
            ],
            [
                rule(1, 1, "alpha*"),
                rule(2, 1, tagStatus="untagged", countType=PUSHED),
                rule(3, 1, tagStatus="any"),
            ],
            "A1 B2 D3",
        ),
        # Archive examples: not pulled for 90 days; a year in the archive
        (
            [
                image("A", 200, "v1", pulled_at=ago(100)),
                image("B", 200, "v2", pulled_at=ago(10)),
                image("C", 91, "v3"),
                image("D", 10, "v4"),
                image("E", 900, "v0", storage="ARCHIVE", archived_at=ago(370)),
                image("F", 900, "v00", storage="ARCHIVE", archived_at=ago(300)),
            ],
            [
                rule(1, 90, tagStatus="any", countType=PULLED, to="archive"),
                rule(2, 365, tagStatus="any", countType=MOVED, storageClass="archive"),
            ],
            "A1 C1 E2",
        ),
        # an image that came back from the archive is as old as its return
        (
            [
                image("A", 100, "v1", activated_at=ago(5)),
                image("B", 99, "v2"),
                image("C", 100, "v3", pulled_at=ago(90), activated_at=ago(5)),
            ],
            [rule(1, 30, tagStatus="any", countType=PULLED, to="archive")],
            "B1",
        ),
        # in the archive the day of the move counts, not the day of the push
        (
            [
                image("A", 100, storage="ARCHIVE", archived_at=ago(99)),
                image("B", 200, storage="ARCHIVE", archived_at=ago(1)),
            ],
            [rule(1, 90, tagStatus="any", countType=MOVED, storageClass="archive")],
            "A1",
        ),
        # a prefix, and what only contains it
        (
            [image("A", 9, "prod"), image("B", 9, "preprod"), image("C", 9, "prod-1")],
            [rule(1, 1, tagPrefixList=["prod"], countType=PUSHED)],
            "A1 C1",
        ),
        # four wildcards
        (
            [image("A", 9, "a-test-1-b-2"), image("B", 9, "a-test-2-b-1")],
            [rule(1, 1, "*test*1*2*", countType=PUSHED)],
            "A1",
        ),
        # the children of an index wait for the index, and one rule sees both
        (
            [
                image("A", 9, indexes=("I",)),
                image("B", 9, indexes=("I",)),
                image("I", 9, "v1"),
            ],
            [rule(1, 1, tagStatus="any", countType=PUSHED)],
            "I1",
        ),
        # a signature goes with its subject, and does not count beside images
        (
            [image("A", 9, "v1"), image("S", 9, subject="A"), image("B", 8, "v2")],
            [rule(1, 1, tagStatus="any")],
            "A1",
        ),
        # the subject of this one is in no repository of ours
        ([image("S", 9, subject="gone")], [rule(1, 1, tagStatus="any", countType=PUSHED)], "S1"),
        # exactly the number of days is old enough
        ([image("A", 14)], [rule(1, 14, tagStatus="untagged", countType=PUSHED)], "A1"),
    ],
)
def test_the_documented_examples(
    images: list[Candidate], rules: list[dict[str, Any]], expected: str
) -> None:
    assert taken(images, *rules) == expected


def test_an_image_that_a_higher_rule_wants_later_is_no_lower_rules() -> None:
    images = [image("A", 5, "prod-1"), image("B", 1, "dev-1")]
    keep = rule(1, 30, "prod*", countType=PUSHED)
    outcomes = evaluate(rules_of({"rules": [rule(9, 1, tagStatus="any"), keep]}), images, NOW)
    assert [(each.image.digest, each.taken, each.why) for each in outcomes] == [
        ("A", False, "rule 1 wants the image from 2026-11-27 09:00 UTC"),
        ("B", False, "among the newest 1 of rule 9"),
    ]
    assert next_due(rules_of({"rules": [keep]}), images, NOW) == ago(-25)


def test_what_no_rule_selects_says_so() -> None:
    [outcome] = evaluate(rules_of({"rules": [rule(1, 1, "prod*")]}), [image("A", 900, "dev")], NOW)
    assert (outcome.taken, outcome.rule, outcome.why) == (False, None, "no rule selects the image")


TAGS = st.lists(st.sampled_from(["prod-1", "prod-2", "dev", "v1"]), max_size=2, unique=True)


@given(
    st.lists(st.tuples(st.integers(0, 40), TAGS), max_size=8),
    st.lists(
        st.tuples(
            st.sampled_from([("prod*",), ("dev",), ("*1",), ()]),
            st.integers(1, 30),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
        unique_by=lambda each: each[0],
    ),
)
def test_the_rules_of_evaluation_hold(
    pushed: list[tuple[int, list[str]]], chosen: list[tuple[tuple[str, ...], int, bool]]
) -> None:
    images = [image(f"{n}", days, *tags) for n, (days, tags) in enumerate(pushed)]
    documents = [
        rule(
            n,
            count,
            *tags,
            tagStatus="tagged" if tags else "untagged",
            countType=PUSHED if by_days else "imageCountMoreThan",
        )
        for n, (tags, count, by_days) in enumerate(chosen, start=1)
    ]
    rules = rules_of({"rules": documents})
    for outcome in evaluate(rules, images, NOW):
        identified = [each for each in rules if each.identified([outcome.image])]
        assert outcome.rule is (identified[0] if identified else None)
        if outcome.taken and outcome.rule and outcome.rule.counts_images:
            newer = [
                each
                for each in images
                if outcome.rule.identified([each]) and each.pushed_at >= outcome.image.pushed_at
            ]
            assert len(newer) > outcome.rule.count
        elif outcome.taken and outcome.rule:
            assert outcome.image.pushed_at <= ago(outcome.rule.count)


def test_ninety_days_are_the_least_in_the_archive() -> None:
    def text(days: int) -> str:
        return json.dumps(
            {"rules": [rule(1, days, tagStatus="any", countType=MOVED, storageClass="archive")]}
        )

    check_lifecycle_policy(text(90))
    with pytest.raises(InvalidLifecyclePolicy, match="minimum: 90, found: 89"):
        check_lifecycle_policy(text(89))
