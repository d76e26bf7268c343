"""One client's connection: read its requests, and have each one answered."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from ..api.http import error_text
from ..api.isolated import Isolated
from ..api.transfer import STREAM_ERRORS
from ..errors import EngineError
from .address import Address
from .base_pulls import pull_bases
from .connection import PORTION, Connection
from .digest_names import settings_with_id, target_with_id
from .http_messages import MessageError, RequestHead, read_request
from .isolated import admitted, create
from .lending import with_lent_programs
from .relay import ServerGone, exchange
from .resources import Resources
from .routes import Route, is_sandbox_login, route

log = logging.getLogger(__name__)

BODY_LIMIT = 4 * 1024 * 1024
"""The longest body of a login or of a new container's settings, in bytes."""


class Conversation:
    """A client's connection, and one connection to each server that answers its requests.

    ``own`` is the address of the front's own application; ``isolated`` is the client if the client
    is isolated. Methods that answer a request return whether the client may send another request.
    """

    def __init__(
        self,
        client: Connection,
        resources: Resources,
        own: Address,
        isolated: Isolated | None = None,
    ) -> None:
        self._client, self._resources, self._own = client, resources, own
        self._isolated = isolated
        self._daemon = resources.daemon.address
        self._servers: dict[Address, Connection] = {}

    async def run(self) -> None:
        """Answer requests until a side closes."""
        try:
            while (raw := await self._client.read_head()) is not None:
                if not await self._answer(raw):
                    break
        except (MessageError, ConnectionError) as error:
            log.info("a client's connection ended: %s", error)
        finally:
            for connection in (self._client, *self._servers.values()):
                connection.close()

    async def _answer(self, raw: bytes) -> bool:
        try:
            request = read_request(raw)
            framing = request.framing
        except MessageError as error:
            await self._refuse(raw, 400, str(error))
            return False
        try:
            if self._isolated:
                raw = await asyncio.to_thread(admitted, self._isolated, request, self._resources)
            chosen = route(request, self._resources.hosts.has, self._resources.is_podman)
        except EngineError as error:
            await _discard(self._client.raw_body(framing))
            await self._refuse(raw, error.status, str(error))
            return True
        if chosen is Route.LOGIN:
            return await self._log_in(request)
        if chosen is Route.BUILD:
            return await self._build(request)
        if chosen is Route.CREATE_CONTAINER:
            return await self._create_container(request)
        server = self._own if chosen is Route.FRONT else self._daemon
        if target := target_with_id(request, self._resources.records):
            raw = request.with_target(target)
        return await self._pass_on(server, request, raw, self._client.raw_body(framing))

    async def _create_container(self, request: RequestHead) -> bool:
        body = await self._read_body(request)
        if self._isolated:
            return await self._create_isolated(self._isolated, request, body)
        body = settings_with_id(body, self._resources.records) or body
        if not request.path.startswith("/libpod/"):
            lent = self._resources.scratch.parent / "lent"
            try:
                body = await asyncio.to_thread(
                    with_lent_programs, body, self._resources.daemon, lent
                )
            except EngineError as error:
                await self._refuse(request.raw, error.status, str(error))
                return True
        return await self._pass_on_whole(self._daemon, request, body)

    async def _create_isolated(self, client: Isolated, request: RequestHead, body: bytes) -> bool:
        try:
            made = await asyncio.to_thread(create, client, request, body, self._resources)
        except EngineError as error:
            await self._refuse(request.raw, error.status, str(error))
        else:
            await self._send_json(201, made)
        return True

    async def _log_in(self, request: RequestHead) -> bool:
        body = await self._read_body(request)
        try:
            ours = is_sandbox_login(body, self._resources.hosts.has)
        except EngineError as error:
            await self._refuse(request.raw, error.status, str(error))
            return True
        return await self._pass_on_whole(self._own if ours else self._daemon, request, body)

    async def _read_body(self, request: RequestHead) -> bytes:
        body = b""
        async for part in self._client.body_content(request.framing):
            body += part
            if len(body) > BODY_LIMIT:
                raise MessageError("the body is too long")
        return body

    async def _build(self, request: RequestHead) -> bool:
        descriptor, name = tempfile.mkstemp(dir=self._resources.scratch)
        context = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if request.headers.get("expect", "").lower() == "100-continue":
                    await self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                async for part in self._client.body_content(request.framing):
                    file.write(part)
                size = file.tell()
            try:
                target = await asyncio.to_thread(pull_bases, request, context, self._resources)
            except STREAM_ERRORS as error:
                await self._refuse(request.raw, getattr(error, "status", 500), error_text(error))
                return True
            head = request.with_length(size, target)
            return await self._pass_on(self._daemon, request, head, _content_of(context))
        finally:
            context.unlink()

    async def _pass_on_whole(self, server: Address, request: RequestHead, body: bytes) -> bool:
        """Pass on a request whose body has been read, and may have changed."""
        same = not request.framing.chunked and len(body) == request.framing.length
        head = request.raw if same else request.with_length(len(body))
        return await self._pass_on(server, request, head, _one_part(body))

    async def _pass_on(
        self, address: Address, request: RequestHead, head: bytes, body: AsyncIterator[bytes]
    ) -> bool:
        server = self._servers.pop(address, None)
        if server is not None and server.ended:
            server.close()
            server = None
        try:
            server = server or await Connection.open(address)
        except OSError as error:
            await _discard(body)
            await self._refuse(request.raw, 503, self._unreachable(error.strerror or str(error)))
            return True
        self._servers[address] = server
        try:
            return await exchange(self._client, server, request.method, head, body)
        except ServerGone:
            await self._refuse(request.raw, 502, self._unreachable("it closed the connection"))
            return False

    def _unreachable(self, why: str) -> str:
        return str(self._resources.daemon.unreachable(why))

    async def _refuse(self, raw: bytes, status: int, message: str) -> None:
        """Answer the request with head ``raw`` with an error; HEAD gets no body."""
        await self._send_json(status, {"message": message}, raw.startswith(b"HEAD "))

    async def _send_json(self, status: int, document: object, head_only: bool = False) -> None:
        body = json.dumps(document).encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        await self._client.send(head.encode() + (b"" if head_only else body))


async def _discard(body: AsyncIterator[bytes]) -> None:
    async for _ in body:
        pass


async def _one_part(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _content_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while portion := file.read(PORTION):
            yield portion
