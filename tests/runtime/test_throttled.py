"""Clients of the sandbox's services ask again when they are throttled, and for nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from labs_helpers.runtime import throttled


class Answers(HTTPServer):
    """CodeBuild, which refuses with ``codes`` one after the other, and then answers."""

    codes: list[str]
    asked: int = 0


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        self.rfile.read(int(self.headers["Content-Length"]))
        server.asked += 1
        code = server.codes.pop(0) if server.codes else ""
        body = json.dumps({"__type": code, "message": "no"} if code else {"projects": ["a"]})
        self.send_response(400 if code else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Answers]:
    made = Answers(("127.0.0.1", 0), Handler)
    made.codes = []
    serving = threading.Thread(target=made.serve_forever, daemon=True)
    serving.start()
    yield made
    made.shutdown()
    serving.join(30)
    made.server_close()


@pytest.fixture
def client(server: Answers, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(throttled, "_PAUSE", 0)
    return throttled.asks_again(
        Session().create_client(
            "codebuild",
            region_name="us-west-2",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            aws_access_key_id="AKIA",
            aws_secret_access_key="secret",
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
    )


def test_a_throttled_request_is_sent_again(server: Answers, client: Any) -> None:
    server.codes = ["ThrottlingException"] * 4
    assert client.list_projects()["projects"] == ["a"]
    assert server.asked == 5


def test_it_gives_up_in_the_end(server: Answers, client: Any) -> None:
    server.codes = ["ThrottlingException"] * 9
    with pytest.raises(ClientError, match="ThrottlingException"):
        client.list_projects()
    assert server.asked == 5


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalFailure"])
def test_any_other_refusal_is_an_answer(code: str, server: Answers, client: Any) -> None:
    server.codes = [code]
    with pytest.raises(ClientError, match=code):
        client.list_projects()
    assert server.asked == 1
