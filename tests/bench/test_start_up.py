"""Cold start to the first ECR answer, beside moto_server, alternating in one run."""

import statistics
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionError, HTTPClientError

from labs_helpers.sandbox.iam import credentials
from tests.bench.servers import free_port, running, sandbox
from tests.sandbox.killing import KINDS, Clients, begin

pytestmark = pytest.mark.bench

ROUNDS = 7


def until_ecr_answers(command: list[str], port: int, access_key_id: str, secret: str) -> float:
    """Seconds from starting the command to the first repositories listed, none.

    A refusal is no answer: it fails the benchmark.
    """
    client = boto3.client(
        "ecr",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-west-2",
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )
    begun = time.perf_counter()
    with running(command):
        while True:
            try:
                answer = client.describe_repositories()
            except (ConnectionError, HTTPClientError):
                continue
            seconds = time.perf_counter() - begun
            assert answer["repositories"] == []
            return seconds


def test_the_first_ecr_answer_beside_moto_server(tmp_path: Path) -> None:
    ours, peer = [], []
    for turn in range(ROUNDS):
        home = tmp_path / str(turn)
        folder = home / "sandbox"
        folder.mkdir(mode=0o700, parents=True)
        # made before the server is, so that the client can sign with it from the start
        learner = credentials.learner(folder / "learner.json")
        port = free_port()
        module = "labs_helpers.sandbox.server"
        command = [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]
        key_id = learner.principal.access_key_id
        ours.append(until_ecr_answers(command, port, key_id, learner.secret))
        port = free_port()
        moto = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1"]
        # moto_server takes any key
        given = (key_id, learner.secret)
        peer.append(until_ecr_answers([*moto, "-p", str(port)], port, *given))
    one, other = statistics.median(ours), statistics.median(peer)
    print(
        f"\nfirst ECR answer: sandbox {one:.2f} s, moto_server {other:.2f} s ({one / other:.2f}x)"
    )


def test_a_start_with_the_state_of_a_finished_workbook(tmp_path: Path) -> None:
    """Ten of every kind of thing that the services keep, more than the labs leave."""
    full, key = tmp_path / "full", {}
    with sandbox(full) as (_, port, _):
        aws = Clients(full, port)
        begin(aws)
        for kind, (make, _) in KINDS.items():
            for number in range(10):
                make(aws, f"{kind}-{number}")
        key = aws.key
    taken: dict[str, list[float]] = {"empty": [], "full": []}
    for turn in range(ROUNDS):
        empty = tmp_path / f"empty{turn}"
        (empty / "sandbox").mkdir(mode=0o700, parents=True)
        made = credentials.learner(empty / "sandbox" / "learner.json")
        keys = {
            "empty": (made.principal.access_key_id, made.secret),
            "full": (key["access_key_id"], key["secret_access_key"]),
        }
        for name, home in (("empty", empty), ("full", full)):
            taken[name].append(until_all_answer(home, *keys[name]))
    one, other = (statistics.median(taken[name]) for name in ("full", "empty"))
    print(
        f"\nstart until ECR, S3, IAM and SQS have answered: {one:.2f} s with state, "
        f"{other:.2f} s empty ({one - other:+.2f} s)"
    )


def until_all_answer(home: Path, access_key_id: str, secret: str) -> float:
    """Seconds from the start to the answers of four services about what they hold."""
    port = free_port()
    module = "labs_helpers.sandbox.server"
    command = [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]
    made = {
        service: boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-west-2",
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )
        for service in ("ecr", "s3", "iam", "sqs")
    }
    begun = time.perf_counter()
    with running(command):
        while True:
            try:
                made["ecr"].describe_repositories()
                break
            except (ConnectionError, HTTPClientError):
                continue
        made["s3"].list_buckets()
        made["iam"].list_users()
        made["sqs"].list_queues()
        return time.perf_counter() - begun
