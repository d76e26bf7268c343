"""Cold start to the first ECR answer, beside moto_server, alternating in one run."""

import statistics
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from tests.bench.servers import free_port, running

pytestmark = pytest.mark.bench

ROUNDS = 7


def until_ecr_answers(command: list[str], port: int) -> float:
    """Seconds from starting the command to the first ECR answer, an error included."""
    client = boto3.client(
        "ecr",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-west-2",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="example",
        config=Config(retries={"max_attempts": 0}),
    )
    begun = time.perf_counter()
    with running(command):
        while True:
            try:
                client.describe_repositories()
            except ClientError:
                pass  # an answer all the same: our server does not know this key
            except (ConnectionError, HTTPClientError):
                continue
            return time.perf_counter() - begun


def test_the_first_ecr_answer_beside_moto_server(tmp_path: Path) -> None:
    ours, peer = [], []
    for turn in range(ROUNDS):
        home = tmp_path / str(turn)
        home.mkdir(mode=0o700)
        port = free_port()
        module = "labs_helpers.sandbox.server"
        command = [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]
        ours.append(until_ecr_answers(command, port))
        port = free_port()
        moto = str(Path(sys.executable).with_name("moto_server"))
        peer.append(until_ecr_answers([moto, "-H", "127.0.0.1", "-p", str(port)], port))
    one, other = statistics.median(ours), statistics.median(peer)
    print(
        f"\nfirst ECR answer: sandbox {one:.2f} s, moto_server {other:.2f} s ({one / other:.2f}x)"
    )
