"""Lab 10: what its checks say of answers that people give."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.labs.lab10 import checks
from labs_helpers.prepare.docker import built, pushed
from labs_helpers.prepare.people import no_role, no_user, user_with
from labs_helpers.prepare.repositories import empty_repository, no_repository
from tests.labs.desk import Desk, desk, rows

MADE = Path(__file__).parents[3] / "notebooks" / "files" / "10" / "made-by-the-labs.json"
DIGEST = """digest=$(aws ecr describe-images --repository-name demo-app-repo \
 --image-ids imageTag=1.0.0 --query 'imageDetails[0].imageDigest' --output text)"""
REPOSITORY = "$REGISTRY/demo-app-repo"


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("10") as made:
        for step in (
            built("demo-app:other", "07"),
            pushed("demo-app-repo", "1.1.0", "demo-app:other"),
        ):
            step.ensure(made.place)
        yield made


def no_revisions(lab: Desk) -> None:
    ecs = lab.place.client("ecs")
    for arn in ecs.list_task_definitions(familyPrefix="demo-app")["taskDefinitionArns"]:
        ecs.deregister_task_definition(taskDefinition=arn)


@pytest.fixture
def two_revisions(lab: Desk) -> None:
    """What the lesson registered: by tag, and an image that does not exist."""
    no_revisions(lab)
    lab.cells("06", "08")


def register(image: str, more: str = "", before: str = DIGEST) -> str:
    return f"""{before}
sed "s|ACCOUNT|$ACCOUNT|; s|IMAGE|{image}|; {more}" task-definition.json > mine.json
aws ecs register-task-definition --cli-input-json file://mine.json \
 --query taskDefinition.containerDefinitions[0].image
"""


BY_DIGEST = f"{REPOSITORY}@$digest"
RIGHT = {
    "from Python": """python - <<'END'
import boto3, json, os
ecr, ecs = boto3.client("ecr"), boto3.client("ecs")
(image,) = ecr.describe_images(repositoryName="demo-app-repo",
                               imageIds=[{"imageTag": "1.0.0"}])["imageDetails"]
found = json.loads(open("task-definition.json").read().replace("ACCOUNT", os.environ["ACCOUNT"]))
name = os.environ["REGISTRY"] + "/demo-app-repo@" + image["imageDigest"]
found["containerDefinitions"][0]["image"] = name
ecs.register_task_definition(**found)
END""",
    "with a variable and a command for the container": register(
        BY_DIGEST, 's|"essential": true|"essential": true, "command": ["nginx"]|'
    ),
    "twice": register(BY_DIGEST) + register(BY_DIGEST),
    "a slip before": register(f"{REPOSITORY}:latest") + register(BY_DIGEST),
}
WRONG = {
    "the tag again": (
        register(f"{REPOSITORY}:1.0.0"),
        "one more revision, that names the image by digest | this is a tag, and a tag can move",
    ),
    "tag and digest": (
        register(f"{REPOSITORY}:1.0.0@$digest"),
        "before the @ stands the repository, with its registry and without a tag",
    ),
    "the digest of another image": (
        register(BY_DIGEST, before=DIGEST.replace("1.0.0", "1.1.0")),
        "the image of 1.1.0 | the image of 1.0.0 | which digest has 1.0.0 now?",
    ),
    "a digest that is not": (
        register(BY_DIGEST, before=f"digest=sha256:{'b' * 64}"),
        "the image of 1.0.0",
    ),
    "no registry": (register("demo-app-repo@$digest"), "before the @ stands the repository"),
    "an empty digest": (register(BY_DIGEST, before="digest=sha256:"), "a digest is sha256: and 64"),
    "another role": (
        register(BY_DIGEST, "s|demo-app-execution|demo-app-build|"),
        "executionRoleArn in the newest revision of demo-app",
    ),
    "no role": (register(BY_DIGEST, "/executionRoleArn/d"), "null | from task-definition.json"),
    "another container": (
        register(BY_DIGEST, 's|"web"|"app"|'),
        '"app" | from task-definition.json',
    ),
    "another port": (register(BY_DIGEST, "s|80}|8080}|"), "portMappings in the newest revision"),
    "twice the memory": (register(BY_DIGEST, 's|"512"|"1024"|'), '"1024" | from task-definition'),
}
NOT_TRIED = {
    "nothing": "",
    "another family": register(BY_DIGEST, 's|"demo-app"|"mine"|'),
}


@pytest.mark.usefixtures("two_revisions")
@pytest.mark.parametrize("answer", rows(RIGHT))
def test_revision_right(lab: Desk, answer: str) -> None:
    seen = lab.after("10.1", RIGHT[answer])
    assert seen.startswith("passed: Every task of demo-app starts from this one image")


@pytest.mark.usefixtures("two_revisions")
@pytest.mark.parametrize("answer", rows(WRONG))
def test_revision_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("10.1", *WRONG[answer])


@pytest.mark.usefixtures("two_revisions")
@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_revision_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("10.1", NOT_TRIED[answer]).startswith("not tried: the newest revision")


def test_before_the_lesson_s_cells_nothing_is_tried(lab: Desk) -> None:
    no_revisions(lab)
    assert lab.after("10.1", "").startswith("not tried")
    lab.cells("06")
    assert lab.after("10.1", "").startswith("not tried")


@pytest.fixture
def leftovers(lab: Desk) -> None:
    """What the second exercise finds: the names are what counts, so the repository is empty."""
    no_revisions(lab)
    no_role("demo-app-execution").ensure(lab.place)
    no_user("ada").ensure(lab.place)
    for name in ("hello-labs", "production", "team-a/api"):
        no_repository(name).ensure(lab.place)
    empty_repository().ensure(lab.place)
    user_with("labs-ci", "AmazonEC2ContainerRegistryPowerUser").ensure(lab.place)
    lab.place.client("iam").create_access_key(UserName="labs-ci")
    lab.shell("aws s3 mb s3://labs-cli-$ACCOUNT")
    lab.cells("05", "06")


ALL_GONE = {
    "repository": "aws ecr delete-repository --repository-name demo-app-repo --force",
    "bucket": "aws s3 rb s3://labs-cli-$ACCOUNT --force",
    "user": """key=$(aws iam list-access-keys --user-name labs-ci \
 --query 'AccessKeyMetadata[0].AccessKeyId' --output text)
