"""Lab 09: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.prepare.docker import take_names
from labs_helpers.prepare.repositories import empty_repository
from tests.labs.desk import Desk, desk, rows

SCAN = (
    "aws ecr put-image-scanning-configuration --repository-name demo-app-repo "
    "--image-scanning-configuration scanOnPush=true"
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("09") as made:
        yield made


@pytest.fixture
def project(lab: Desk) -> None:
    """An empty repository, scanned on push, and the sources as the exercise finds them."""
    empty_repository().ensure(lab.place)
    take_names(lab.place, (f"{lab.place.registry}/demo-app-repo",), [])
    files = lab.place.files / "09"
    for name in ("Dockerfile", "index.html", "buildspec.yml"):
        (lab.place.workspace.work("09") / name).write_text((files / name).read_text())
    lab.done(f"rm -rf artifacts; {SCAN}")


def solution(lab: Desk, *changes: tuple[str, str]) -> str:
    """The notebook's solution with texts replaced, each of which must be there."""
    found = lab.solution("09.1")
    for old, new in changes:
        assert old in found, old
        found = found.replace(old, new)
    return found


CUT = "$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)"
GATE = "      - labs gate demo-app-repo:$TAG --fail-on CRITICAL\n"
DIGEST = "      - DIGEST=$(aws ecr describe-images --repository-name demo-app-repo --image-ids imageTag=$TAG --query 'imageDetails[0].imageDigest' --output text)\n"  # noqa: E501
PUSH = "      - docker push -q $IMAGE:$TAG\n"
RIGHT = {
    "bash cuts the text": [
        ("version: 0.2\n", "version: 0.2\n\nenv:\n  shell: bash\n"),
        (CUT, "${CODEBUILD_RESOLVED_SOURCE_VERSION:0:7}"),
    ],
    "a stricter gate": [("CRITICAL", "HIGH")],
    "the digest from Docker": [
        (
            DIGEST.partition("=")[2],
            "$(docker inspect --format '{{index .RepoDigests 0}}' $IMAGE:$TAG | cut -d @ -f 2)\n",
        )
    ],
    "a comment, and more in the build": [
        (
            "    commands:\n      - docker build",
            "    commands:\n      - echo building\n      - docker build",
        )
    ],
}
STARTER = [(CUT, "latest"), (DIGEST, ""), ("$IMAGE@$DIGEST", "$IMAGE:$TAG")]
"""The changes that make the cell to fill in out of the solution."""
CACHED = [
    (
        "      - docker build -q",
        "      - docker pull -q $IMAGE:latest || true\n      - docker build -q",
    )
]
WRONG: dict[str, tuple[list[tuple[str, str]], str]] = {
    "the tag written into the file": (
        [(CUT, "9b1d4e7")],
        "TAG=9b1d4e7 | the first seven characters of the commit's id as its tag | what tag does",
    ),
    "the gate deleted": (
        [(GATE, "")],
        "no gate at CRITICAL or below stops the build before imagedefinitions.json is written |",
    ),
    "the gate after the note": (
        [(GATE, ""), ("\nartifacts", f"{GATE}\nartifacts")],
        "no gate at CRITICAL or below stops the build",
    ),
    "a gate that stops nothing": (
        [("--fail-on CRITICAL", "--fail-on CRITICAL || true")],
        "no gate at CRITICAL or below stops the build",
    ),
    "on-failure deleted": (
        [("    on-failure: ABORT\n", "")],
        "after a failed build, post_build still runs | the rest stays",
    ),
    "the test deleted": (
        [("      - sh test.sh\n", "")],
        "no failed test stops the build before the push",
    ),
    "latest moved as well": (
        [
            (
                PUSH,
                PUSH
                + "      - docker tag $IMAGE:$TAG $IMAGE:latest\n"
                + "      - docker push -q $IMAGE:latest\n",
            )
        ],
        "9b1d4e7 and latest are one image | instead of latest",
    ),
    "latest moved by a push without a tag": (
        [
            (
                PUSH,
                PUSH
                + "      - docker tag $IMAGE:$TAG $IMAGE\n"
                + "      - docker push -q $IMAGE\n",
            )
        ],
        "9b1d4e7 and latest are one image",
    ),
    "latest moved by a variable": (
        [
            (
                PUSH,
                PUSH
                + "      - NEWEST=$IMAGE:latest\n"
                + "      - docker tag $IMAGE:$TAG $NEWEST && docker push -q $NEWEST\n",
            )
        ],
        "9b1d4e7 and latest are one image",
    ),
    "by tag": (
        [("$IMAGE@$DIGEST", "$IMAGE:$TAG")],
        "names the image by digest | this is a tag, and a tag can move",
    ),
    "the digest asked for before the push": (
        [(DIGEST, ""), (PUSH, DIGEST.replace(")\n", " || true)\n") + PUSH)],
        "ECR knows it only after the push",
    ),
    "eight characters": ([("1-7", "1-8")], "9b1d4e7c | the first seven characters"),
    "six characters": ([("1-7", "1-6")], "9b1d4e | the first seven characters"),
    "the whole id": (
        [(CUT, "$CODEBUILD_RESOLVED_SOURCE_VERSION")],
        "9b1d4e7c2f5a8063d1e4b7a0c3f6928d5e8b1a47 | the first seven",
    ),
    "no revision in the image": (
        [(" --build-arg REVISION=$CODEBUILD_RESOLVED_SOURCE_VERSION", "")],
        "none | the image of this commit",
    ),
    "no registry in the note": (
        [("$IMAGE@$DIGEST", "demo-app-repo@$DIGEST")],
        "before the @ stands the registry",
    ),
    "quotes that the shell takes": (
        [('"[{\\"name\\":\\"web\\",\\"imageUri\\":\\"$IMAGE@$DIGEST\\"}]"', '"[{name:web}]"')],
        "not a list of one container with name and imageUri",
    ),
    "another container": ([('\\"web\\"', '\\"app\\"')], "name app"),
}


