"""Lab 03: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.prepare.docker import take_names
from labs_helpers.prepare.repositories import no_repository
from tests.labs.desk import Desk, desk, rows

COPY = "$REGISTRY/mirror/nginx"
PULL = "docker pull -q nginx:alpine"
OTHER = "docker pull -q nginx:1.21-alpine"
PUSH = f"docker tag nginx:alpine {COPY}:alpine; docker push -q {COPY}:alpine"
LOGIN = "aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY"


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("03") as made:
        made.done(LOGIN)
        yield made


@pytest.fixture(autouse=True)
def an_empty_mirror(lab: Desk) -> None:
    """As the lesson's cells leave it: the repository, the login, and the base of the first cell."""
    ecr = lab.place.client("ecr")
    for name in ("mirror/nginx", "nginx"):
        no_repository(name).ensure(lab.place)
    ecr.create_repository(repositoryName="mirror/nginx")
    for one in ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]:
        ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=one["ecrRepositoryPrefix"])
    public = ("nginx", "debian", "public.ecr.aws/docker/library/nginx")
    take_names(lab.place, (*public, f"{lab.place.registry}/mirror/nginx"), [])
    lab.done(PULL)


RIGHT = {
    "by way of ECR Public": "docker pull -q public.ecr.aws/docker/library/nginx:alpine\n"
    f"docker tag public.ecr.aws/docker/library/nginx:alpine {COPY}:alpine\n"
    f"docker push -q {COPY}:alpine",
    "under another tag as well": f"{PUSH}; docker tag nginx:alpine {COPY}:1; "
    f"docker push -q {COPY}:1",
    "and the local images removed": f"{PUSH}; docker rmi -f nginx:alpine {COPY}:alpine",
    "by the SDK": """python -c '
import docker, os
client = docker.from_env()
name = os.environ["REGISTRY"] + "/mirror/nginx"
client.images.get("nginx:alpine").tag(name, "alpine")
client.images.push(name, "alpine")'""",
}
WRONG = {
    "another tag": (
        f"docker tag nginx:alpine {COPY}:latest; docker push -q {COPY}:latest",
        "tags: latest | under the tag alpine | the tag is part of the name that is pushed",
    ),
    "no tag": (f"docker tag nginx:alpine {COPY}; docker push -q {COPY}", "tags: latest"),
    "an old nginx": (
        f"{OTHER}; docker tag nginx:1.21-alpine {COPY}:alpine; docker push -q {COPY}:alpine",
        "another image than nginx:alpine",
    ),
    "an old nginx that is called the new one here": (
        f"{OTHER}; docker tag nginx:1.21-alpine nginx:alpine; {PUSH}",
        "another image than nginx:alpine",
    ),
    "another image": (
        "docker pull -q debian:12; docker tag debian:12 "
        f"{COPY}:alpine; docker push -q {COPY}:alpine",
        "which image had this name when you pushed it?",
    ),
    "an image of one's own": (
        "printf 'FROM nginx:alpine\\nLABEL mine=1\\n' | docker build -q -t nginx:alpine -; " + PUSH,
        "another image than nginx:alpine",
    ),
    "another version under both tags": (
        f"{OTHER}; for tag in alpine 1; do docker tag nginx:1.21-alpine {COPY}:$tag; "
        f"docker push -q {COPY}:$tag; done",
        "another image than nginx:alpine",
    ),
}
NOT_TRIED = {
    "nothing": "",
    "tagged and not pushed": f"docker tag nginx:alpine {COPY}:alpine",
    "another repository": "aws ecr create-repository --repository-name nginx; "
    "docker tag nginx:alpine $REGISTRY/nginx:alpine; docker push -q $REGISTRY/nginx:alpine",
}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_copy_right(lab: Desk, answer: str) -> None:
    seen = lab.after("03.1", RIGHT[answer])
    assert seen.startswith("passed: mirror/nginx:alpine in your registry is the image")


@pytest.mark.parametrize("answer", rows(WRONG))
def test_copy_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("03.1", *WRONG[answer])


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_copy_not_tried(lab: Desk, answer: str) -> None:
    seen = lab.after("03.1", NOT_TRIED[answer])
    assert seen.startswith("not tried: the images of mirror/nginx in 123456789012.dkr.ecr")


def rule(prefix: str, upstream: str, more: str = "") -> str:
    return (
        f"aws ecr create-pull-through-cache-rule --ecr-repository-prefix {prefix} "
        f"--upstream-registry-url {upstream} {more}"
    )


RULE_RIGHT = {
    "the command": rule("k8s", "registry.k8s.io"),
    "with the kind of registry named": rule("k8s", "registry.k8s.io", "--upstream-registry k8s"),
    "beside another rule": rule("quay", "quay.io") + "\n" + rule("k8s", "registry.k8s.io"),
    "made again": rule("k8s", "quay.io")
    + "\naws ecr delete-pull-through-cache-rule --ecr-repository-prefix k8s\n"
    + rule("k8s", "registry.k8s.io"),
}
RULE_WRONG = {
    "another registry": (
        rule("k8s", "public.ecr.aws"),
        "public.ecr.aws | images from registry.k8s.io | the source of a rule cannot be changed",
    ),
    "yet another registry": (rule("k8s", "quay.io"), "quay.io | images from registry.k8s.io"),
    "another prefix": (
        rule("kubernetes", "registry.k8s.io"),
        "kubernetes | under the prefix k8s | the prefix is the beginning",
    ),
    "a longer prefix": (rule("k8s-io", "registry.k8s.io"), "k8s-io | under the prefix k8s"),
    "a namespace": (rule("team/k8s", "registry.k8s.io"), "team/k8s | under the prefix k8s"),
    "two slips": (
        rule("kube", "registry.k8s.io") + "\n" + rule("k8s", "quay.io"),
        "quay.io | images from registry.k8s.io",
    ),
}
RULE_NOT_TRIED = {
    "nothing": "",
    "the lesson's rule": rule("labs-public", "public.ecr.aws"),
}


@pytest.mark.parametrize("answer", rows(RULE_RIGHT))
def test_rule_right(lab: Desk, answer: str) -> None:
    seen = lab.after("03.2", RULE_RIGHT[answer])
    assert seen.startswith("passed: What is pulled as k8s/... comes from registry.k8s.io")


@pytest.mark.parametrize("answer", rows(RULE_WRONG))
def test_rule_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("03.2", *RULE_WRONG[answer])


def test_a_rule_in_another_region_is_named(lab: Desk) -> None:
    rule = "pull-through-cache-rule --ecr-repository-prefix k8s --region eu-west-1"
    lab.finds_wrong(
        "03.2",
        f"aws ecr create-{rule} --upstream-registry-url registry.k8s.io",
        "the rule for k8s is in eu-west-1, and not in us-west-2 | under the prefix k8s | each"
        " region has a registry of its own",
    )
    lab.done(f"aws ecr delete-{rule}")


@pytest.mark.parametrize("answer", rows(RULE_NOT_TRIED))
def test_rule_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("03.2", RULE_NOT_TRIED[answer]).startswith("not tried: the pull-through cache")
