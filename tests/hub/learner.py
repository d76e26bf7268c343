"""A learner in front of a hub: logs in by the form, gets a server, runs cells and terminals."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import requests
import websocket

HUB = "http://127.0.0.1:8000"
SECONDS = 900.0
"""Longer than any time-out of the hub, whose own words are then seen."""


class Learner:
    """A browser's session of one learner."""

    def __init__(self, name: str, password: str) -> None:
        self.name, self.password = name, password
        self.session = requests.Session()
        self.base = f"{HUB}/user/{name}"

    def log_in(self) -> None:
        """Log in; raises AssertionError with the page when the hub does not let them in."""
        page = self.session.get(f"{HUB}/hub/login", timeout=300)
        data = {"username": self.name, "password": self.password, "_xsrf": self._cookie("/hub/")}
        page = self.session.post(
            f"{HUB}/hub/login", data=data, timeout=300, headers={"Referer": page.url}
        )
        assert page.status_code < 400, page.status_code
        assert "/login" not in page.url, f"{self.name} is not let in"

    def spawn(self) -> float:
        """Ask for the server and wait until it answers; the seconds that took."""
        begun = time.monotonic()
        page = self.session.get(f"{HUB}/hub/spawn/{self.name}", timeout=300)
        while "/spawn-pending/" in page.url or page.url.startswith(f"{HUB}/hub/"):
            failed = page.status_code >= 400 or "Spawn failed" in page.text
            assert not failed, f"{self.name}: {page.status_code} {page.url}"
            assert time.monotonic() - begun < SECONDS, f"{self.name} waits at {page.url}"
            time.sleep(1)
            page = self.session.get(f"{self.base}/lab", timeout=300)
            if page.status_code in (424, 503):  # the hub's "not running (yet)"
                page = self.session.get(f"{HUB}/hub/spawn-pending/{self.name}", timeout=300)
        assert page.status_code == 200, f"{self.name}: {page.status_code} {page.url}"
        return time.monotonic() - begun

    def stop(self) -> None:
        """Stop the server, as the button in the hub's control panel does."""
        answer = self.session.delete(
            f"{HUB}/hub/api/users/{self.name}/server",
            headers={"X-XSRFToken": self._cookie("/hub/"), "Referer": f"{HUB}/hub/home"},
            timeout=300,
        )
        assert answer.status_code in (202, 204), f"{answer.status_code} {answer.text[:2000]}"

    def api(self, method: str, path: str, document: Any = None) -> Any:
        """What the learner's server answers."""
        headers = {"X-XSRFToken": self._cookie(f"/user/{self.name}/")}
        answer = self.session.request(
            method, f"{self.base}/api/{path}", json=document, headers=headers, timeout=300
        )
        assert answer.status_code < 400, f"{method} {path}: {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def run(self, notebook: str) -> list[str]:
        """Run every code cell of a notebook; the text that each printed. Raises for an error."""
        cells = self.api("GET", f"contents/{notebook}")["content"]["cells"]
        return self.execute(
            notebook, [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        )

    def execute(self, notebook: str, code: Sequence[str]) -> list[str]:
        """Run code in the notebook's kernel; the text that each printed. Raises for an error."""
        wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.api("POST", "sessions", wanted)["kernel"]["id"]
        with closing(self._socket(f"kernels/{kernel}/channels")) as channel:
            return [_executed(channel, each) for each in code]

    def terminal(self, command: str) -> str:
        """What a new terminal shows for a command, up to its end."""
        name = self.api("POST", "terminals")["name"]
        end = uuid.uuid4().hex
        with closing(self._socket(f"terminals/websocket/{name}", api=False)) as channel:
            # in two words, so that the echo of the line is not taken for its end
            channel.send(json.dumps(["stdin", f"{command}; echo {end[:9]}''{end[9:]}\r"]))
            shown = ""
            while end not in shown:
                message = json.loads(channel.recv())
                shown += message[1] if message[0] == "stdout" else ""
        return shown

    def _socket(self, path: str, api: bool = True) -> websocket.WebSocket:
        url = f"{self.base}/{'api/' if api else ''}{path}".replace("http:", "ws:")
        cookies = self.session.cookies
        return websocket.create_connection(
            url,
            timeout=SECONDS,
            origin=HUB,
            cookie="; ".join(f"{each.name}={each.value}" for each in cookies),
        )

    def _cookie(self, path: str) -> str:
        found = [each for each in self.session.cookies if each.name == "_xsrf"]
        exact = [each.value for each in found if each.path == path]
        return str((exact or [each.value for each in found] or [""])[-1])


def _executed(channel: websocket.WebSocket, code: str) -> str:
    message = uuid.uuid4().hex
    header = {"msg_id": message, "msg_type": "execute_request", "session": "x", "username": "x"}
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
    channel.send(
        json.dumps(
            {
                "header": {**header, "version": "5.3"},
                "parent_header": {},
                "metadata": {},
                "content": content,
                "channel": "shell",
                "buffers": [],
            }
        )
    )
    printed = ""
    while True:
        found = json.loads(channel.recv())
        if found["parent_header"].get("msg_id") != message:
            continue
        kind, content = found["msg_type"], found["content"]
        if kind == "stream":
            printed += content["text"]
        elif kind in ("display_data", "execute_result"):
            printed += content["data"].get("text/plain", "")
        elif kind == "error":
            raise AssertionError(f"{code}\n{content['ename']}: {content['evalue']}\n{printed}")
        elif kind == "status" and content["execution_state"] == "idle":
            return printed