@pytest.mark.usefixtures("project")
def test_the_build_at_first(lab: Desk) -> None:
    seen = lab.after("09.1", "")
    assert seen.startswith("not tried: the tags of demo-app-repo, buildspec.yml and")


@pytest.mark.usefixtures("project")
def test_the_build_as_it_was_is_not_tried(lab: Desk) -> None:
    cells = solution(lab, *STARTER)
    assert lab.after("09.1", cells).startswith("not tried")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("answer", rows(RIGHT, 3))
def test_build_right(lab: Desk, answer: str) -> None:
    seen = lab.after("09.1", solution(lab, *RIGHT[answer]))
    assert seen.startswith("passed: The commit 9b1d4e7 is in the registry")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "changes", [pytest.param([], id="solution"), pytest.param(CACHED, id="cached")]
)
def test_build_right_after_the_starter_cell(lab: Desk, changes: list[tuple[str, str]]) -> None:
    lab.done(solution(lab, *STARTER))
    assert "latest" in lab.shell("aws ecr list-images --repository-name demo-app-repo").stdout
    seen = lab.after("09.1", solution(lab, *changes))
    assert seen.startswith("passed: The commit 9b1d4e7 is in the registry"), seen


@pytest.mark.usefixtures("project")
def test_build_right_after_a_build_that_moved_latest(lab: Desk) -> None:
    lab.done(solution(lab, *WRONG["latest moved as well"][0]))
    assert lab.after("09.1", solution(lab)).startswith("passed")


@pytest.mark.usefixtures("project")
def test_every_tag_pushed_moves_latest(lab: Desk) -> None:
    lab.done(solution(lab, *STARTER))
    every = solution(lab, (PUSH, "      - docker push -q --all-tags $IMAGE\n"))
    assert "9b1d4e7 and latest are one image" in lab.after("09.1", every)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("answer", rows(WRONG, 10))
def test_build_wrong(lab: Desk, answer: str) -> None:
    changes, says = WRONG[answer]
    seen = lab.after("09.1", solution(lab, *changes))
    assert seen.startswith("not yet")
    assert says in seen


@pytest.mark.usefixtures("project")
def test_a_build_that_the_gate_stopped_is_told_so(lab: Desk) -> None:
    lab.done("sed -i.bak 's/nginx:alpine/nginx:1.21-alpine/' Dockerfile")
    seen = lab.after("09.1", solution(lab))
    assert (
        "no such file | imagedefinitions.json names the image by digest | the gate stopped" in seen
    )
    assert "does not pass: 7 CRITICAL at or above CRITICAL" in seen


@pytest.mark.usefixtures("project")
def test_a_file_that_is_no_yaml_is_named_with_its_line(lab: Desk) -> None:
    seen = lab.after("09.1", solution(lab) + "\nsed -i 's/^phases:/phases/' buildspec.yml")
    assert seen.startswith("not yet: buildspec.yml | ")


