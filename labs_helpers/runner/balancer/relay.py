"""The listeners: each takes requests on a loopback port, and hands them to targets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from labs_helpers.runner.balancer import http
from labs_helpers.runner.balancer.routing import Asked, Turns, action, usable

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MOST = 256
"""Connections at once, of all listeners; a further one gets 503."""
IDLE_SECONDS = 60.0
"""AWS's default: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"""
_CONNECT_SECONDS = 10.0
_LINGER_SECONDS = 2.0
"""How long the rest of a request is read that nobody wants: without that, the client would find the
connection reset and not the answer."""
_PART = 64 * 1024

Key = tuple[str, str, int]
"""(target group, address, port)"""


class Relay:
    """Serves what `apply` was last given; lives in one event loop."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self.active: Counter[Key] = Counter()
        """How many requests each target has at this moment."""
        self._listeners: dict[str, dict[str, Any]] = {}
        self._servers: dict[str, tuple[int, asyncio.Server]] = {}
        self._turns: dict[str, Turns] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.emptied = asyncio.Event()
        """Set when a target has answered its last request."""

    async def apply(self, found: Mapping[str, Any]) -> list[tuple[str, int]]:
        """Serve other listeners and groups; (listener, port) of those whose port is taken."""
        self.groups = dict(found["groups"])
        self._listeners = {each["arn"]: each for each in found["listeners"]}
        for arn, (port, server) in list(self._servers.items()):
            if self._listeners.get(arn, {}).get("bind") != port:
                server.close()
                del self._servers[arn]
        taken = []
        for arn, each in self._listeners.items():
            if arn not in self._servers:
                try:
                    server = await asyncio.start_server(
                        self._serving(arn), LOOPBACK, each["bind"], limit=http.LARGEST_HEAD
                    )
                except OSError as error:
                    log.warning("the port %s of %s: %s", each["bind"], arn, error)
                    taken.append((arn, each["bind"]))
                    continue
                self._servers[arn] = (each["bind"], server)
        return taken

    async def close(self) -> None:
        """Stop listening, and end the requests that are under way."""
        for _, server in self._servers.values():
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serving(self, arn: str) -> Any:
        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(arn, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return serve

    async def _connection(
        self, arn: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One request: every answer ends its connection."""
        try:
            if len(self._tasks) > 2 * MOST:
                return
            if len(self._tasks) > MOST:
                await _send(writer, http.answer(503))
            else:
                await self._read(arn, reader, writer)
            await _linger(reader, writer)
        except (OSError, EOFError, TimeoutError):
            # one of the two has gone away, or neither reads nor says anything any longer
            writer.transport.abort()
        finally:
            await _closed(writer)

    async def _read(
        self, arn: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            asked = await asyncio.wait_for(http.read_head(reader), IDLE_SECONDS)
        except http.BadRequest:
            await _send(writer, http.answer(400))
            return
        await self._answer(arn, asked, reader, writer)

    async def _answer(
        self,
        arn: str,
        asked: Asked,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        listener = self._listeners.get(arn)
        chosen = None if listener is None else action(listener["rules"], asked)
        if listener is None or chosen is None:
            await _send(writer, http.answer(503))
        elif chosen["Type"] == "fixed-response":
            given = chosen["FixedResponseConfig"]
            kind = given.get("ContentType") or "text/plain"
            body = given.get("MessageBody") or ""
            await _send(writer, http.fixed(int(given["StatusCode"]), kind, body))
        elif chosen["Type"] == "redirect":
            given = chosen["RedirectConfig"]
            status = 301 if given["StatusCode"] == "HTTP_301" else 302
            place = http.redirected(asked, given, listener["port"])
            await _send(writer, http.answer(status, location=place))
        else:
            target = self._target(arn, chosen)
            if target is None:
                await _send(writer, http.answer(503))
                return
            self.active[target] += 1
            try:
                await self._forward(target, listener, asked, reader, writer)
            finally:
                self.active[target] -= 1
                self.emptied.set()

    def _target(self, arn: str, chosen: Mapping[str, Any]) -> Key | None:
        config = chosen.get("ForwardConfig") or {}
        listed = config.get("TargetGroups") or [
            {"TargetGroupArn": chosen.get("TargetGroupArn"), "Weight": 1}
        ]
        weights = {str(each["TargetGroupArn"]): int(each["Weight"]) for each in listed}
        group = self._turn(f"{arn} {' '.join(sorted(weights))}", weights)
        found = [] if group is None else usable(self.groups.get(group, {}).get("targets", []))
        keys = {f"{each['id']} {each['port']}": each for each in found}
        name = None if group is None else self._turn(group, dict.fromkeys(keys, 1))
        return None if name is None else (str(group), keys[name]["id"], keys[name]["port"])

    def _turn(self, whose: str, weights: Mapping[str, int]) -> str | None:
        return self._turns.setdefault(whose, Turns()).next(weights)

    async def _forward(
        self,
        target: Key,
        listener: Mapping[str, Any],
        asked: Asked,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        _, address, port = target
        try:
            connecting = asyncio.open_connection(address, port)
            theirs, to_them = await asyncio.wait_for(connecting, _CONNECT_SECONDS)
        except TimeoutError:
            await _send(writer, http.answer(504))
            return
        except OSError:
            await _send(writer, http.answer(502))
            return
        client = writer.get_extra_info("peername")[0]
        to_them.write(http.forwarded(asked, client, listener["port"]))
        sending: asyncio.Future[Any] = asyncio.ensure_future(_send_body(asked, reader, to_them))
        try:
            if http.upgrades(asked) and await _switched(theirs, writer):
                sending = asyncio.ensure_future(_pump(reader, to_them))
                await _pump(theirs, writer)
            elif await _pump(theirs, writer) == 0 and not http.upgrades(asked):
                await _send(writer, http.answer(400 if _is_malformed(sending) else 502))
        except _Silent:
            await _send(writer, http.answer(504))
        finally:
            sending.cancel()
            to_them.transport.abort()
            await asyncio.gather(sending, return_exceptions=True)


class _Silent(Exception):
    """A target says nothing any longer."""


async def _send_body(
    asked: Asked, reader: asyncio.StreamReader, to_them: asyncio.StreamWriter
) -> None:
    """Send the body, and nothing after; a target gets no end of a body that breaks off."""
    try:
        parts = http.body(reader, http.body_length(asked))
        while (part := await asyncio.wait_for(anext(parts, None), IDLE_SECONDS)) is not None:
            await _send(to_them, part)
    except (http.BadRequest, EOFError, TimeoutError):
        to_them.transport.abort()
        raise


def _is_malformed(sending: asyncio.Future[Any]) -> bool:
    done = sending.done() and not sending.cancelled()
    return done and isinstance(sending.exception(), http.BadRequest)


async def _switched(theirs: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Carry the head of the answer to a request for an upgrade; whether the target agrees.

    Before that, what a client sends is not for the target: it could be a second request.
    """
    try:
        head = await asyncio.wait_for(theirs.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
    except TimeoutError as error:
        raise _Silent from error
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await _send(writer, http.answer(502))
        return False
    await _send(writer, head)
    return head.split(None, 2)[1:2] == [b"101"]


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> int:
    """Carry bytes until the source ends; how many. Raises OSError, _Silent, TimeoutError."""
    count = 0
    while part := await _read_part(source):
        count += len(part)
        await _send(sink, part)
    return count


async def _read_part(source: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(source.read(_PART), IDLE_SECONDS)
    except TimeoutError as error:
        raise _Silent from error


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that the answer is whole, and pass over what the client sends still."""
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(_PART):
                pass


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Raises TimeoutError where nobody reads."""
    writer.write(data)
    await asyncio.wait_for(writer.drain(), IDLE_SECONDS)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close, and give a client that reads slowly some time for the rest."""
    writer.close()
    try:
        async with asyncio.timeout(IDLE_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()
