"""A load balancer's listener over real connections: answers, failures, limits and a slow target."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from labs_helpers.runner.balancer import health, relay
from labs_helpers.runner.balancer.health import Found
from labs_helpers.runner.balancer.relay import Relay


class Target(ThreadingHTTPServer):
    """Answers with what was sent; /slow waits for `go`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.go = threading.Event()
        self.asked = threading.Event()
        self.status = 200

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: Target

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.server.asked.set()
            assert self.server.go.wait(30)
        self._answer(self.headers.get("X-Forwarded-For", "nobody").encode())

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:
        """Answers with the body in its chunks, and whatever comes after."""
        self.connection.settimeout(0.2)
        found = b""
        with contextlib.suppress(TimeoutError):
            while part := self.rfile.read1(65536):
                found += part
        self._answer(found)

    def _answer(self, body: bytes) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(bind: int, *ports: int, action: dict[str, Any] | None = None) -> dict[str, Any]:
    """One listener whose group has healthy targets at these ports."""
    chosen = action or {"Type": "forward", "TargetGroupArn": "group"}
    targets = [{"id": "127.0.0.1", "port": each, "state": "healthy"} for each in ports]
    rules = [{"conditions": [], "actions": [chosen]}]
    return {
        "listeners": [{"arn": "listener", "port": 80, "bind": bind, "rules": rules}],
        "groups": {"group": {"targets": targets}},
    }


