"""Builds whose environment is an image: the commands run in a container of the image."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.policies import allow, policy
from tests.sandbox.codebuild import image_room
from tests.sandbox.codebuild.build_room import LOGS, context, phases
from tests.sandbox.codebuild.image_room import IMAGE, PULL, ImageRoom
from tests.sandbox.ecs.task_room import REGISTRY


@pytest.fixture(scope="module")
def room() -> Iterator[ImageRoom]:
    with image_room.running() as made:
        yield made


def test_commands_run_as_root_in_an_image_of_the_learners_own(room: ImageRoom) -> None:
    room.project(
        "own",
        "cat /etc/os-release",
        "echo user $(id -u) variable $OF_THE_IMAGE home $HOME",
        "cd /bin && export MADE=here",
        "pwd; echo $MADE $CODEBUILD_BUILD_IMAGE; unset OF_THE_IMAGE",
        'echo "<${OF_THE_IMAGE-gone}>"',
        "cd $CODEBUILD_SRC_DIR; (sleep 0.2; echo from the background) & echo begun",
        "sleep 1",
        environment=room.environment(),
    )
    build = room.run("own")
    log = room.log(build["id"])
    assert build["buildStatus"] == "SUCCEEDED", log
    assert 'NAME="the box of the tests"' in log
    assert "user 0 variable yes home /root" in log
    assert f"/bin\nhere {IMAGE}\n" in log
    assert "\n<gone>\n" in log
    assert "from the background" in log
    assert "programs of this machine" not in log
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]


def test_a_command_fails_with_its_status_and_the_words_of_codebuild(room: ImageRoom) -> None:
    spec = {
        "version": 0.2,
        "env": {"shell": "bash"},
        "phases": {"build": {"commands": ["echo no bash in the image"]}},
    }
    room.project("no-bash", spec=json.dumps(spec), environment=room.environment())
    build = room.run("no-bash")
    assert context(build, "BUILD") == (
        "COMMAND_EXECUTION_ERROR",
        "Error while executing command: echo no bash in the image. "
        'Reason: exec: "bash": executable file not found in $PATH',
    )
    room.project("three", "exit 3", environment=room.environment())
    assert context(room.run("three"), "BUILD")[1].endswith("Reason: exit status 3")
    gone = ["mkdir gone && cd gone && rm -r $PWD", "echo never"]
    room.project("gone", *gone, environment=room.environment())
    assert "no such file or directory" in context(room.run("gone"), "BUILD")[1]


def test_a_stopped_build_leaves_no_container(room: ImageRoom) -> None:
    script = "trap 'echo told to end; exit 1' TERM; echo begun; sleep 600 & wait"
    room.project("hangs", script, environment=room.environment())
    build_id = room.start("hangs")
    room.log_until(build_id, "\nbegun")
    room.client("codebuild").stop_build(id=build_id)
    build = room.ended(build_id)
    assert build["buildStatus"] == "STOPPED"
    assert phases(build)["BUILD"] == "STOPPED"
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]


def test_codebuild_takes_artifacts_from_the_container(room: ImageRoom) -> None:
    s3 = room.client("s3")
    s3.create_bucket(
        Bucket="made-here", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    role = room.role("uploads", LOGS, PULL, allow("s3:PutObject"))
    spec = {
        "version": 0.2,
        "phases": {
            "build": {
                "commands": ["mkdir out; cat /etc/os-release > out/made; ln -s /etc/passwd out/p"]
            }
        },
        "artifacts": {"base-directory": "out", "files": ["**/*"]},
    }
    room.project(
        "makes",
        spec=json.dumps(spec),
        environment=room.environment(),
        serviceRole=role,
        artifacts={"type": "S3", "location": "made-here"},
    )
    build = room.run("makes")
    assert build["buildStatus"] == "SUCCEEDED", room.log(build["id"])
    listed = s3.list_objects_v2(Bucket="made-here")["Contents"]
    assert [each["Key"] for each in listed] == ["makes/made"]


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        (None, "CannotPullECRContainerError: AccessDeniedException: "),
        (
            allow("ecr:GetAuthorizationToken"),
            "CannotPullContainerError: Error response from daemon: pull access denied for "
            f"{REGISTRY}/box, repository does not exist or may require 'docker login': ",
        ),
    ],
)
def test_a_role_without_rights_pulls_no_image(
    room: ImageRoom, statement: dict[str, object] | None, missing: str
) -> None:
    name = "without" if statement is None else "with-a-token"
    role = room.role(name, LOGS, *([statement] if statement else []))
    room.project(name, "echo never", environment=room.environment(), serviceRole=role)
    build = room.run(name)
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["PROVISIONING"] == "FAILED"
    assert "DOWNLOAD_SOURCE" not in phases(build)
    code, message = context(build, "PROVISIONING")
    assert code == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
    assert message.startswith(f"Unable to pull customer's container image. {missing}")
    assert "is not authorized to perform: ecr:" in message
    assert room.log(build["id"]) == ""


def test_an_image_that_is_not_there(room: ImageRoom) -> None:
    room.project("absent", "echo never", environment=room.environment(f"{REGISTRY}/box:nine"))
    code, message = context(room.run("absent"), "PROVISIONING")
    assert code == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
    assert f"manifest for {REGISTRY}/box:nine not found" in message


def test_codebuild_itself_pulls_what_the_repository_lets_it_pull(room: ImageRoom) -> None:
    room.tasks.client("ecr").create_repository(repositoryName="shared")
    room.tasks.push("shared", "1")
    environment = room.environment(f"{REGISTRY}/shared:1", imagePullCredentialsType="CODEBUILD")
    role = room.role("only-logs", LOGS)
    made = room.project("shared", "cat /etc/os-release", environment=environment, serviceRole=role)
    code, message = context(room.run("shared"), "PROVISIONING")
    assert code == "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"
    assert "ecr:BatchGetImage" in message

    def let_in(project: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Condition": {"StringEquals": {"aws:SourceArn": project}},
        }
        text = policy(statement)
        room.client("ecr").set_repository_policy(repositoryName="shared", policyText=text)

    let_in(made["arn"] + "-other")
    assert context(room.run("shared"), "PROVISIONING")[0] == code
    let_in(made["arn"])
    build = room.run("shared")
    assert build["buildStatus"] == "SUCCEEDED", context(build, "PROVISIONING")
    assert "the box of the tests" in room.log(build["id"])


def test_an_image_of_the_hub_runs_where_it_has_a_shell(room: ImageRoom) -> None:
    alpine = "public.ecr.aws/docker/library/alpine:3.24"
    room.project("hub", "cat /etc/os-release", environment=room.environment(alpine))
    build = room.run("hub")
    log = room.log(build["id"])
    assert "ID=alpine" in log, build["phases"]
    assert "programs of this machine" not in log
    python = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"
    room.project("hub-python", "echo done", environment=room.environment(python))
    log = room.log(room.run("hub-python")["id"])
    assert (
        f"the commands run with the programs of this machine, not in the image {python}: the labs' "
        "stand-in for the image holds no shell" in log
    )


def test_a_build_in_a_container_keeps_to_its_container(room: ImageRoom) -> None:
    home = room.sandbox.home
    room.project(
        "attacks",
        f"cat {home}/sandbox/learner.json || echo refused 1",
        f"echo x > {home}/left || echo refused 2",
        "echo x > /left-in-the-image; echo kept $(cat /left-in-the-image)",
        "kill -9 1; kill -9 -1; echo alive",
        "kill -9 $$; echo never",
        environment=room.environment(),
    )
    build = room.run("attacks")
    log = room.log(build["id"])
    assert build["buildStatus"] == "FAILED"
    assert phases(build)["BUILD"] == "FAILED"
    assert ["refused 1" in log, "refused 2" in log, "kept x" in log] == [True] * 3
    assert "\nalive\n" in log
    assert "\nnever\n" not in log
    assert not (home / "left").exists()
    room.project("after", "cat /left-in-the-image || echo clean", environment=room.environment())
    assert "\nclean\n" in room.log(room.run("after")["id"])


def test_a_fork_bomb_in_a_container_ends_with_the_build(room: ImageRoom) -> None:
    room.project("forks", "f() { f & f; }; f", "sleep 1; echo done", environment=room.environment())
    build = room.run("forks", timeoutInMinutesOverride=5)
    assert build["buildComplete"]
    assert not [each for each in room.tasks.containers() if each.startswith("codebuild-")]
