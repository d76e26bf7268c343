"""Pass one request to a server, and its answer back, without a change.

The connections become a tunnel when the answer changes the protocol (101 for attach, exec and
BuildKit) or is a stream that ends with the connection: bytes then go both ways until both sides
have ended. Source:
https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum
from typing import Any

from .connection import Connection
from .http_messages import MessageError, read_response


class ServerGone(Exception):
    """The server closed the connection before it answered."""


class _Next(Enum):
    """What follows an answer on the connection to the server."""

    REQUEST = "the next request"
    TUNNEL = "bytes of another protocol"
    END = "nothing: the server closes"


async def exchange(
    client: Connection, server: Connection, method: str, head: bytes, body: AsyncIterator[bytes]
) -> bool:
    """Pass a request on, and its answer back.

    Returns whether both connections can serve another request.

    Raises:
        ServerGone: the server closed, and nothing has been sent to the client yet.
        MessageError, ConnectionError: a connection broke off within a message.
    """
    sent = asyncio.Event()
    sending = asyncio.create_task(_send(client, server, head, body, sent))
    answering = asyncio.create_task(_answer(client, server, method))
    try:
        await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            # the client closed: the server will see that, as it would without the relay
            sending.result()
            return False
        following = answering.result()
        if following is _Next.TUNNEL:
            await _cancel(sending)
            await _tunnel(client, server)
            return False
        waiting = asyncio.create_task(sent.wait())
        await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(waiting)
        return following is _Next.REQUEST and not sending.done()
    finally:
        await _cancel(sending)
        await _cancel(answering)


async def _send(
    client: Connection,
    server: Connection,
    head: bytes,
    body: AsyncIterator[bytes],
    sent: asyncio.Event,
) -> None:
    """Send the request, set ``sent``, and return when the client closes."""
    accepting = await _try_to_send(server, head)
    async for part in body:
        # A server that refuses early stops reading. Read the rest of the body all the same: some
        # clients send all of it before they read the answer.
        accepting = accepting and await _try_to_send(server, part)
    sent.set()
    await client.wait_until_closed()


async def _try_to_send(server: Connection, part: bytes) -> bool:
    try:
        await server.send(part)
    except ConnectionError:
        return False
    return True


async def _answer(client: Connection, server: Connection, method: str) -> _Next:
    begun = False
    while True:
        try:
            raw = await server.read_head()
        except ConnectionError as error:
            raise _broken_off(begun) from error
        if raw is None:
            raise _broken_off(begun)
        response = read_response(raw)
        await client.send(raw)
        begun = True
        if response.status == 101:
            return _Next.TUNNEL
        if response.status < 200:
            continue
        framing = response.framing(method)
        if framing is None:
            return _Next.TUNNEL
        async for part in server.raw_body(framing):
            await client.send(part)
        return _Next.END if response.closes else _Next.REQUEST


def _broken_off(begun: bool) -> Exception:
    return MessageError("the daemon broke off within an answer") if begun else ServerGone()


async def _tunnel(client: Connection, server: Connection) -> None:
    async with asyncio.TaskGroup() as both:
        both.create_task(_pump(client, server))
        both.create_task(_pump(server, client))


async def _pump(source: Connection, sink: Connection) -> None:
    while data := await source.read_some():
        await sink.send(data)
    sink.end_sending()


async def _cancel(task: asyncio.Task[Any]) -> None:
    """End a task whose result is no longer needed; its error has been reported elsewhere."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, ConnectionError, MessageError, ServerGone):
        await task
