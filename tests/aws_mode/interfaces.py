"""What AWS has of a task on Fargate and the sandbox has not: a network interface, and its address.

The sandbox runs a task on this machine, at a port of 127.0.0.1. Here the answers of ECS lose that
port, and name an interface instead; EC2 knows the interface's public address; and who asks there
reaches the task. The address holds the port, so that nothing has to be remembered.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

_NETWORK = "198.18."
"""Addresses for tests of networks, which nobody has: https://www.rfc-editor.org/rfc/rfc2544"""
_INTERFACE = re.compile(r"eni-0{12}([0-9a-f]{5})")
_SECONDS = 120


def address(port: int) -> str:
    """The public address of the task that listens to this port."""
    return f"{_NETWORK}{port >> 8}.{port & 255}"


def port_of(address: str) -> int | None:
    """The port behind a public address of a task; None for every other name."""
    if not re.fullmatch(rf"{re.escape(_NETWORK)}\d+\.\d+", address):
        return None
    high, low = address.removeprefix(_NETWORK).split(".")
    return int(high) << 8 | int(low)


def with_interfaces(answer: dict[str, Any]) -> dict[str, Any]:
    """DescribeTasks' answer as AWS gives it for tasks on Fargate.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
    """
    for task in answer.get("tasks", []):
        for container in task["containers"]:
            bindings, container["networkBindings"] = container.get("networkBindings", []), []
            if bindings:
                value = f"eni-{bindings[0]['hostPort']:017x}"
                details = [{"name": "networkInterfaceId", "value": value}]
                kind = "ElasticNetworkInterface"
                task["attachments"] = [{"type": kind, "status": "ATTACHED", "details": details}]
    return answer


def described(interfaces: list[str]) -> str:
    """DescribeNetworkInterfaces' answer on interfaces of tasks."""
    found = "".join(
        f"<item><networkInterfaceId>{one}</networkInterfaceId><association><publicIp>"
        f"{address(int(matched[1], 16))}</publicIp></association></item>"
        for one in interfaces
        if (matched := _INTERFACE.fullmatch(one))
    )
    return (
        '<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<networkInterfaceSet>{found}</networkInterfaceSet></DescribeNetworkInterfacesResponse>"
    )


@contextmanager
def server(sandbox: int) -> Iterator[int]:
    """The port of a server before the sandbox that answers for ECS and EC2 as AWS does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked = parse_qs(body.decode("latin-1"))
            if asked.get("Action") == ["DescribeNetworkInterfaces"]:
                self._answer(200, "text/xml", described(asked["NetworkInterfaceId.1"]).encode())
                return
            way = http.client.HTTPConnection("127.0.0.1", sandbox, timeout=_SECONDS)
            way.request("POST", self.path, body, dict(self.headers))
            found = way.getresponse()
            content, kind = found.read(), found.headers["Content-Type"]
            if self.headers.get("X-Amz-Target", "").endswith(".DescribeTasks"):
                content = json.dumps(with_interfaces(json.loads(content))).encode()
            self._answer(found.status, kind, content)
            way.close()

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the sandbox has a log."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=made.serve_forever, daemon=True)
    serving.start()
    try:
        yield made.server_address[1]
    finally:
        made.shutdown()
        serving.join(30)
        made.server_close()
