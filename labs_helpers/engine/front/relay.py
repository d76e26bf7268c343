"""One exchange passed on: a request to a server, its answer back, neither changed.

An answer that turns the connection into something else (101 for attach, exec and BuildKit, or a
stream that ends with the connection) makes it a tunnel: bytes go both ways until both have ended.
Source: https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum
from typing import Any

from .messages import MessageError, read_response
from .wire import Wire


class After(Enum):
    """What becomes of the two connections."""

    GOES_ON = "the next request may come"
    ENDS = "both are used up"


class ServerGone(Exception):
    """The server closed before it answered."""


async def exchange(
    client: Wire, server: Wire, method: str, head: bytes, body: AsyncIterator[bytes]
) -> After:
    """Send a request and pass the answer on.

    Raises:
        ServerGone: nothing has been sent to the client yet.
        MessageError, ConnectionError: one of the two broke off.
    """
    through = asyncio.Event()
    sending = asyncio.create_task(_send(client, server, head, body, through))
    answering = asyncio.create_task(_answer(client, server, method))
    try:
        await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            # the client has gone, or broke off: the server sees it, as it would without us
            sending.result()
            return After.ENDS
        follows = answering.result()
        if follows is _Follows.TUNNEL:
            await _cancelled(sending)
            await _tunnel(client, server)
            return After.ENDS
        waiting = asyncio.create_task(through.wait())
        await asyncio.wait({sending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        await _cancelled(waiting)
        return After.ENDS if follows is _Follows.END or sending.done() else After.GOES_ON
    finally:
        await _cancelled(sending)
        await _cancelled(answering)


class _Follows(Enum):
    REQUEST = "the next request"
    TUNNEL = "bytes of another protocol"
    END = "nothing"


async def _send(
    client: Wire,
    server: Wire,
    head: bytes,
    body: AsyncIterator[bytes],
    through: asyncio.Event,
) -> None:
    """Send the request; then return when the client goes."""
    taken = await _sent(server, head)
    async for part in body:
        # a server that refuses early takes no more: its answer is what counts, and clients that
        # send everything before they read must be able to
        taken = taken and await _sent(server, part)
    through.set()
    await client.gone()


async def _sent(server: Wire, part: bytes) -> bool:
    try:
        await server.send(part)
    except ConnectionError:
        return False
    return True


async def _answer(client: Wire, server: Wire, method: str) -> _Follows:
    begun = False
    while True:
        try:
            raw = await server.head()
        except ConnectionError as error:
            raise (MessageError("the daemon broke off") if begun else ServerGone()) from error
        if raw is None:
            raise MessageError("the daemon broke off") if begun else ServerGone
        response = read_response(raw)
        await client.send(raw)
        begun = True
        if response.status == 101:
            return _Follows.TUNNEL
        if response.status < 200:
            continue
        framing = response.body(method)
        if framing is None:
            return _Follows.TUNNEL
        async for part in server.raw(framing):
            await client.send(part)
        return _Follows.END if response.last else _Follows.REQUEST


async def _tunnel(client: Wire, server: Wire) -> None:
    async with asyncio.TaskGroup() as both:
        both.create_task(_pump(client, server))
        both.create_task(_pump(server, client))


async def _pump(source: Wire, sink: Wire) -> None:
    while data := await source.some():
        await sink.send(data)
    sink.finish()


async def _cancelled(task: asyncio.Task[Any]) -> None:
    """End a task whose outcome no longer matters; what it had raised was told elsewhere."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, ConnectionError, MessageError, ServerGone):
        await task