aws iam delete-access-key --user-name labs-ci --access-key-id $key
aws iam detach-user-policy --user-name labs-ci --policy-arn \
 arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser
aws iam delete-user --user-name labs-ci""",
    "role": """aws iam detach-role-policy --role-name demo-app-execution --policy-arn \
 arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy
aws iam delete-role --role-name demo-app-execution""",
    "task definition": """for one in $(aws ecs list-task-definitions --family-prefix demo-app \
 --query 'taskDefinitionArns[]' --output text); do
  aws ecs deregister-task-definition --task-definition $one --query taskDefinition.status
done""",
}


def but(kind: str, instead: str = "") -> str:
    """Everything deleted but one kind."""
    return "\n".join([*(how for name, how in ALL_GONE.items() if name != kind), instead])


CLEAN_RIGHT = {
    "everything": but(""),
    "in another order": "\n".join(reversed(list(ALL_GONE.values()))),
    "and things of one's own stay": but("")
    + "\naws ecr create-repository --repository-name production"
    + "\naws iam create-user --user-name ada",
}
CLEAN_WRONG = {
    "the repository kept": (
        but(
            "repository",
            "aws ecr batch-delete-image --repository-name demo-app-repo "
            "--image-ids imageTag=latest",
        ),
        "repository demo-app-repo | delete the rest",
    ),
    "the bucket kept": (but("bucket"), "bucket labs-cli-123456789012 | delete the rest"),
    "the user not deleted, for its key": (
        but("user", "aws iam delete-user --user-name labs-ci"),
        "user labs-ci | delete the rest",
    ),
    "the role not deleted, for its policy": (
        but("role", "aws iam delete-role --role-name demo-app-execution"),
        "role demo-app-execution | delete the rest: repository, bucket, user, role",
    ),
    "the revisions kept": (but("task definition"), "task definition demo-app:"),
    "one revision kept": (
        but("") + "\ncp task-definition.json one.json; sed -i s/ACCOUNT/$ACCOUNT/ one.json; "
        "aws ecs register-task-definition --cli-input-json file://one.json",
        "a task definition goes revision by revision",
    ),
    "another lab's repository kept": (
        but("") + "\naws ecr create-repository --repository-name hello-labs",
        "repository hello-labs | delete the rest",
    ),
}


@pytest.mark.usefixtures("leftovers")
def test_everything_still_there_is_not_tried(lab: Desk) -> None:
    assert lab.after("10.2", "").startswith("not tried: what the labs made, by name")


@pytest.mark.usefixtures("leftovers")
@pytest.mark.parametrize("answer", rows(CLEAN_RIGHT))
def test_clean_right(lab: Desk, answer: str) -> None:
    assert lab.after("10.2", CLEAN_RIGHT[answer]).startswith("passed: Nothing of the labs is left")


@pytest.mark.usefixtures("leftovers")
@pytest.mark.parametrize("answer", rows(CLEAN_WRONG))
def test_clean_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("10.2", *CLEAN_WRONG[answer])


def test_the_check_and_the_learners_list_have_the_same_names() -> None:
    listed = json.loads(MADE.read_text())
    assert listed == {
        "repositories": list(checks.REPOSITORIES),
        "task definitions": [checks.FAMILY],
        "users": list(checks.USERS),
        "roles": list(checks.ROLES),
        "buckets": [f"{name}-ACCOUNT" for name in checks.BUCKETS],
    }
