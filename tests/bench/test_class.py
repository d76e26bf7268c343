"""A class of 30 accounts beside one account: making them, and starting with them stored."""

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.bench.servers import free_port, until_listening

pytestmark = pytest.mark.bench

ROUNDS = 5
CLASS = [f"2000000000{number:02}" for number in range(1, 31)]


@contextmanager
def server(home: Path) -> Iterator[int]:
    """A sandbox, killed at the end: what it keeps must not mind."""
    port = free_port()
    module = "labs_helpers.sandbox.server"
    command = [sys.executable, "-m", module, "--home", str(home), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until_listening(port)
            yield port
        finally:
            process.kill()


def made(home: Path, port: int, accounts: list[str]) -> Any:
    token = (home / "sandbox" / "control-token").read_text().strip()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"accounts": [{"account": one} for one in accounts]})
    connection.request("POST", "/_labs/accounts", body, {"Authorization": f"Bearer {token}"})
    told = json.loads(connection.getresponse().read())
    connection.close()
    return told["accounts"]


def identity(port: int, key: dict[str, str]) -> str:
    client = boto3.client(
        "sts",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-west-2",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(retries={"max_attempts": 0}),
    )
    return str(client.get_caller_identity()["Arn"])


def measured(home: Path, accounts: list[str]) -> tuple[float, float]:
    """Seconds to start and make these accounts; to start again until the last one is known."""
    home.mkdir(mode=0o700)
    begun = time.perf_counter()
    with server(home) as port:
        keys = made(home, port, accounts)
        making = time.perf_counter() - begun
    begun = time.perf_counter()
    with server(home) as port:
        assert accounts[-1] in identity(port, keys[-1])
        return making, time.perf_counter() - begun


def test_a_class_of_accounts_beside_one(tmp_path: Path) -> None:
    one, many = [], []
    for turn in range(ROUNDS):
        one.append(measured(tmp_path / f"one-{turn}", CLASS[:1]))
        many.append(measured(tmp_path / f"many-{turn}", CLASS))
    for what, number in (("start and make", 0), ("start again", 1)):
        single, whole = (statistics.median(each[number] for each in times) for times in (one, many))
        print(
            f"\n{what}: 30 accounts {whole:.2f} s, 1 account {single:.2f} s "
            f"({whole / single:.2f}x, {whole - single:+.2f} s)"
        )
