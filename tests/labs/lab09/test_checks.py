"""Lab 09: what its checks say of answers that people give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

from tests.labs.desk import Desk, desk, rows


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    """The lab's beginning, with the git repository and, in its last commit, the ticket's fault."""
    with desk("09") as made:
        made.cells("104")
        made.done(made.solution("09.1").replace('"web', '"app'))
        made.done(f"{starter(made)}\ngit commit -qam 'Rename the container to app'; git tag ticket")
        yield made


def starter(lab: Desk) -> str:
    """The buildspec that the exercise begins with, out of the solution."""
    return solution(lab, *STARTER).partition("git diff")[0]


def solution(lab: Desk, *changes: tuple[str, str]) -> str:
    """The notebook's solution with texts replaced, each of which must be there."""
    found = lab.solution("09.1")
    for old, new in changes:
        assert old in found, old
        found = found.replace(old, new)
    return found


CUT = "$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)"
DIGEST = "      - DIGEST=$(aws ecr describe-images --repository-name demo-app-repo --image-ids imageTag=$TAG --query 'imageDetails[0].imageDigest' --output text)\n"  # noqa: E501
PUSH = "      - docker push -q $IMAGE:$TAG\n"
TEST = "      - sh test.sh\n"
WEB, APP = '\\"web\\"', '\\"app\\"'
STARTER = [(DIGEST, ""), ("$IMAGE@$DIGEST", "$IMAGE:$TAG"), (WEB, APP)]
"""The changes that make the cell to fill in out of the solution."""
COMMIT = 'git diff --quiet HEAD || git commit -q -a -m "Let the release arrive"'


def test_the_first_commit_s_cell_says_nothing_new_the_second_time(lab: Desk) -> None:
    script = next(one.source for one in cells(lab) if one.id == "09-104").partition("\n")[2]
    again = lab.shell(script)
    assert (again.returncode, again.stderr) == (0, "")


def cells(lab: Desk) -> list[Any]:
    return list(nbformat.read(lab.notebook, as_version=4).cells)


# what the commit says already


@pytest.fixture
def ticket(lab: Desk) -> None:
    """The last commit is the ticket's, and a pipeline is there that looks at no commit."""
    lab.done("git reset -q --hard ticket")
    client = lab.place.client("codepipeline")
    try:
        client.get_pipeline(name="demo-app")
    except client.exceptions.PipelineNotFoundException:
        lab.cells("110", "112", "114")
        lab.shell(
            'sed -i.bak \'s/"BranchName": "main"/&, "DetectChanges": "false"/\' pipeline.json'
        )
        lab.cells("118")
        lab.done("cp pipeline.json.bak pipeline.json")
    # the answer of an earlier row may wait where the next one has to come by
    found = client.list_pipeline_executions(pipelineName="demo-app")["pipelineExecutionSummaries"]
    for one in found:
        if one["status"] == "InProgress":
            client.stop_pipeline_execution(
                pipelineName="demo-app",
                pipelineExecutionId=one["pipelineExecutionId"],
                abandon=True,
            )


WRONG: dict[str, tuple[list[tuple[str, str]], str]] = {
    "not committed": (
        [(COMMIT, "")],
        "buildspec.yml | your changes are in the file and in no commit | a commit of yours",
    ),
    "on-failure deleted": (
        [("    on-failure: ABORT\n", "")],
        "after a failed build, post_build still runs | the test before the push",
    ),
    "the test deleted": ([(TEST, "")], "no failed test stops the build before the push"),
    "the test after the push": (
        [(TEST, ""), (PUSH, PUSH + TEST)],
        "no failed test stops the build before the push",
    ),
    "a test that stops nothing": (
        [("sh test.sh", "sh test.sh || true")],
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
        "this pushes the tag latest | tags from the commit's id",
    ),
    "a digest written into the file": (
        [("$IMAGE@$DIGEST", f"$IMAGE@sha256:{'a' * 64}")],
        "this names one image, also after the next commit",
    ),
    "no yaml": ([("phases:\n", "phases\n")], "CodeBuild reads this file"),
    "the gate passes everything": (
        [(COMMIT, f"sed -i.bak 's/CRITICAL/CRITICAL || true/' gate.yml; {COMMIT}")],
        "gate.yml of your last commit | no gate in it can stop a build | the rest stays: the gate",
    ),
    "a gate for one image": (
        [(COMMIT, f"sed -i.bak 's/gate [^ ]*/gate demo-app-repo:1.0.0/' gate.yml; {COMMIT}")],
        "this judges one image, whatever the build has pushed | the rest stays: the gate",
    ),
    "a test that tests nothing": (
        [(COMMIT, f"echo true > test.sh; {COMMIT}")],
        "test.sh of your last commit | it does not look for the end of the page any more",
    ),
    "no gate": (
        [(COMMIT, f"git rm -q gate.yml; {COMMIT}")],
        "gate.yml of your last commit | no such file",
    ),
    "not sent yet": ([], "none of the commit"),
}


