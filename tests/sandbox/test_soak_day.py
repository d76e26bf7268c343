"""A long day: 60,000 mixed requests, a class of accounts, all labs twice, in one sandbox.

LABS_SOAK_REQUESTS makes the day shorter; LABS_SOAK_LABS=0 leaves the labs out.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from labs_helpers.control_client import Control
from labs_helpers.files import read_json
from labs_helpers.runtime.rotated_log import LONGEST
from labs_helpers.sandbox import process
from labs_helpers.workspace import Workspace
from tests.ports import free_port

pytestmark = pytest.mark.soak

REQUESTS = int(os.environ.get("LABS_SOAK_REQUESTS", "60000"))
LABS_TIMES = int(os.environ.get("LABS_SOAK_LABS", "2"))
ROUNDS = 5
CLIENTS = 3
LIMIT = 300
"""MB, what the sandbox may have resident at the end of the day."""
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"AWS": "123456789012"}}]}'
)


@dataclass(frozen=True)
class Measured:
    """What the process takes: MB, threads, descriptors, and bytes of its log's files."""

    memory: float
    threads: int
    descriptors: int
    log: int


@dataclass(frozen=True)
class Day:
    """The sandbox of the day."""

    workspace: Workspace
    server: process.Server

    def client(self, service: str) -> Any:
        learner = read_json(self.workspace.learner)
        return boto3.session.Session().client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            region_name="us-west-2",
            aws_access_key_id=learner["access_key_id"],
            aws_secret_access_key=learner["secret_access_key"],
            config=Config(retries={"max_attempts": 0}, read_timeout=600),
        )

    def measure(self, what: str) -> Measured:
        found = psutil.Process(self.server.pid)
        logs = sum(one.stat().st_size for one in self.workspace.sandbox.glob("sandbox.log*"))
        memory = found.memory_info().rss / 1e6
        measured = Measured(memory, found.num_threads(), found.num_fds(), logs)
        print(f"\n{what}: {measured}")
        return measured


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    workspace = Workspace(tmp_path / "h", Path(__file__).parents[2])
    environ = {**os.environ, "LABS_PORT": str(free_port())}
    yield Day(workspace, process.start(workspace, print, environ))
    process.stop(workspace, print)


def mixed(day: Day, seed: int, count: int) -> None:
    """Requests of every kind that people send, refused ones among them."""
    chance = random.Random(seed)
    iam, ecr, sts, s3, ec2, ssm, logs = map(
        day.client, ("iam", "ecr", "sts", "s3", "ec2", "ssm", "logs")
    )
    role = {"RoleArn": "arn:aws:iam::123456789012:role/day", "RoleSessionName": "day"}

    def name() -> str:
        return f"n{seed % CLIENTS}-{chance.randrange(20)}"

    kinds: list[Callable[[], Any]] = [
        lambda: iam.create_user(UserName=name()),
        lambda: iam.delete_user(UserName=name()),
        lambda: iam.list_users(),
        lambda: ecr.create_repository(repositoryName=name()),
        lambda: ecr.delete_repository(repositoryName=name(), force=True),
        lambda: ecr.describe_repositories(),
        lambda: ecr.get_authorization_token(),
        lambda: sts.get_caller_identity(),
        lambda: sts.assume_role(**role),
        lambda: s3.put_object(Bucket="day", Key=name(), Body=b"x" * 1000),
        lambda: s3.get_object(Bucket="day", Key=name())["Body"].read(),
        lambda: ec2.describe_vpcs(),
        lambda: ssm.put_parameter(Name=name(), Value="v", Type="String", Overwrite=True),
        lambda: logs.describe_log_groups(),
    ]
    for _ in range(count):
        with suppress(ClientError):
            chance.choice(kinds)()


def test_a_long_day_stays_within_its_bounds(day: Day) -> None:
    """Reported as S15."""
    accounts = [{"account": str(200_000_000_000 + number)} for number in range(30)]
    Control(day.workspace).ask("POST", "accounts", {"accounts": accounts})
    place = {"LocationConstraint": "us-west-2"}
    day.client("s3").create_bucket(Bucket="day", CreateBucketConfiguration=place)
    day.client("iam").create_role(RoleName="day", AssumeRolePolicyDocument=TRUST)
    seen = []
    for turn in range(ROUNDS):
        with ThreadPoolExecutor(CLIENTS) as pool:
            seeds = range(turn * CLIENTS, (turn + 1) * CLIENTS)
            list(pool.map(lambda seed: mixed(day, seed, REQUESTS // ROUNDS // CLIENTS), seeds))
        seen.append(day.measure(f"after {(turn + 1) * REQUESTS // ROUNDS} requests"))
    for _ in range(LABS_TIMES):
        environ = {**os.environ, "LABS_HOME": str(day.workspace.home), "LABS_ENGINE": "embedded"}
        command = [sys.executable, "-m", "labs_helpers.cli", "run", "--here"]
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        seen.append(day.measure("after all labs"))
    assert seen[-1].memory < LIMIT
    assert seen[-1].log < 2 * LONGEST + 100_000
    # a service's worker starts with the first work: the labs' first round adds threads
    for rounds in filter(None, (seen[:ROUNDS], seen[ROUNDS:])):
        first, last = rounds[0], rounds[-1]
        assert last.threads <= first.threads + 2
        assert last.descriptors <= first.descriptors + 4
