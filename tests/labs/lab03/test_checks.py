"""Lab 03: what its checks say in each state a learner can be in."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labs_helpers.checks import NotAttempted, NotYet, Passed, images, run
from labs_helpers.checks.registry import Answer
from tests.labs.fakes import FakeWorld, answer, world

HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
MANIFEST = "/v2/mirror/nginx/manifests/alpine"


class Missing(Exception):
    pass


class Ecr:
    """ECR with the tags of mirror/nginx, and at most one cache rule."""

    exceptions = SimpleNamespace(
        RepositoryNotFoundException=Missing, PullThroughCacheRuleNotFoundException=Missing
    )

    def __init__(self, tags: list[str] | None = None, upstream: str = "") -> None:
        self.tags, self.upstream = tags, upstream

    def list_images(self, **_: Any) -> dict[str, Any]:
        if self.tags is None:
            raise Missing
        return {"imageIds": [{"imageTag": tag} for tag in self.tags]}

    def describe_pull_through_cache_rules(self, **_: Any) -> dict[str, Any]:
        if not self.upstream:
            raise Missing
        return {"pullThroughCacheRules": [{"upstreamRegistryUrl": self.upstream}]}


def registry(config: str, manifest: str = "sha256:m") -> dict[str, dict[str, Answer]]:
    """mirror/nginx:alpine with the digests of its configuration and its manifest."""
    body = json.dumps({"config": {"digest": config}}).encode()
    return {HOST: {MANIFEST: Answer(200, {"docker-content-digest": manifest}, body)}}


@pytest.fixture(autouse=True)
def pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    attrs = {"RepoDigests": ["nginx@sha256:hub"]}
    local = SimpleNamespace(id="sha256:nginx", attrs=attrs)
    monkeypatch.setattr(images, "find", lambda name: local if name == "nginx:alpine" else None)


def copied(folder: Path, **given: Any) -> FakeWorld:
    return world(folder, **{"clients": {"ecr": Ecr([])}, **given})


@pytest.mark.parametrize("tags", [None, []])
def test_no_image_in_the_mirror_is_not_attempted(tmp_path: Path, tags: list[str] | None) -> None:
    seen = world(tmp_path, registries={HOST: {MANIFEST: answer(404)}}, clients={"ecr": Ecr(tags)})

    assert isinstance(run("03.1", seen), NotAttempted)


def test_a_copy_under_another_tag_is_shown(tmp_path: Path) -> None:
    outcome = run("03.1", copied(tmp_path, clients={"ecr": Ecr(["latest"])}))

    assert isinstance(outcome, NotYet)
    assert (outcome.found, outcome.wanted) == ("tags: latest", "alpine")


def test_another_image_under_the_right_name_is_not_enough(tmp_path: Path) -> None:
    outcome = run("03.1", copied(tmp_path, registries=registry("sha256:other")))

    assert isinstance(outcome, NotYet)
    assert "sha256:nginx" in outcome.wanted


def test_without_the_local_image_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "find", lambda name: None)

    outcome = run("03.1", copied(tmp_path, registries=registry("sha256:nginx")))

    assert isinstance(outcome, NotYet)
    assert outcome.found == "no nginx:alpine"


@pytest.mark.parametrize(
    ("config", "manifest"), [("sha256:nginx", "sha256:m"), ("sha256:c", "sha256:hub")]
)
def test_the_copied_image_passes(tmp_path: Path, config: str, manifest: str) -> None:
    outcome = run("03.1", copied(tmp_path, registries=registry(config, manifest)))

    assert isinstance(outcome, Passed)


def test_no_rule_is_not_attempted(tmp_path: Path) -> None:
    assert isinstance(run("03.2", copied(tmp_path)), NotAttempted)


def test_a_rule_for_another_registry_is_shown(tmp_path: Path) -> None:
    outcome = run("03.2", copied(tmp_path, clients={"ecr": Ecr(upstream="quay.io")}))

    assert isinstance(outcome, NotYet)
    assert (outcome.found, outcome.wanted) == ("quay.io", "registry.k8s.io")


def test_the_rule_for_kubernetes_passes(tmp_path: Path) -> None:
    outcome = run("03.2", copied(tmp_path, clients={"ecr": Ecr(upstream="registry.k8s.io")}))

    assert isinstance(outcome, Passed)
