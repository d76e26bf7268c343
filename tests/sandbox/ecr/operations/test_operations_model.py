"""Random calls of ECR, with lifecycle and a clock, leave what a simple model leaves."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.lifecycle_runs import LifecycleWorker
from labs_helpers.sandbox.ecr.store import Store
from tests.sandbox.ecr.operations.ecr_api import Ecr

TAGS = st.sampled_from(["v1", "v2", "prod", "latest"])
CONTENTS = st.sampled_from(["one", "two", "three", "four", "five"])
FEW = st.integers(min_value=1, max_value=3)


@dataclass
class Modelled:
    """An image of the model: when it came, and its tags."""

    pushed_at: datetime
    tags: set[str] = field(default_factory=set)


@dataclass
class Plan:
    """A policy of one rule: the newest ``count`` stay; with ``spare``, prod is never taken."""

    count: int
    spare: bool
    next_run: datetime

    @property
    def text(self) -> str:
        counted = {"countType": "imageCountMoreThan"}
        prod = {"tagStatus": "tagged", "tagPatternList": ["prod"], **counted, "countNumber": 1}
        rest = {"tagStatus": "any", **counted, "countNumber": self.count}
        selections = [prod, rest] if self.spare else [rest]
        rules = [
            {"rulePriority": number, "selection": one, "action": {"type": "expire"}}
            for number, one in enumerate(selections, 1)
        ]
        return json.dumps({"rules": rules})


class Registry(RuleBasedStateMachine):
    """One repository, driven by the API; ``images`` and ``plan`` are what there must be."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="labs-model-")
        self.clock = Clock(frozen_at=datetime(2026, 11, 2, 9, tzinfo=UTC))
        self.store = Store(Path(self.folder.name), self.clock)
        self.clock.subscribe(LifecycleWorker(self.store).work)
        self.ecr = Ecr(self.store, self.clock)
        self.ecr("CreateRepository", repositoryName="demo")
        self.images: dict[str, Modelled] = {}
        self.plan: Plan | None = None

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule(tag=TAGS, content=CONTENTS)
    def push(self, tag: str, content: str) -> None:
        text = self.ecr.manifest("demo", content)
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        asked = {"repositoryName": "demo", "imageManifest": text, "imageTag": tag}
        if digest in self.images and tag in self.images[digest].tags:
            assert self.ecr.error("PutImage", **asked)[0] == "ImageAlreadyExistsException"
            return
        self.ecr("PutImage", **asked)
        for image in self.images.values():
            image.tags.discard(tag)
        self.images.setdefault(digest, Modelled(self.clock.now())).tags.add(tag)
        self.clock.advance(timedelta(minutes=1))  # no two pushes at one time
        self._run()

    @rule(tag=TAGS)
    def delete_by_tag(self, tag: str) -> None:
        answer = self.ecr("BatchDeleteImage", repositoryName="demo", imageIds=[{"imageTag": tag}])
        held = [digest for digest, image in self.images.items() if tag in image.tags]
        assert [one["imageDigest"] for one in answer["imageIds"]] == held
        for digest in held:
            self.images[digest].tags.discard(tag)
            if not self.images[digest].tags:
                del self.images[digest]

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def delete_by_digest(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.images)))
        named = [{"imageDigest": digest}]
        answer = self.ecr("BatchDeleteImage", repositoryName="demo", imageIds=named)
        assert answer["failures"] == []
        del self.images[digest]

    @rule(count=FEW, spare=st.booleans())
    def put_policy(self, count: int, spare: bool) -> None:
        self.plan = Plan(count, spare, self.clock.now() + timedelta(days=1))
        self.ecr("PutLifecyclePolicy", repositoryName="demo", lifecyclePolicyText=self.plan.text)

    @precondition(lambda self: self.plan)
    @rule()
    def delete_policy(self) -> None:
        self.ecr("DeleteLifecyclePolicy", repositoryName="demo")
        self.plan = None

    @rule(hours=st.sampled_from([1, 23, 24, 50]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self._run()

    @rule(count=FEW, spare=st.booleans())
    def preview(self, count: int, spare: bool) -> None:
        plan = Plan(count, spare, self.clock.now())
        self.ecr(
            "StartLifecyclePolicyPreview", repositoryName="demo", lifecyclePolicyText=plan.text
        )
        found = self.ecr("GetLifecyclePolicyPreview", repositoryName="demo")["previewResults"]
        assert [one["imageDigest"] for one in found] == self._taken(plan)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        found = self.ecr("DescribeImages", repositoryName="demo")["imageDetails"]
        seen = {one["imageDigest"]: set(one.get("imageTags", ())) for one in found}
        assert seen == {digest: image.tags for digest, image in self.images.items()}

    def _taken(self, plan: Plan) -> list[str]:
        """The digests that a run of the policy deletes, the oldest first."""
        oldest_first = sorted(self.images, key=lambda digest: self.images[digest].pushed_at)
        marked = oldest_first[: max(0, len(oldest_first) - plan.count)]
        spared = {digest for digest in marked if plan.spare and "prod" in self.images[digest].tags}
        return [digest for digest in marked if digest not in spared]

    def _run(self) -> None:
        """Make the runs that are due; after the first, images wait for nothing."""
        while self.plan is not None and self.plan.next_run <= self.clock.now():
            for digest in self._taken(self.plan):
                del self.images[digest]
            self.plan.next_run += timedelta(days=1)


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
FEW_RUNS = settings(
    max_examples=6,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=QUIET,
)
MANY_RUNS = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=QUIET
)


class TestFewCalls(Registry.TestCase):  # type: ignore[misc]
    settings = FEW_RUNS


@pytest.mark.soak
class TestManyCalls(Registry.TestCase):  # type: ignore[misc]
    settings = MANY_RUNS
