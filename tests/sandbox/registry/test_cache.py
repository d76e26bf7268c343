"""The pull through cache, over HTTP, with the stand-in for Docker Hub as its upstream."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from labs_helpers.oci import digest as digests
from labs_helpers.oci import media_types
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import creation, documents, images, repositories, tokens
from labs_helpers.sandbox.ecr.cache_rules import KIND
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere, SecretNotFound
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.hub.app import HubApp
from labs_helpers.sandbox.registry.cache import Cache
from labs_helpers.sandbox.registry.context import Made
from labs_helpers.sandbox.registry.upstream import Answer, Ask, asking
from labs_helpers.sandbox.service.errors import AccessDenied
from tests.sandbox.registry.registry_server import (
    HOME,
    LEARNER,
    REGION,
    START,
    RegistryUnderTest,
    Server,
)

Secrets = Callable[[str], str]
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"
RIGHT = json.dumps({"username": "labs", "accessToken": "labs"})
ALPINE = "hub/library/alpine"
ACCEPT = {"Accept": ", ".join({*media_types.INDEXES, *media_types.MANIFESTS})}


class Hub:
    """The stand-in, whose answers can be changed, and the paths that it was asked for."""

    def __init__(self, ask: Ask) -> None:
        self.real = ask
        self.asked: list[str] = []
        self.instead: dict[str, tuple[int, Mapping[str, str], bytes]] = {}

    def __call__(self, host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        self.asked.append(path)
        end = path.rsplit("/", 1)[1]
        if end in self.instead:
            status, given, body = self.instead[end]
            return status, given, BytesIO(body)
        return self.real(host, path, query, headers)


@pytest.fixture(scope="module")
def images_of_the_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture
def secrets() -> dict[str, str]:
    return {SECRET: RIGHT}


@pytest.fixture
def hub(images_of_the_hub: Path) -> Hub:
    return Hub(asking(HubApp(images_of_the_hub, Clock(frozen_at=START))))


@pytest.fixture
def registry(
    tmp_path: Path, registry_server: Server, hub: Hub, secrets: dict[str, str]
) -> Iterator[RegistryUnderTest]:
    """A registry with a rule for Docker Hub (``hub``) and one for ECR Public (``public``)."""

    def secret(account: str, region: str, arn: str) -> str:
        if arn not in secrets:
            raise SecretNotFound()
        return secrets[arn]

    def made(store: Store) -> Made:
        elsewhere = Elsewhere(secret=secret)
        return Made(elsewhere, Cache(store, elsewhere, hub))

    under_test = RegistryUnderTest(tmp_path / "ecr", registry_server, made=made)
    rule(under_test, "hub", "registry-1.docker.io", credentialArn=SECRET)
    rule(under_test, "public", "public.ecr.aws")
    yield under_test
    under_test.store.close()


def rule(registry: RegistryUnderTest, prefix: str, host: str, **more: str) -> None:
    body = {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": host, **more}
    documents.put(registry.store, HOME, KIND, body, prefix)


def template(registry: RegistryUnderTest, prefix: str, purpose: str, **more: Any) -> None:
    body = {"prefix": prefix, "appliedFor": [purpose], **more}
    documents.put(registry.store, HOME, creation.TEMPLATE, body, prefix)


def pull(registry: RegistryUnderTest, name: str = ALPINE, reference: str = "latest") -> Any:
    return registry.send("GET", f"/v2/{name}/manifests/{reference}", headers=ACCEPT)


def held(registry: RegistryUnderTest, name: str = ALPINE) -> list[images.Image]:
    repository = repositories.get(registry.store, HOME, name)
    return images.list_all(registry.store, repository)


@pytest.mark.parametrize("name", [ALPINE, "public/docker/library/alpine"])
def test_a_pull_brings_the_whole_image(registry: RegistryUnderTest, name: str) -> None:
    reply = pull(registry, name)
    assert reply.status == 200
    index = json.loads(reply.body)
    children = {each["digest"] for each in index["manifests"]}
    assert children
    found = held(registry, name)
    assert {image.digest for image in found} == {digests.of_bytes(reply.body), *children}
    assert [image.tags for image in found if image.tags] == [("latest",)]
    child = json.loads(pull(registry, name, min(children)).body)
    layer = child["layers"][0]
    blob = registry.send("GET", f"/v2/{name}/blobs/{layer['digest']}")
    assert (blob.status, digests.of_bytes(blob.body)) == (200, layer["digest"])


def test_a_tag_is_compared_with_the_upstream_after_a_day(
    registry: RegistryUnderTest, hub: Hub
) -> None:
    old = pull(registry).headers["docker-content-digest"]
    other = pull(registry, "hub/library/nginx", "alpine").body
    hub.instead["latest"] = (200, {"content-type": media_types.OCI_INDEX}, other)
    hub.asked.clear()
    assert pull(registry).headers["docker-content-digest"] == old
    assert hub.asked == []
    registry.clock.advance(timedelta(hours=24))
    registry.token = new_token(registry)
    nginx = json.loads(other)["manifests"]
    hub.real = as_alpine(hub.real)
    assert pull(registry).headers["docker-content-digest"] == digests.of_bytes(other)
    assert {each["digest"] for each in nginx} <= {image.digest for image in held(registry)}
    assert [image.tags for image in held(registry) if image.digest == old] == [()]


def as_alpine(ask: Ask) -> Ask:
    """The stand-in, where the repository alpine has nginx's images."""

    def changed(host: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        path, query = (each.replace("alpine", "nginx") for each in (path, query))
        return ask(host, path, query, headers)

    return changed


def new_token(registry: RegistryUnderTest) -> str:
    return tokens.mint(registry.store, LEARNER, REGION).password


def test_the_cached_image_is_served_while_the_upstream_is_down(
    registry: RegistryUnderTest, hub: Hub
) -> None:
    old = pull(registry).headers["docker-content-digest"]
    registry.clock.advance(timedelta(days=2))
    registry.token = new_token(registry)
    hub.instead["token"] = (503, {}, b"down")
    assert pull(registry).headers["docker-content-digest"] == old


def test_the_limit_of_the_upstream_is_met_in_person(registry: RegistryUnderTest, hub: Hub) -> None:
    body = b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "the limit"}]}'
    hub.instead["latest"] = (429, {}, body)
    reply = pull(registry)
    assert (reply.status, reply.error) == (429, ("TOOMANYREQUESTS", "the limit"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps({"username": "labs", "accessToken": "wrong"}), ALPINE),
        (json.dumps({"username": "labs"}), ALPINE),
        ("labs:labs", ALPINE),
        (None, ALPINE),
        (RIGHT, "hub/library/nothing-of-that-name"),
        (RIGHT, "hub/alpine"),
        (RIGHT, "hub"),
        (RIGHT, "elsewhere/library/alpine"),
    ],
)
def test_what_cannot_be_fetched_is_not_found_and_makes_no_repository(
    registry: RegistryUnderTest, secrets: dict[str, str], text: str | None, name: str
) -> None:
    del secrets[SECRET]
    if text is not None:
        secrets[SECRET] = text
    reply = pull(registry, name)
    assert (reply.status, reply.error[0]) == (404, "NAME_UNKNOWN")
    assert repositories.list_all(registry.store, HOME) == []


