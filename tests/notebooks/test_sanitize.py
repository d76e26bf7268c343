"""What the sanitiser takes out before outputs are compared, and above all what it leaves.

tests/notebooks/test_cli_2.py says what it takes out of the errors of version 2 of the AWS CLI.
"""

import configparser
import re
from pathlib import Path

import pytest

CONFIG = Path(__file__).with_name("sanitize.cfg")


def sanitised(text: str) -> str:
    rules = configparser.RawConfigParser()
    rules.read(CONFIG)
    for name in rules.sections():
        text = re.sub(rules[name]["regex"], rules[name]["replace"], text)
    return text


def test_it_stays_short() -> None:
    rules = configparser.RawConfigParser()
    rules.read(CONFIG)
    assert rules.sections() == ["iam-unique-id", "kms-key-id", "time", "words-of-cli-2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"UserId": "AIDAQX7L3RZPQOB4H2YKJ"', '"UserId": "<unique id>"'),
        ("AROAIOSFODNN7EXAMPLE1:session", "<unique id>:session"),
        (
            "123456789012:key/6a3e5143-4678-41b4-b0f9-476bdb9567e6 is disabled.",
            "123456789012:key/<key id> is disabled.",
        ),
        ("2026-11-02T09:00:00Z", "<time>"),
        ("2026-11-02T09:00:00.123456+00:00", "<time>"),
        ("2026-11-02 09:00:00", "<time>"),
        ("[Container] 2026/11/02 09:00:00.123456 Entering", "[Container] <time> Entering"),
    ],
)
def test_ids_and_times_are_taken_out(text: str, expected: str) -> None:
    assert sanitised(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com/demo-app-repo:latest",
        "arn:aws:iam::123456789012:user/learner",
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "2.1 MB, 3 layers, in 12 hours",
        '"Version": "2012-10-17"',
        "CVE-2026-11022",
        "An error occurred (AccessDenied) when calling the GetUser operation: no",
        "the size is 1795905999 bytes",
    ],
)
def test_what_teaches_is_compared_as_it_stands(text: str) -> None:
    assert sanitised(text) == text
