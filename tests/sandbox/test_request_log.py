"""Every request has one line in the log, with the same fields whatever answers the request."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running, keys_of

REGISTRY = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
LEARNER = "arn:aws:iam::123456789012:user/learner"
LINE = re.compile(
    r"[\d-]+ [\d:,]+ INFO (?P<caller>\S+) (?P<what>\S+|[A-Z]+ /\S*) (?P<status>\d{3})"
    r" (?P<refused>\S+) \d+ ms (?P<id>\S+)"
)


@dataclass
class Logged:
    """A sandbox, and the lines about requests that its log has gained."""

    sandbox: Running
    seen: int = 0

    def lines(self) -> list[dict[str, str]]:
        """The fields of each new line; a line in another form fails the test."""
        new = self.sandbox.log[self.seen :]
        self.seen += len(new)
        found = [LINE.fullmatch(line) for line in new.splitlines() if " ms " in line]
        assert None not in found, new
        return [match.groupdict() for match in found if match]

    def only(self) -> dict[str, str]:
        (line,) = self.lines()
        return line


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    running = sandbox_process.start(tmp_path_factory.mktemp("home"))
    yield Logged(running)
    running.stop()


@pytest.fixture(autouse=True)
def _from_here_on(logged: Logged) -> None:
    logged.lines()


def fields(line: dict[str, str]) -> tuple[str, str, str, str]:
    return line["caller"], line["what"], line["status"], line["refused"]


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**given)
    return str(error.value.response["ResponseMetadata"]["RequestId"])


def test_a_call_of_ecr_and_its_refusal(logged: Logged) -> None:
    ecr = logged.sandbox.client("ecr")
    answer = ecr.create_repository(repositoryName="logged")
    made = logged.only()
    assert fields(made) == (LEARNER, "ecr:CreateRepository", "200", "-")
    assert made["id"] == answer["ResponseMetadata"]["RequestId"]
    told = refused(ecr.create_repository, repositoryName="logged")
    line = logged.only()
    assert fields(line) == (
        LEARNER,
        "ecr:CreateRepository",
        "400",
        "RepositoryAlreadyExistsException",
    )
    assert line["id"] == told


def test_a_push_names_its_caller_and_a_refused_pull_its_code(logged: Logged) -> None:
    token = logged.sandbox.client("ecr").get_authorization_token()["authorizationData"][0]
    login = {"Host": REGISTRY, "Authorization": f"Basic {token['authorizationToken']}"}
    logged.lines()
    logged.sandbox.ask("POST", "/v2/logged/blobs/uploads/?secret=1", b"", login)
    assert fields(logged.only()) == (LEARNER, "POST /v2/logged/blobs/uploads/", "202", "-")
    logged.sandbox.ask("GET", "/v2/none/manifests/latest", None, login)
    assert fields(logged.only()) == (
        LEARNER,
        "GET /v2/none/manifests/latest",
        "404",
        "NAME_UNKNOWN",
    )
    wrong = base64.b64encode(b"AWS:wrong").decode()
    logged.sandbox.ask("GET", "/v2/", None, {"Host": REGISTRY, "Authorization": f"Basic {wrong}"})
    line = logged.only()
    # ECR's word for a password that is no token of ECR's
    assert (line["caller"], line["what"], line["refused"]) == ("-", "GET /v2/", "DENIED")


def test_services_of_moto_and_what_iam_refuses(logged: Logged) -> None:
    logged.sandbox.client("s3").list_buckets()
    assert fields(logged.only()) == (LEARNER, "s3:ListBuckets", "200", "-")
    refused(logged.sandbox.client("s3").list_objects_v2, Bucket="no-such-bucket")
    assert fields(logged.only()) == (LEARNER, "s3:ListObjectsV2", "404", "NoSuchBucket")
    refused(logged.sandbox.client("logs").delete_log_group, logGroupName="none")
    line = logged.only()
    assert fields(line) == (LEARNER, "logs:DeleteLogGroup", "400", "ResourceNotFoundException")
    iam = logged.sandbox.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    logged.lines()
    told = refused(logged.sandbox.client("iam", **keys_of(key)).list_users)
    line = logged.only()
    user = "arn:aws:iam::123456789012:user/nobody"
    assert fields(line) == (user, "iam:ListUsers", "403", "AccessDenied")
    assert line["id"] == told


def test_what_has_no_caller(logged: Logged) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    logged.sandbox.ask("POST", "/", b"Action=ListUsers&Version=2010-05-08", form)
    assert fields(logged.only()) == ("-", "POST /", "403", "MissingAuthenticationToken")
    logged.sandbox.ask("GET", "/_labs/health")
    assert fields(logged.only()) == ("-", "GET /_labs/health", "200", "-")


def test_a_client_cannot_write_a_line_of_its_own(logged: Logged) -> None:
    logged.sandbox.ask("GET", "/v2/%0aINFO%20forged", None, {"Host": REGISTRY})
    assert logged.only()["what"] == "GET /v2/%0aINFO%20forged"


def test_the_next_request_on_a_connection_begins_without_the_last_ones_facts(
    logged: Logged, tmp_path: Path
) -> None:
    ecr = logged.sandbox.client("ecr")
    ecr.describe_registry()
    refused(ecr.describe_repositories, repositoryNames=["no-such-one"])
    ecr.describe_registry()
    codes = [(line["what"], line["refused"]) for line in logged.lines()]
    assert codes == [
        ("ecr:DescribeRegistry", "-"),
        ("ecr:DescribeRepositories", "RepositoryNotFoundException"),
        ("ecr:DescribeRegistry", "-"),
    ]