@pytest.mark.parametrize("action", ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])
def test_without_the_rights_the_repository_does_not_exist(
    registry: RegistryUnderTest, hub: Hub, action: str
) -> None:
    def refuse(asked: str, arn: str) -> None:
        if asked == action:
            raise AccessDenied("no")

    registry.refuse = refuse
    assert pull(registry).error[0] == "NAME_UNKNOWN"
    assert hub.asked == []


def test_an_unreachable_upstream_says_so_when_it_is_validated(
    registry: RegistryUnderTest, hub: Hub, secrets: dict[str, str]
) -> None:
    cache = registry.made(registry.store).cache
    assert cache is not None
    found = documents.list_all(registry.store, HOME, KIND)
    here = (HOME.account, HOME.region)
    assert cache.failure(found["hub"], *here) == ""
    assert "quay.io" in cache.failure({"upstreamRegistryUrl": "quay.io"}, *here)
    secrets[SECRET] = json.dumps({"username": "labs", "accessToken": "wrong"})
    assert cache.failure(found["hub"], *here) == "incorrect username or password"
    secrets[SECRET] = "{}"
    assert "username and accessToken" in cache.failure(found["hub"], *here)


def test_the_longest_prefix_decides(registry: RegistryUnderTest) -> None:
    rule(registry, "ROOT", "registry-1.docker.io", credentialArn=SECRET)
    rule(registry, "team/base", "public.ecr.aws", upstreamRepositoryPrefix="docker/library")
    assert pull(registry, "library/alpine").status == 200
    assert pull(registry, "team/base/alpine").status == 200


def test_a_template_says_how_the_repository_begins(registry: RegistryUnderTest) -> None:
    lifecycle = json.dumps(
        {
            "rules": [
                {
                    "rulePriority": 1,
                    "selection": {
                        "tagStatus": "any",
                        "countType": "imageCountMoreThan",
                        "countNumber": 9,
                    },
                    "action": {"type": "expire"},
                }
            ]
        }
    )
    tags = [{"Key": "team", "Value": "base"}]
    template(registry, "ROOT", "PULL_THROUGH_CACHE", imageTagMutability="MUTABLE")
    template(registry, "hub", "CREATE_ON_PUSH")
    template(
        registry,
        "hub/library",
        "PULL_THROUGH_CACHE",
        imageTagMutability="IMMUTABLE",
        resourceTags=tags,
        lifecyclePolicy=lifecycle,
    )
    assert pull(registry).status == 200
    repository = repositories.get(registry.store, HOME, ALPINE)
    assert repository.mutability == "IMMUTABLE"
    assert repositories.tags(registry.store, repository) == {"team": "base"}
    assert documents.get(registry.store, repository, "lifecycle-policy") is not None


def test_a_push_makes_the_repository_where_a_template_says_so(
    registry: RegistryUnderTest,
) -> None:
    template(registry, "team", "CREATE_ON_PUSH", imageTagMutability="IMMUTABLE")
    registry.push_image(name="team/app")
    assert repositories.get(registry.store, HOME, "team/app").mutability == "IMMUTABLE"
    reply = registry.send("POST", "/v2/teams/app/blobs/uploads/")
    assert reply.error[0] == "NAME_UNKNOWN"

    def refuse(asked: str, arn: str) -> None:
        if asked == "ecr:CreateRepository":
            raise AccessDenied("no")

    registry.refuse = refuse
    assert registry.send("POST", "/v2/team/other/blobs/uploads/").status == 403
