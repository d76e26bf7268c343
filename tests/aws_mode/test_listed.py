"""The one list names everything that a lab's cells, solutions and preparations make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_helpers.clean_up.kinds import KINDS
from labs_helpers.clean_up.listed import listed
from labs_helpers.curriculum import LABS
from labs_helpers.on_aws import makes_something, needs_own_key

PROJECT = Path(__file__).parents[2]
FILES_OF = PROJECT / "notebooks" / "files"
NOTEBOOKS = {number: PROJECT / "notebooks" / lab.notebook for number, lab in LABS.items()}

MAKERS = {
    r"iam create-user .*?--user-name (\S+)": "user",
    r"iam create-group .*?--group-name (\S+)": "group",
    r"iam create-role .*?--role-name (\S+)": "role",
    r"iam create-policy .*?--policy-name (\S+)": "policy",
    r"iam create-open-id-connect-provider .*?--url https://(\S+)": "identity provider",
    r"ecr create-repository .*?--repository-name (\S+)": "repository",
    r"ecr create-pull-through-cache-rule .*?--ecr-repository-prefix (\S+)": (
        "pull-through cache rule"
    ),
    r"ecr create-repository-creation-template .*?--prefix (\S+)": "creation template",
    r"secretsmanager create-secret .*?--name (\S+)": "secret",
    r"docker pull .*?\$REGISTRY/((?:labs-public|docker-hub)/[^:\s]+)": "repository",
    r"s3 mb s3://(\S+)": "bucket",
    r"codebuild create-project .*?--name (\S+)": "build project",
    r"codeconnections create-connection .*?--connection-name (\S+)": "connection",
    r"sqs create-queue .*?--queue-name (\S+)": "queue",
    r"events put-rule .*?--name (\S+)": "event rule",
    r"ecs create-cluster .*?--cluster-name (\S+)": "cluster",
    r"ecs create-service .*?--service-name (\S+)": "service",
}
FILES = {
    r"codepipeline create-pipeline .*?file://(\S+)": ("pipeline", "name"),
    r"ecs register-task-definition .*?file://(\S+)": ("task definition", "family"),
}
"""Commands that name what they make in a file: the file's kind and key."""
PARTS = {
    "iam create-access-key": "goes with the user",
    "ecr start-lifecycle-policy-preview": "leaves a preview, which goes with the repository",
    "ecr start-image-scan": "leaves findings, which go with the repository",
    "kms create-key": "on AWS the cell is not run, because a key costs until it is deleted",
    "kms create-alias": "is in the same cell",
    "ecs run-task": "runs a task that stops by itself, or goes with the cluster",
}
"""Other commands that make something, and why they need no row of their own."""
_MAKER = re.compile(
    r"\baws ([a-z0-9-]+ (?:create|register|run|start|allocate|import|request)-[a-z-]+)"
)
REFUSED = {
    ("04", "repository", "Payments/API"): "ECR refuses capitals",
    ("04", "repository", "payments/ledger"): "on AWS the cell is not run",
}
"""What a lab tries to make, and AWS refuses, or the labs."""


def sources(number: str) -> Iterator[str]:
    """The code cells and the solutions of a lab, each command on one line."""
    for cell in json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        found = (
            [text] if cell["cell_type"] == "code" else re.findall(r"# solution\n.*?```", text, re.S)
        )
        yield from (_one_line(one) for one in found)


def _one_line(source: str) -> str:
    """Each command on one line, with the values of variables that are set to plain words."""
    source = source.replace("\\\n", " ")
    for name, value in re.findall(r"^(\w+)=([\w./-]+)$", source, re.MULTILINE):
        source = source.replace(f"${name}", value)
    return source


def made_by(number: str) -> set[tuple[str, str]]:
    """(kind, name) of everything that a lab's commands make."""
    found: set[tuple[str, str]] = set()
    for text in sources(number):
        for pattern, kind in MAKERS.items():
            for name in re.findall(pattern, text):
                place = "demo/" if kind == "service" else ""  # a service's name is its cluster's
                name = place + name.strip(";)'\"").replace("$ACCOUNT", "ACCOUNT")
                found.add((kind, name))
        for pattern, (kind, key) in FILES.items():
            found |= {(kind, named_in(number, file, key)) for file in re.findall(pattern, text)}
    return {one for one in found if (number, *one) not in REFUSED}


def named_in(number: str, file: str, key: str) -> str:
    """The name in a file that comes with a lab; cells derive their own files from demo-app's."""
    path = FILES_OF / number / file
    return str(json.loads(path.read_text())[key]) if path.is_file() else "demo-app"


@pytest.mark.parametrize("number", LABS)
def test_everything_that_a_lab_makes_is_in_the_list(number: str) -> None:
    named = {(one.kind, one.name) for one in listed("ACCOUNT") if number in one.labs}
    assert made_by(number) <= named


@pytest.mark.parametrize("number", LABS)
def test_no_lab_makes_something_of_a_kind_that_clean_up_does_not_know(number: str) -> None:
    known = {re.match(r"[a-z0-9]+ [a-z0-9-]+", pattern)[0] for pattern in [*MAKERS, *FILES]}  # type: ignore[index]
    used = {command for text in sources(number) for command in _MAKER.findall(text)}
    assert used <= known | set(PARTS)


def test_the_commands_are_found_at_all() -> None:
    assert ("user", "labs-dev") in made_by("02")
    assert ("build project", "demo-app-build") in made_by("09")


@pytest.mark.parametrize("number", LABS)
def test_every_cell_that_makes_something_is_marked(number: str) -> None:
    makers = "|".join([*MAKERS, *FILES, r"docker push", r"put_image\("])
    cells = [text for text in sources(number) if re.search(makers, text)]
    assert [text for text in cells if not makes_something(text)] == []


@pytest.mark.parametrize(
    "source",
    [
        "aws sts get-caller-identity",
        "aws ecr describe-repositories --repository-names demo-app-repo",
        "docker build -t demo-app .",
        "lab.check('04.1')",
        "aws s3 ls s3://labs",
    ],
)
def test_a_cell_that_only_looks_is_not_marked(source: str) -> None:
    assert not makes_something(source)


def test_every_cell_with_a_key_of_kms_is_left_out() -> None:
    of_kms = [text for number in LABS for text in sources(number) if "aws kms " in text]
    assert len(of_kms) == 4
    assert all(map(needs_own_key, of_kms))
    left_out = [text for number in LABS for text in sources(number) if needs_own_key(text)]
    assert left_out == of_kms


def test_every_kind_can_be_deleted() -> None:
    assert {one.kind for one in listed("ACCOUNT")} == set(KINDS)


def test_a_bucket_s_name_has_the_account_s_number() -> None:
    buckets = [one.name for one in listed("444455556666") if one.kind == "bucket"]
    assert [name for name in buckets if not name.endswith("-444455556666")] == []
