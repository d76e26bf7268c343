"""A registry asked over HTTP: by its own name, as the login it is given."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from labs_helpers.checks.registry import Answer, Registry

HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


class Recording(BaseHTTPRequestHandler):
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({**self.headers, "path": self.path})
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Silent: pytest's output is for results."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, str]]]]:
    Recording.seen = []
    made = HTTPServer(("127.0.0.1", 0), Recording)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}", Recording.seen
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_registry_s_own_name_travels(server: tuple[str, list[dict[str, str]]]) -> None:
    address, seen = server

    found = Registry(HOST, address, ("AWS", "secret")).manifest("demo-app-repo", "latest")

    assert found.status == 200
    assert seen[0]["Host"] == HOST
    assert seen[0]["path"] == "/v2/demo-app-repo/manifests/latest"
    assert seen[0]["Authorization"] == "Basic " + base64.b64encode(b"AWS:secret").decode()
    assert "application/vnd.oci.image.index.v1+json" in seen[0]["Accept"]


def test_without_a_login_nothing_is_shown(server: tuple[str, list[dict[str, str]]]) -> None:
    address, seen = server

    Registry(HOST, address, None).accepts_login()

    assert "Authorization" not in seen[0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errors": [{"code": "NAME_UNKNOWN", "message": "none"}]}', "name unknown: none"),
        (b'{"errors": []}', "HTTP 404"),
        (b"<html>", "HTTP 404"),
        (b"null", "HTTP 404"),
    ],
)
def test_an_error_is_given_in_the_registry_s_words(body: bytes, words: str) -> None:
    assert Answer(404, {}, body).says() == words