@pytest.fixture(scope="module")
def releases(lab: Desk) -> None:
    """The two releases of the lesson."""
    empty_repository().ensure(lab.place)
    lab.done("rm -f releases.txt")
    lab.cells("43", "45")
    for release, name in (("4f2a91c", "kept:good"), ("e07b3d5", "kept:bad")):
        lab.done(f"docker tag {lab.place.registry}/demo-app-repo:{release} {name}")


@pytest.fixture
def bad_release(lab: Desk, releases: None) -> None:
    """The bad release is live, whatever an earlier answer did."""
    ecr = lab.place.client("ecr")
    good, bad = (lab.place.workspace.work("09") / "releases.txt").read_text().split()[:2]
    for tag, digest in (("4f2a91c", good), ("e07b3d5", bad), ("production", bad)):
        image = ecr.batch_get_image(  # listed once for each of its tags
            repositoryName="demo-app-repo", imageIds=[{"imageDigest": digest}]
        )["images"][0]
        try:
            ecr.put_image(
                repositoryName="demo-app-repo", imageManifest=image["imageManifest"], imageTag=tag
            )
        except ecr.exceptions.ImageAlreadyExistsException:
            continue


REPOSITORY = "$REGISTRY/demo-app-repo"
BUILD = f"docker build -q -t {REPOSITORY}:"
BACK_RIGHT = {
    "by Docker": f"docker tag kept:good {REPOSITORY}:production; "
    f"docker push -q {REPOSITORY}:production",
    "by digest, from the history": """
manifest=$(aws ecr batch-get-image --repository-name demo-app-repo --image-ids \
 imageDigest=$(head -1 releases.txt) --query 'images[0].imageManifest' --output text)
aws ecr put-image --repository-name demo-app-repo --image-tag production \
 --image-manifest "$manifest"
""",
    "from Python": """python - <<'END'
import boto3
ecr = boto3.client("ecr")
(image,) = ecr.batch_get_image(repositoryName="demo-app-repo",
                               imageIds=[{"imageTag": "4f2a91c"}])["images"]
ecr.put_image(repositoryName="demo-app-repo", imageTag="production",
              imageManifest=image["imageManifest"])
END""",
}
BACK_WRONG = {
    "built anew": (
        f"{BUILD}production --build-arg REVISION=4f2a91c .; docker push -q {REPOSITORY}:production",
        "production names the image that ran before | the image that ran before is still",
    ),
    "built anew under both names": (
        f"{BUILD}4f2a91c --build-arg REVISION=4f2a91c .; docker push -q {REPOSITORY}:4f2a91c; "
        f"docker tag {REPOSITORY}:4f2a91c {REPOSITORY}:production; "
        f"docker push -q {REPOSITORY}:production",
        "production names the image that ran before",
    ),
    "the name taken away": (
        "aws ecr batch-delete-image --repository-name demo-app-repo "
        "--image-ids imageTag=production",
        "no tag production | production names the image that ran before",
    ),
    "the bad tag deleted": (
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids imageTag=e07b3d5; "
        f"docker tag kept:good {REPOSITORY}:production; docker push -q {REPOSITORY}:production",
        "no e07b3d5 any more | delete nothing",
    ),
    "the bad image called good": (
        f"docker tag kept:bad {REPOSITORY}:4f2a91c; docker push -q {REPOSITORY}:4f2a91c",
        "which came before it?",
    ),
    "another image": (
        f"docker tag nginx:alpine {REPOSITORY}:production; docker push -q {REPOSITORY}:production",
        "production names the image that ran before",
    ),
    "the good tag moved after a rollback": (
        f"docker tag kept:good {REPOSITORY}:production; docker push -q {REPOSITORY}:production; "
        f"docker tag nginx:alpine {REPOSITORY}:4f2a91c; docker push -q {REPOSITORY}:4f2a91c",
        "4f2a91c is another image than the one that ran | build nothing",
    ),
}


@pytest.mark.usefixtures("bad_release")
def test_the_bad_release_is_not_tried(lab: Desk) -> None:
    assert lab.after("09.2", "").startswith("not tried: the tags of demo-app-repo, above all")


@pytest.mark.usefixtures("bad_release")
@pytest.mark.parametrize("answer", rows(BACK_RIGHT))
def test_rollback_right(lab: Desk, answer: str) -> None:
    assert lab.after("09.2", BACK_RIGHT[answer]).startswith("passed: production is 4f2a91c again")


@pytest.mark.usefixtures("bad_release")
@pytest.mark.parametrize("answer", rows(BACK_WRONG))
def test_rollback_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("09.2", *BACK_WRONG[answer])
