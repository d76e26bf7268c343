"""A container's page on a hub: the link of ``lab.open`` leads through Jupyter's server."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs_helpers.display.page import address
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
        "ServerApp.jpserver_extensions": "jupyter_server_proxy=True",
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
        process.terminate()
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
