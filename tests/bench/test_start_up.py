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
from tests.bench.servers import free_port, running

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
