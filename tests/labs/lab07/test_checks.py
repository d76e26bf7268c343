"""Lab 07: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.prepare.docker import take_names
from tests.labs.desk import Desk, desk, rows

REPOSITORY = "$REGISTRY/demo-app-repo"


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    """As the lesson leaves it: version 2 is latest, beside it images of another version."""
    with desk("07") as made:
        made.done(
            f"""
docker build -q -t {REPOSITORY}:latest v2; docker push -q {REPOSITORY}:latest
docker build -q -t {REPOSITORY}:1.1.0 .; docker push -q {REPOSITORY}:1.1.0
docker tag {REPOSITORY}:latest kept:2; docker tag {REPOSITORY}:1.1.0 kept:1
"""
        )
        yield made


@pytest.fixture(autouse=True)
def no_answer_yet(lab: Desk) -> None:
    ecr = lab.place.client("ecr")
    keep = {"latest", "1.1.0"}
    listed = ecr.list_images(repositoryName="demo-app-repo", filter={"tagStatus": "TAGGED"})
    tags = [one["imageTag"] for one in listed["imageIds"] if one["imageTag"] not in keep]
    if tags:
        ids = [{"imageTag": tag} for tag in tags]
        ecr.batch_delete_image(repositoryName="demo-app-repo", imageIds=ids)
    take_names(lab.place, (f"{lab.place.registry}/demo-app-repo",), [])
    lab.done(f"docker tag kept:2 {REPOSITORY}:latest; docker push -q {REPOSITORY}:latest")
    lab.done("rm -f production.txt")


def push(source: str, tag: str) -> str:
    return f"docker tag {source} {REPOSITORY}:{tag}; docker push -q {REPOSITORY}:{tag}"


RIGHT = {
    "without Docker": """
manifest=$(aws ecr batch-get-image --repository-name demo-app-repo --image-ids imageTag=latest \
  --query 'images[0].imageManifest' --output text)
aws ecr put-image --repository-name demo-app-repo --image-tag 2.0.0 --image-manifest "$manifest"
""",
    "from the local image, which is the same": push(f"{REPOSITORY}:latest", "2.0.0"),
    "by digest": f"""
digest=$(aws ecr describe-images --repository-name demo-app-repo --image-ids imageTag=latest \
  --query 'imageDetails[0].imageDigest' --output text)
docker pull -q {REPOSITORY}@$digest; docker tag {REPOSITORY}@$digest {REPOSITORY}:2.0.0
docker push -q {REPOSITORY}:2.0.0
""",
    "a slip, and then right": push("kept:1", "2.0.0") + "\n" + push("kept:2", "2.0.0"),
}
WRONG = {
    "version 1": (push("kept:1", "2.0.0"), "the image that demo-app-repo:latest names"),
    "version 1 under both names": (
        push("kept:1", "2.0.0") + "\n" + push("kept:1", "latest"),
        "not the page of version 2 | release version 2",
    ),
    "latest taken away": (
        push("kept:2", "2.0.0") + "\naws ecr batch-delete-image --repository-name demo-app-repo "
        "--image-ids imageTag=latest",
        "1.1.0, 2.0.0 | latest gets the tag 2.0.0 as well",
    ),
    "another name": (push("kept:2", "v2.0.0"), "v2.0.0 | latest gets the tag 2.0.0 as well"),
    "a shorter name": (push("kept:2", "2.0"), "1.1.0, 2.0, latest | latest gets the tag"),
    "a new build of another page": (
        f"echo '<p>two</p>' > v2/x.html; printf 'FROM nginx:alpine\\nCOPY x.html /\\n' > v2/D; "
        f"docker build -q -t {REPOSITORY}:2.0.0 -f v2/D v2; docker push -q {REPOSITORY}:2.0.0; "
        "rm v2/D v2/x.html",
        "the image that demo-app-repo:latest names",
    ),
    "the bare base under both": (
        push("nginx:alpine", "2.0.0") + "\n" + push("nginx:alpine", "latest"),
        "not the page of version 2",
    ),
}
NOT_TRIED = {
    "nothing": "",
    "tagged and not pushed": f"docker tag kept:2 {REPOSITORY}:2.0.0",
    "in another repository": "docker tag kept:2 $REGISTRY/demo:2.0.0; "
    "docker push -q $REGISTRY/demo:2.0.0",
}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_release_right(lab: Desk, answer: str) -> None:
    assert lab.after("07.1", RIGHT[answer]).startswith(
        "passed: latest and 2.0.0 are the same image"
    )


@pytest.mark.parametrize("answer", rows(WRONG))
def test_release_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("07.1", *WRONG[answer])


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_release_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("07.1", NOT_TRIED[answer]).startswith("not tried: the tags of demo-app-repo")


def written(text: str, tag: str = "latest", output: str = "text", before: str = "") -> str:
    return f"""{before}
