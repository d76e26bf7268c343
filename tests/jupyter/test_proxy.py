"""A container's page on a hub: the link of ``lab.open`` leads through Jupyter's server."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path

import pytest

from labs_helpers.display.page import address
from labs_helpers.jupyter import pages
from tests.deadline import deadline, until
from tests.engine.containers.conftest import client_of
from tests.ports import free_port

PREFIX = "/user/x/"
TOKEN = "of-this-test"


@contextmanager
def jupyter(folder: Path) -> Iterator[str]:
    """The address of a Jupyter server as JupyterHub starts one for the user x."""
    port = free_port()
    options = {
        "ServerApp.base_url": PREFIX,
        "ServerApp.port": port,
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.root_dir": folder,
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "ServerApp.jpserver_extensions": f"{pages.NAME}=True",
        "IdentityProvider.token": TOKEN,
    }
    # nothing of this machine's settings, and no extension beside the proxy
    variables = {"JUPYTER_NO_CONFIG": "1", "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder)}
    variables |= {"JUPYTER_RUNTIME_DIR": str(folder), "JUPYTER_DATA_DIR": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter_server"),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    found = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or status(f"{found}{PREFIX}api") == 200, 150)
        assert process.poll() is None, (folder / "log").read_text()
        yield found
    finally:
        # no test of how it ends: sometimes never, https://github.com/jupyterlab/jupyterlab/issues/10442
        process.kill()
        process.wait(60)


def fetch(place: str) -> bytes:
    """What is at an address, for a browser that is logged in."""
    request = urllib.request.Request(place, headers={"Authorization": f"token {TOKEN}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return bytes(opener.open(request, timeout=60).read())


def status(place: str) -> int:
    """The status of the answer, 0 for none."""
    try:
        fetch(place)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
    return 200


@pytest.mark.skipif(sys.platform != "linux", reason="containers need Linux")
def test_a_page_is_reached_through_the_proxy(tmp_path: Path) -> None:
    script = "mkdir /www; echo page > /www/index.html; httpd -f -p 80 -h /www"
    with deadline(400), client_of("own") as client:
        found = client.containers.run(
            "box", ["sh", "-c", script], ports={"80/tcp": None}, detach=True
        )
        found.reload()
        port = int(found.ports["80/tcp"][0]["HostPort"])
        with jupyter(tmp_path) as server:
            place = server + address(port, {"JUPYTERHUB_SERVICE_PREFIX": PREFIX})
            assert place.startswith(f"{server}{PREFIX}proxy/")
            until(lambda: status(place) == 200)
            assert fetch(place) == b"page\n"
            # somebody else on the hub gets the login page, or nothing
            stranger = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with pytest.raises(urllib.error.HTTPError) as refused:
                stranger.open(urllib.request.Request(place, method="POST", data=b""), timeout=60)
            refused.value.close()
            assert refused.value.code == 403
        found.remove(force=True)


class _Page(http.server.BaseHTTPRequestHandler):
    """Answers what it was asked, and tries to set what holds for all of Jupyter."""

    def do_GET(self) -> None:
        said = f"{self.requestline}\n{self.headers}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "_xsrf=chosen; Path=/")
        self.send_header("Service-Worker-Allowed", "/")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def page() -> Iterator[int]:
    """The port of a page's server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def asked(place: str, **headers: str) -> tuple[int, Message, str]:
    """Status, headers and content of the answer to a learner's browser."""
    sent = {"Authorization": f"token {TOKEN}", "Cookie": "hub=secret", "X-XSRFToken": "secret"}
    sent |= {"Referer": f"{place}?token=secret", **headers}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(place, headers=sent), timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def test_a_page_does_not_get_what_the_learner_may_do(tmp_path: Path) -> None:
    """Its program is a container's, which a stranger may have made."""
    with deadline(400), page() as port, jupyter(tmp_path) as server:
        proxy = f"{server}{PREFIX}proxy"
        for accept in ("text/html", "text/event-stream"):  # the proxy sends these in two ways
            found = asked(f"{proxy}/{port}/x?a=1&token={TOKEN}&b=2", Accept=accept)
            status, headers, said = found
            assert status == 200
            assert said.startswith("GET /x?a=1&b=2 HTTP/1.1\n")
            assert "secret" not in said
            assert TOKEN not in said
            assert not [each for each in headers.get_all("Set-Cookie") or () if "chosen" in each]
            assert "Service-Worker-Allowed" not in headers
            policy = headers["Content-Security-Policy"]
            assert "script-src 'none'" in policy
            assert "allow-scripts" not in policy
        # the proxy has no way to the port but this one
        for place in (f"absolute/{port}", f"localhost:{port}", f"absolute/127.0.0.1:{port}"):
            assert asked(f"{proxy}/{place}/x")[0] == 404