async def send(port: int, data: bytes) -> tuple[bytes, bytes]:
    """(status line, body) of the answer to some bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await writer.drain()
    head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
    writer.close()
    return head.partition(b"\r\n")[0], body


async def get(port: int, path: str = "/") -> tuple[bytes, bytes]:
    return await send(port, f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())


@contextlib.asynccontextmanager
async def serving(told: dict[str, Any]) -> Any:
    served = Relay()
    assert await served.apply(told) == []
    try:
        yield served
    finally:
        await served.close()


def test_a_request_with_a_body_reaches_the_target(target: Target) -> None:
    body = b"x" * 300_000
    head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def ask() -> tuple[bytes, bytes]:
        port = free_port()
        async with serving(found(port, target.port)):
            assert await get(port) == (b"HTTP/1.0 200 OK", b"127.0.0.1")
            return await send(port, head + body)

    assert asyncio.run(ask()) == (b"HTTP/1.0 200 OK", body)


def test_failures_have_the_statuses_of_aws(target: Target) -> None:
    dead, fixed = free_port(), {"StatusCode": "418", "MessageBody": "tea"}

    async def ask() -> None:
        port = free_port()
        async with serving(found(port, dead)) as served:
            assert (await get(port))[0] == b"HTTP/1.1 502 Bad Gateway"
            assert (await send(port, b"nonsense\r\n\r\n"))[0] == b"HTTP/1.1 400 Bad Request"
            large = b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"
            assert (await send(port, large))[0] == b"HTTP/1.1 400 Bad Request"
            await served.apply(found(port))
            assert (await get(port))[0] == b"HTTP/1.1 503 Service Unavailable"
            answer = {"Type": "fixed-response", "FixedResponseConfig": fixed}
            await served.apply(found(port, action=answer))
            assert (await get(port))[1] == b"tea"

    asyncio.run(ask())


def test_a_slow_request_ends_although_its_target_was_taken_away(target: Target) -> None:
    async def ask() -> tuple[bytes, bytes]:
        port = free_port()
        async with serving(found(port, target.port)) as served:
            slow = asyncio.ensure_future(get(port, "/slow"))
            await asyncio.to_thread(target.asked.wait, 30)
            key = ("group", "127.0.0.1", target.port)
            assert served.active[key] == 1
            await served.apply(found(port))
            assert (await get(port))[0] == b"HTTP/1.1 503 Service Unavailable"
            target.go.set()
            answer = await slow
            await asyncio.wait_for(served.emptied.wait(), 30)
            assert served.active[key] == 0
            return answer

    assert asyncio.run(ask())[0] == b"HTTP/1.0 200 OK"


def test_connections_are_bounded(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "MOST", 2)

    async def ask() -> bytes:
        port = free_port()
        async with serving(found(port, target.port)):
            held = [asyncio.ensure_future(get(port, "/slow")) for _ in range(2)]
            await asyncio.to_thread(target.asked.wait, 30)
            while (answer := await get(port))[0] == b"HTTP/1.0 200 OK":
                pass  # the second of the two is not there yet
            target.go.set()
            assert [each[0] for each in await asyncio.gather(*held)] == [b"HTTP/1.0 200 OK"] * 2
            return answer[0]

    assert asyncio.run(ask()) == b"HTTP/1.1 503 Service Unavailable"


def test_a_taken_port_is_told_and_a_listener_that_goes_is_closed(target: Target) -> None:
    async def ask() -> None:
        port, served = free_port(), Relay()
        with contextlib.closing(socket.create_server(("127.0.0.1", port))):
            assert await served.apply(found(port, target.port)) == [("listener", port)]
        assert await served.apply(found(port, target.port)) == []
        assert (await get(port))[0] == b"HTTP/1.0 200 OK"
        await served.apply({"listeners": [], "groups": {}})
        with pytest.raises(ConnectionRefusedError):
            await get(port)
        await served.close()

    asyncio.run(ask())


def test_checks_find_a_target_healthy_then_unhealthy_and_say_why(target: Target) -> None:
    check = {
        "path": "/",
        "port": "traffic-port",
        "interval": 0.02,
        "timeout": 5,
        "healthy": 2,
        "unhealthy": 2,
        "codes": "200",
    }
    told: list[Found] = []

    async def look() -> None:
        changed: asyncio.Queue[Found] = asyncio.Queue()
        watching = asyncio.ensure_future(health.watch(check, "127.0.0.1", target.port, changed.put))
        for status in (404, 200, 200):
            told.append(await asyncio.wait_for(changed.get(), 30))
            target.status = status
        watching.cancel()

    asyncio.run(look())
    assert told == [
        Found("healthy"),
        Found(
            "unhealthy",
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [404]",
        ),
        Found("healthy"),
    ]


MALFORMED = [
    "GET /\nX: y HTTP/1.1\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\nX-Forwarded-For: 10.0.0.1",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\rTransfer-Encoding: chunked",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b",
    "GET / HTTP/1.1\r\nX: no host",
    "GET / HTTP/1.9\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r\nX : y",
    "GET / HTTP/1.1\r\nHost: a\r\n folded: y",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x-chunked",
    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked",
]


def test_no_target_gets_a_head_that_two_programs_may_read_in_two_ways(target: Target) -> None:
    async def ask() -> list[bytes]:
        port = free_port()
        async with serving(found(port, target.port)):
            sent = [await send(port, f"{each}\r\n\r\n".encode("latin-1")) for each in MALFORMED]
            return [status for status, _ in sent]

    assert asyncio.run(ask()) == [b"HTTP/1.1 400 Bad Request"] * len(MALFORMED)


SECOND = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "sent", "reached"),
    [
        (b"Content-Length: 3", b"abc" + SECOND, b"abc"),
        (b"X: no body", SECOND, b""),
        (b"Upgrade: h2c\r\nConnection: Upgrade", SECOND, b""),
        (b"Upgrade: websocket\r\nConnection: Upgrade", SECOND, b""),
        (
            b"Transfer-Encoding: chunked",
            b"3;x=y\r\nabc\r\n0\r\nX-Late: field\r\n\r\n" + SECOND,
            b"3\r\nabc\r\n0\r\n\r\n",
        ),
    ],
)
def test_a_connection_carries_one_request_to_a_target(
    head: bytes, sent: bytes, reached: bytes, target: Target
) -> None:
    async def ask() -> tuple[bytes, bytes]:
        port = free_port()
        async with serving(found(port, target.port)):
            return await send(port, b"PUT / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + sent)

    assert asyncio.run(ask()) == (b"HTTP/1.0 200 OK", reached)


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"3\nabc", b"1\r\nabc\r\n", b"0x3\r\n"])
def test_a_body_of_malformed_chunks_is_refused(chunk: bytes, target: Target) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def ask() -> tuple[bytes, bytes]:
        port = free_port()
        async with serving(found(port, target.port)):
            return await send(port, head + chunk + b"\r\n\r\n")

    assert asyncio.run(ask())[0] == b"HTTP/1.1 400 Bad Request"


def test_a_websocket_is_open_in_both_directions_once_the_target_agrees() -> None:
    head = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    asked: list[bytes] = []

    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        writer.write(b"got " + await reader.readexactly(5))
        writer.close()

    async def ask() -> tuple[bytes, bytes]:
        port = free_port()
        server = await asyncio.start_server(chat, "127.0.0.1", 0)
        async with server, serving(found(port, server.sockets[0].getsockname()[1])):
            return await send(port, head + b"hello")

    assert asyncio.run(ask()) == (b"HTTP/1.1 101 Switching Protocols", b"got hello")
    assert b"Upgrade: websocket\r\n" in asked[0]


def test_a_client_that_does_not_read_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "IDLE_SECONDS", 0.2)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

    async def ask() -> int:
        port = free_port()
        server = await asyncio.start_server(endless, "127.0.0.1", 0)
        behind = server.sockets[0].getsockname()[1]
        async with serving(found(port, behind)) as served:
            _, held = await asyncio.open_connection("127.0.0.1", port, limit=1)
            held.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(served.emptied.wait(), 30)
            held.close()
            server.close()
            return int(served.active["group", "127.0.0.1", behind])

    assert asyncio.run(ask()) == 0


def test_a_check_of_a_hostile_path_or_port_is_one_request_or_none(target: Target) -> None:
    check = {"port": "traffic-port", "timeout": 5, "codes": "404"}
    path = "/x HTTP/1.1\r\nHost: a\r\n\r\nDELETE /"
    target.status = 404

    async def look() -> list[Found | None]:
        place = ("127.0.0.1", target.port)
        return [
            await health._check({**check, "path": path}, *place),
            await health._check({**check, "path": "/"}, "127.0.0.1", 99_999_999),
            await health._check({**check, "path": "/", "port": "abc"}, *place),
        ]

    found_ = asyncio.run(look())
    failed = Found("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
    assert found_ == [None, failed, failed]