digest=$(aws ecr describe-images --repository-name demo-app-repo --image-ids imageTag={tag} \
  --query 'imageDetails[0].imageDigest' --output {output})
echo {text} > production.txt
"""


NAME = f"{REPOSITORY}@$digest"
PIN_RIGHT = {
    "from Docker": f"docker pull -q {REPOSITORY}:latest > /dev/null\n"
    "docker inspect --format '{{index .RepoDigests 0}}' "
    f"{REPOSITORY}:latest > production.txt",
    "with spaces around, and no end of line": written(NAME).replace("echo ", "printf ' %s ' "),
    "from Python": """python - <<'END'
import boto3
ecr = boto3.client("ecr")
(uri,) = [one["repositoryUri"] for one in ecr.describe_repositories()["repositories"]
          if one["repositoryName"] == "demo-app-repo"]
(image,) = ecr.describe_images(repositoryName="demo-app-repo",
                               imageIds=[{"imageTag": "latest"}])["imageDetails"]
open("production.txt", "w").write(uri + "@" + image["imageDigest"])
END""",
}
PIN_WRONG = {
    "quotes around the digest": (
        written(NAME, output="json"),
        '" | the name under which production pulls it | a name has no quotes',
    ),
    "the tag": (
        written(f"{REPOSITORY}:latest"),
        "a digest comes after an @, a tag after a :",
    ),
    "tag and digest": (
        written(f"{REPOSITORY}:latest@$digest"),
        "the digest alone decides, so the tag misleads",
    ),
    "the digest alone": (written("$digest"), "by digest and not by tag"),
    "no registry": (written("demo-app-repo@$digest"), "which registry, and which repository"),
    "a web address": (written(f"https://{NAME}"), "has no https:// before it"),
    "another region": (
        written(NAME.replace("$REGISTRY", "123456789012.dkr.ecr.eu-west-1.amazonaws.com")),
        "which registry, and which repository in it, holds the image?",
    ),
    "another tag's": (
        written(NAME, tag="1.1.0"),
        "the image that is tagged 1.1.0 | the image that",
    ),
    "a tag that is not": (written(NAME, tag="3.0.0"), "a digest comes after an @"),
    "the id of the local image": (
        f"digest=$(docker inspect --format '{{{{.Id}}}}' kept:2); echo {NAME} > production.txt",
        "the id of the image on this machine",
    ),
    "shortened": (
        written(f"{REPOSITORY}@${{digest:0:19}}"),
        "a digest is sha256: and 64 digits",
    ),
    "two lines": (
        written(f"{NAME} {NAME}").replace("echo ", "printf '%s\\n' "),
        "a machine reads the whole file as one name",
    ),
    "empty": ("touch production.txt", "an empty file | the name under which production pulls it"),
    "latest moved since": (
        written(NAME) + push("kept:1", "latest"),
        "which digest has the registry under this tag now?",
    ),
}


@pytest.mark.parametrize("answer", rows(PIN_RIGHT))
def test_pin_right(lab: Desk, answer: str) -> None:
    assert lab.after("07.2", PIN_RIGHT[answer]).startswith("passed: The registry gives exactly")


@pytest.mark.parametrize("answer", rows(PIN_WRONG, 14))
def test_pin_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("07.2", *PIN_WRONG[answer])


def test_pin_not_tried(lab: Desk) -> None:
    assert lab.after("07.2", "").startswith("not tried: the file production.txt")