@pytest.mark.usefixtures("ticket")
def test_the_ticket_is_not_tried(lab: Desk) -> None:
    seen = lab.after("09.1", "")
    assert seen.startswith("not tried: buildspec.yml of your last commit, the pipeline demo-app")
    assert lab.after("09.1", f"{starter(lab)}\n{COMMIT}").startswith("not tried")


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("answer", rows(WRONG, 13))
def test_a_commit_that_is_wrong(lab: Desk, answer: str) -> None:
    changes, says = WRONG[answer]
    lab.finds_wrong("09.1", solution(lab, *changes), says)


def test_a_pipeline_without_the_gate(lab: Desk, ticket: None) -> None:
    client = lab.place.client("codepipeline")
    before = client.get_pipeline(name="demo-app")["pipeline"]
    stages = [one for one in before["stages"] if one["name"] != "Gate"]
    client.update_pipeline(pipeline={**before, "stages": stages})
    try:
        lab.finds_wrong("09.1", solution(lab), "Source, Build, Approve, Deploy | the rest stays")
    finally:
        client.update_pipeline(pipeline=before)


# what the pipeline makes of the commit

GO = "aws codepipeline start-pipeline-execution --name demo-app"
WATCHED = ("159", "161")
RIGHT = {
    "the digest from Docker": [
        (
            DIGEST.partition("=")[2],
            "$(docker inspect --format '{{index .RepoDigests 0}}' $IMAGE:$TAG | cut -d @ -f 2)\n",
        )
    ],
    "a test of one line": [
        (COMMIT, f"echo \"grep -q '</html>' index.html\" > test.sh; {COMMIT}"),
    ],
    "printf writes the file": [
        (
            f'echo "[{{\\"name\\":{WEB},\\"imageUri\\":\\"$IMAGE@$DIGEST\\"}}]" > ',
            """printf '[{"name":"web","imageUri":"%s"}]' $IMAGE@$DIGEST > """,
        )
    ],
    "bash cuts, and the phases share a variable": [
        ("version: 0.2\n\nenv:\n", "version: 0.2\n\nenv:\n  shell: bash\n"),
        (CUT, "${CODEBUILD_RESOLVED_SOURCE_VERSION:0:7}"),
    ],
}
SENT: dict[str, tuple[list[tuple[str, str]], tuple[str, ...], str]] = {
    "looked at while it runs": (
        [],
        (),
        "is on its way, in the stage",
    ),
    "nobody answers the approval": (
        [],
        ("159",),
        "waits for an answer in the stage Approve | it arrives, sent there by the pipeline",
    ),
    "by tag": (
        [("$IMAGE@$DIGEST", "$IMAGE:$TAG"), (DIGEST, "")],
        WATCHED,
        "imagedefinitions.json names the image by digest | this is a tag, and a tag can move",
    ),
    "another container": (
        [(WEB, APP)],
        WATCHED,
        "Failed, Deploy: The AWS ECS container app does not exist | it arrives",
    ),
    "the digest asked for before the push": (
        [(DIGEST, ""), (PUSH, DIGEST + PUSH)],
        WATCHED,
        "sh log.sh demo-app-build",
    ),
    "eight characters": ([("1-7", "1-8")], WATCHED, "no tag"),
    "quotes that the shell takes": (
        [(f'"[{{\\"name\\":{WEB},\\"imageUri\\":\\"$IMAGE@$DIGEST\\"}}]"', '"[{name:web}]"')],
        WATCHED,
        "Failed, Deploy: The image definition file imagedefinitions.json",
    ),
}


@pytest.mark.usefixtures("ticket")
def test_the_solution_arrives(lab: Desk) -> None:
    seen = lab.after("09.1", f"{solution(lab)}\n{GO}", WATCHED)
    assert seen.startswith("passed: Your commit has arrived"), seen


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("answer", rows(RIGHT, 1))
def test_a_commit_that_arrives(lab: Desk, answer: str) -> None:
    seen = lab.after("09.1", f"{solution(lab, *RIGHT[answer])}\n{GO}", WATCHED)
    assert seen.startswith("passed: Your commit has arrived"), seen


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("answer", rows(SENT, 0))
def test_a_commit_that_does_not_arrive(lab: Desk, answer: str) -> None:
    changes, then, says = SENT[answer]
    lab.finds_wrong("09.1", f"{solution(lab, *changes)}\n{GO}", says, then)
    lab.shell('sh answer.sh Rejected "the next row comes"')
