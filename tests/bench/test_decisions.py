"""A decision with twenty policies attached, beside moto's own, alternating in one run."""

import json
import statistics
import time
from collections.abc import Callable

import pytest
from moto.iam.access_control import IAMPolicy

from labs_helpers.sandbox.policy.document import parse
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Kind, Policies, Policy
from labs_helpers.sandbox.policy.request import Caller, Request

pytestmark = pytest.mark.bench

ACCOUNT = "123456789012"
DEV = f"arn:aws:iam::{ACCOUNT}:user/dev"
ROUNDS = 4000

#: twenty policies of three statements: names, patterns, a condition, a variable, a deny
TEXTS = [
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["ecr:Get*", "ecr:BatchGetImage", f"s3:Get{number}*", "ecr:Put*"],
                    "Resource": [
                        f"arn:aws:ecr:*:{ACCOUNT}:repository/team-{number}/*",
                        "arn:aws:s3:::bucket/${aws:username}/*",
                    ],
                },
                {
                    "Effect": "Allow",
                    "Action": "ecr:*",
                    "Resource": f"arn:aws:ecr:us-west-2:*:repository/demo-{number}*",
                    "Condition": {
                        "StringLike": {"aws:PrincipalTag/team": f"team-{number}*"},
                        "IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "127.0.0.0/8"]},
                    },
                },
                {
                    "Effect": "Deny",
                    "NotAction": ["iam:*", "sts:*", "ecr:*", "s3:*"],
                    "Resource": "*",
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        }
    )
    for number in range(20)
]
CONTEXT = {
    "aws:username": ("dev",),
    "aws:principaltag/team": ("team-19",),
    "aws:sourceip": ("127.0.0.1",),
    "aws:securetransport": ("true",),
}


def requests(count: int) -> list[Request]:
    """Each asks for another repository, so that nothing is answered from a memory of it."""
    caller = Caller(ACCOUNT, DEV, DEV)
    return [
        Request(
            caller,
            "ecr:PutImage",
            f"arn:aws:ecr:us-west-2:{ACCOUNT}:repository/demo-19-{number}",
            ACCOUNT,
            CONTEXT,
        )
        for number in range(count)
    ]


def seconds_of(decide: Callable[[Request], object], asked: list[Request]) -> list[float]:
    taken = []
    for one in asked:
        begun = time.perf_counter()
        decide(one)
        taken.append(time.perf_counter() - begun)
    return taken


def test_a_decision_with_twenty_policies_beside_moto() -> None:
    held = Policies(
        identity=tuple(
            Policy(Kind.IDENTITY, str(number), parse(text)) for number, text in enumerate(TEXTS)
        )
    )
    theirs = [IAMPolicy({"policy_document": text}) for text in TEXTS]
    assert evaluate(requests(1)[0], held).allowed

    ours, peer = [], []
    for _ in range(4):
        ours += seconds_of(lambda one: evaluate(one, held), requests(ROUNDS // 4))
        peer += seconds_of(
            lambda one: [each.is_action_permitted(one.action, one.resource) for each in theirs],
            requests(ROUNDS // 16),
        )
    one, other = statistics.median(ours), statistics.median(peer)
    print(
        f"\ndecision with 20 policies: sandbox {one * 1e3:.3f} ms, "
        f"moto {other * 1e3:.3f} ms ({one / other:.2f}x)"
    )
    assert one < other


def test_reading_the_twenty_policies() -> None:
    """Once a text: paid when a policy is first met, not at each decision."""
    begun = time.perf_counter()
    for number, text in enumerate(TEXTS):
        parse(text + " " * (number + 1))
    taken = time.perf_counter() - begun
    print(f"\nreading 20 policies: {taken * 1e3:.2f} ms")
