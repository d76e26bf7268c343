"""Every open operation, called with plain values and with hostile ones: an error, or words.

Nothing connects, starts or is written outside the sandbox's folder: `Confined` (confinement.py) is
raised in the sandbox's process by whatever tries, and the answer would say what was tried.
"""

from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.checks.outcome import NotYet
from labs_helpers.checks.verdict import verdict
from labs_helpers.display.bars import bars
from labs_helpers.display.rendering import framed, paragraph, rows_html, table
from tests.sandbox.moto import mutations
from tests.sandbox.moto.mutations import HOSTILE
from tests.sandbox.sandbox_process import Running

QUICK = 12
"""Of this many operations, `make test` calls one."""

FAILS = "with these parameters; it exists on AWS."
"""What is said when moto failed at a request that the model allows."""


class Ear:
    """A server on loopback that notes whether anybody connects."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.heard = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            self._socket.accept()[0].close()
        except OSError:
            return
        self.heard.set()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    yield found
    found.close()


class Caller:
    """Calls without botocore's own checks, and what each was answered with."""

    def __init__(self, sandbox: Running) -> None:
        self._sandbox = sandbox
        self._clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, params: dict[str, Any]) -> tuple[int, str]:
        """(status, code and message); 0 for a call that botocore cannot write at all."""
        config = Config(retries={"max_attempts": 0}, parameter_validation=False)
        if service not in self._clients:
            self._clients[service] = self._sandbox.client(service, config=config)
        client = self._clients[service]
        methods = {name: call for call, name in client.meta.method_to_api_mapping.items()}
        try:
            answer = getattr(client, methods[operation])(**params)
        except ClientError as error:
            told = error.response
            status = told["ResponseMetadata"]["HTTPStatusCode"]
            return status, f"{told['Error']['Code']}: {told['Error']['Message']}"
        except (BotoCoreError, KeyError, TypeError, ValueError, AttributeError) as error:
            return 0, f"{type(error).__name__}: {error}"
        return int(answer["ResponseMetadata"]["HTTPStatusCode"]), ""


def failures(sandbox: Running, step: int, count: int) -> tuple[list[str], list[str], int]:
    """(faults of the sandbox, requests that moto failed at, calls) of each step-th operation."""
    call, faults, refused, number = Caller(sandbox), [], [], 0
    for service, operation in mutations.operations()[::step]:
        chance = random.Random(f"{service} {operation}")
        for name, asked, params in mutations.calls(service, operation, chance, count):
            status, told = call(name, asked, params)
            number += 1
            if status >= 500 and not told.startswith(("NotInSandbox: ", "501: Not Implemented")):
                faults.append(f"{service}:{asked} {status} {told} for {params}")
            if FAILS in told:
                refused.append(f"{service}:{asked} {told} for {params}")
    return faults, refused, number


def test_what_is_asked_oddly_is_answered_in_words(sandbox: Running) -> None:
    """Reported as D12."""
    before = set(Path("/tmp").iterdir())
    faults, refused, number = failures(sandbox, QUICK, 3)
    assert faults == []
    assert len(refused) <= number // 20, refused
    assert not [path for path in set(Path("/tmp").iterdir()) - before if "labs-was" in path.name]
    assert "Confined" not in sandbox.log


@pytest.mark.soak
def test_whatever_is_asked_of_whichever_operation(sandbox: Running) -> None:
    """Moto fails at few; each is refused in words."""
    faults, refused, number = failures(sandbox, 1, 8)
    assert faults == []
    assert len(refused) <= number // 20, refused
    assert not Path("labs-was-here").exists()


URL = "http://127.0.0.1:{}/"


def _template(properties: dict[str, Any], kind: str) -> str:
    return json.dumps({"Resources": {"A": {"Type": kind, "Properties": properties}}})


def test_no_url_of_a_request_is_connected_to(sandbox: Running, ear: Ear) -> None:
    """Reported as D7."""
    url = URL.format(ear.port)
    call = Caller(sandbox)
    topic = {"TopicName": "t", "Subscription": [{"Protocol": "http", "Endpoint": url}]}
    capable = {"Capabilities": ["CAPABILITY_IAM"]}
    provider = {"Url": url.replace("http:", "https:"), "ClientIDList": ["x"]}
    for service, operation, params in (
        ("sns", "CreateTopic", {"Name": "plain"}),
        (
            "sns",
            "Subscribe",
            {
                "TopicArn": "arn:aws:sns:us-west-2:123456789012:plain",
                "Protocol": "http",
                "Endpoint": url,
            },
        ),
        (
            "cloudformation",
            "CreateStack",
            {"StackName": "t", "TemplateBody": _template(topic, "AWS::SNS::Topic"), **capable},
        ),
        ("cloudformation", "CreateStack", {"StackName": "u", "TemplateURL": url}),
        ("cloudformation", "ValidateTemplate", {"TemplateURL": url}),
        ("iam", "CreateOpenIDConnectProvider", provider),
        ("s3", "CreateBucket", {"Bucket": "labs-bucket"}),
        ("s3", "CopyObject", {"Bucket": "labs-bucket", "Key": "k", "CopySource": url}),
        ("sqs", "SendMessage", {"QueueUrl": f"{url}123456789012/q", "MessageBody": "x"}),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "Targets": [{"Id": "1", "Arn": "arn:aws:events:x:1:api-destination/d"}]},
        ),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:us-west-2:123456789012:t", "Message": "x"}),
    ):
        call(service, operation, params)
    assert not ear.heard.is_set()


@pytest.mark.parametrize("text", [text for text in HOSTILE if "<" in text])
def test_what_others_named_is_shown_as_text(text: str) -> None:
    """A name, a message or a tag that somebody chose is never markup in JupyterLab."""
    drawn = (
        paragraph(text).html,
        rows_html([(text, text)]),
        table([text], [[text]]).html,
        framed("red", text, ""),
        bars([(text, 1.0, text)]).html,
        verdict("01.1", NotYet(text, text, text, text)).html,
    )
    for html in drawn:
        assert "<script" not in html
        assert "<img" not in html
        assert "<x>" not in html


def test_the_process_still_answers(sandbox: Running) -> None:
    assert sandbox.process.poll() is None
    assert sandbox.client("sts").get_caller_identity()["Account"] == "123456789012"
