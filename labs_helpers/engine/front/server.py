"""The front's process: one private socket, a relay behind it, and our engine for its part.

The relay runs on one event loop. What is answered here, and what takes long (bringing the bases of
a build), runs in the threads of a WSGI server on a second socket in the engine's private folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

from labs_helpers.oci.reference import InvalidReference

from ..blobs import BlobError
from ..errors import EngineError
from ..hosts import HostMap
from ..server import UnixServer, check_socket, empty_folder, remove_socket
from ..store import NoSuchImage
from .address import Address, unix
from .app import FrontApp
from .building import bring_bases
from .by_digest import by_digest, image_by_digest
from .daemon import OLDEST_API, DaemonError, FrontDaemon, RealDaemon
from .memory import RECORDS, Memory
from .messages import MessageError, Request, read_request
from .relay import After, ServerGone, exchange
from .routes import Goes, goes, login_is_ours
from .wire import PORTION, Wire
from .world import FrontWorld

log = logging.getLogger(__name__)

DOCUMENT_LIMIT = 4 * 1024 * 1024
"""Bytes of a login, or of a container's settings."""

_TOLD = (EngineError, NoSuchImage, BlobError, InvalidReference, OSError)


class FrontServer:
    """Serves a daemon's API on a socket of mode 0600; ``prepare``, ``serve``, ``stop``."""

    def __init__(self, path: Path, world: FrontWorld, state: Path) -> None:
        self.bind_addr = f"{path}, in front of {world.daemon.address}"
        self.world = world
        self._path = path
        self._own = UnixServer(state / "own.sock", FrontApp(world))
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stopping = False
        self._stopped = threading.Event()

    @property
    def own(self) -> UnixServer:
        """The server of what is answered here."""
        return self._own

    def prepare(self) -> None:
        """Bind both sockets. Raises OSError."""
        # what a killed front left: nobody answers there, or make_front would have refused
        for left in (self._path, self._own_path):
            left.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(self._path))
        finally:
            os.umask(before)
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._own.prepare()

    @property
    def _own_path(self) -> Path:
        return Path(str(self._own.bind_addr))

    def serve(self) -> None:
        """Serve until ``stop``."""
        own = threading.Thread(target=self._own.serve, name="own")
        own.start()
        try:
            asyncio.run(self._serve())
        finally:
            self._own.stop()
            own.join()
            remove_socket(self._own_path)
            self.world.memory.close()
            self._stopped.set()

    def stop(self) -> None:
        """End ``serve`` from another thread, and wait for it."""
        self._stopping = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._ended.set)
        self._stopped.wait()

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        accepting = asyncio.create_task(self._accept())
        ended = asyncio.create_task(self._ended.wait())
        if self._stopping:
            self._ended.set()
        try:
            await asyncio.wait({accepting, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # asyncio.run cancels what is still under way
            loop.remove_reader(self._listener)
            self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        conversations: set[asyncio.Task[None]] = set()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                # too many open files: others will be closed
                log.warning("a client's connection could not be taken: %s", error)
                await asyncio.sleep(0.1)
                continue
            conversation = Conversation(Wire(connection), self.world, unix(self._own_path))
            task = asyncio.create_task(conversation.run())
            # the loop itself holds tasks by weak references only
            conversations.add(task)
            task.add_done_callback(conversations.discard)


class Conversation:
    """One client's connection, and the connections that its requests go on to."""

    def __init__(self, client: Wire, world: FrontWorld, own: Address) -> None:
        self._client, self._world, self._own = client, world, own
        self._servers: dict[Address, Wire] = {}

    async def run(self) -> None:
        """Answer requests until one of the two ends."""
        try:
            while (raw := await self._client.head()) is not None:
                if await self._next(raw) is After.ENDS:
                    break
        except (MessageError, ConnectionError) as error:
            log.info("a client's connection ended: %s", error)
        finally:
            for wire in (self._client, *self._servers.values()):
                wire.close()

    async def _next(self, raw: bytes) -> After:
        try:
            request = read_request(raw)
            body = request.body
        except MessageError as error:
            await self._tell(raw, 400, str(error))
            return After.ENDS
        try:
            goes_to = goes(request, self._world.hosts.has, self._world.libpod)
            if goes_to is Goes.BY_LOGIN:
                return await self._log_in(request)
            if goes_to is Goes.AFTER_BASES:
                return await self._build(request)
            if goes_to is Goes.AS_IMAGE:
                return await self._create(request)
        except EngineError as error:
            await self._drain(request)
            await self._tell(raw, error.status, str(error))
            return After.GOES_ON
        target = self._own if goes_to is Goes.TO_US else self._world.daemon.address
        if known := by_digest(request, self._world.memory):
            raw = request.renamed(known)
        return await self._pass_on(target, request, raw, self._client.raw(body))

    async def _create(self, request: Request) -> After:
        body = await self._whole(request)
        known = image_by_digest(body, self._world.memory)
        head = request.raw
        if known is not None or request.body.chunked:
            body = known or body
            head = request.rewritten(request.target, len(body))
        return await self._pass_on(self._world.daemon.address, request, head, _one(body))

    async def _whole(self, request: Request) -> bytes:
        body = b""
        async for part in self._client.content(request.body):
            body += part
            if len(body) > DOCUMENT_LIMIT:
                raise MessageError("the body is too long")
        return body

    async def _log_in(self, request: Request) -> After:
        body = await self._whole(request)
        ours = login_is_ours(body, self._world.hosts.has)
        head = request.rewritten(request.target, len(body)) if request.body.chunked else request.raw
        target = self._own if ours else self._world.daemon.address
        return await self._pass_on(target, request, head, _one(body))

    async def _build(self, request: Request) -> After:
        descriptor, name = tempfile.mkstemp(dir=self._world.scratch)
        context = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if request.headers.get("expect", "").lower() == "100-continue":
                    await self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                async for part in self._client.content(request.body):
                    file.write(part)
                size = file.tell()
            try:
                target = await asyncio.to_thread(bring_bases, request, context, self._world)
            except _TOLD as error:
                await self._tell(request.raw, getattr(error, "status", 500), str(error))
                return After.GOES_ON
            head = request.rewritten(target, size)
            return await self._pass_on(self._world.daemon.address, request, head, _file(context))
        finally:
            context.unlink()

    async def _pass_on(
        self, target: Address, request: Request, head: bytes, body: AsyncIterator[bytes]
    ) -> After:
        server = self._servers.pop(target, None)
        if server is not None and server.ended:
            server.close()
            server = None
        try:
            server = server or await Wire.to(target)
        except OSError as error:
            await self._drain(request, body)
            await self._tell(request.raw, 503, self._silent(error.strerror or str(error)))
            return After.GOES_ON
        self._servers[target] = server
        try:
            return await exchange(self._client, server, request.method, head, body)
        except ServerGone:
            await self._tell(request.raw, 502, self._silent("it closed the connection"))
            return After.ENDS

    def _silent(self, why: str) -> str:
        return str(self._world.daemon.unreachable(why))

    async def _drain(self, request: Request, body: AsyncIterator[bytes] | None = None) -> None:
        async for _ in body or self._client.raw(request.body):
            pass

    async def _tell(self, asked: bytes, status: int, message: str) -> None:
        """Answer the request with this head; an answer to HEAD has the length and no body."""
        body = json.dumps({"message": message}).encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        await self._client.send(head.encode() + (b"" if asked.startswith(b"HEAD ") else body))


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _file(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while portion := file.read(PORTION):
            yield portion


def make_front(
    path: Path, state: Path, registries: Path | None, address: Address, seconds: float = 5.0
) -> FrontServer:
    """A front ready to serve, as ``make_server`` makes an engine.

    Raises:
        CannotServe: see ``check_socket``.
        DaemonError: the daemon at ``address`` does not answer, or is too old.
    """
    check_socket(path)
    about = RealDaemon(address).about(seconds)
    if about.api < OLDEST_API:
        raise DaemonError(f"{address}: its API is older than 1.24")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    daemon = FrontDaemon(address, about.asked_in)
    memory = Memory(state / RECORDS)
    memory.remember_daemon(address.text)
    scratch = empty_folder(state / "passing")
    world = FrontWorld(daemon, memory, HostMap(registries), scratch, about.kind == "podman")
    return FrontServer(path, world, state)
