"""The one job of load balancing (sandbox/balancing): asks what there is, and does it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

from labs_helpers.runner.balancer import health
from labs_helpers.runner.balancer.health import Found
from labs_helpers.runner.balancer.relay import Key, Relay
from labs_helpers.runner.desk import Away, Lost
from labs_helpers.runner.runner import Job

log = logging.getLogger(__name__)

_POLL = 20.0
_PAUSE = 0.5
_AFTER_A_FAULT = 2.0
"""Seconds: the sandbox wants a new job at once."""


def work(job: Job) -> None:
    """Balance until the job has to end; raises Lost."""
    try:
        asyncio.run(_Balancer(job).run())
    except Lost:
        raise
    except Exception:
        job.wait(_AFTER_A_FAULT)
        raise
    job.ended()


class _Balancer:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._relay = Relay()
        self._news: asyncio.Queue[Mapping[str, Any] | Exception | None] = asyncio.Queue()
        self._watches: dict[Key, asyncio.Task[None]] = {}
        self._drains: dict[Key, asyncio.Task[None]] = {}
        self._checks: dict[Key, Mapping[str, Any]] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()

        def hand_in(found: Mapping[str, Any] | Exception | None) -> None:
            try:
                loop.call_soon_threadsafe(self._news.put_nowait, found)
            except RuntimeError:
                log.debug("the event loop has ended")

        self._job.on_stop(lambda: hand_in(None))
        threading.Thread(target=self._ask, args=(hand_in,), daemon=True).start()
        try:
            while (found := await self._news.get()) is not None:
                if isinstance(found, Exception):
                    raise found
                await self._apply(found)
        finally:
            tasks = [*self._watches.values(), *self._drains.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._relay.close()

    def _ask(self, hand_in: Any) -> None:
        """On a thread of its own: ask for changes until the job ends."""
        seen = 0
        while not self._job.stopping:
            try:
                found = self._job.desk.ask("balancing", {"seen": seen, "seconds": _POLL}, _POLL)
            except Away as error:
                log.debug("%s", error)
                self._job.wait(_PAUSE)
                continue
            if found["version"] != seen:
                seen = found["version"]
                hand_in(found)

    async def _apply(self, found: Mapping[str, Any]) -> None:
        for listener, port in await self._relay.apply(found):
            await self._report({"type": "taken", "listener": listener, "port": port})
        wanted: dict[Key, str] = {}
        for arn, group in found["groups"].items():
            for each in group["targets"]:
                wanted[arn, each["id"], each["port"]] = each["state"]
        for key, task in [*self._watches.items()]:
            stays = wanted.get(key, "draining") != "draining" and self._is_used(key)
            if not stays or self._checks[key] != self._relay.groups[key[0]]["check"]:
                task.cancel()
                del self._watches[key], self._checks[key]
        for key in [key for key in self._drains if wanted.get(key) != "draining"]:
            self._drains.pop(key).cancel()
        for key, state in wanted.items():
            if state == "draining":
                if key not in self._drains:
                    self._drains[key] = asyncio.ensure_future(self._drain(key))
            elif key not in self._watches and self._is_used(key):
                self._checks[key] = self._relay.groups[key[0]]["check"]
                self._watches[key] = asyncio.ensure_future(self._watch(key))

    def _is_used(self, key: Key) -> bool:
        return bool(self._relay.groups[key[0]]["used"]) if key[0] in self._relay.groups else False

    async def _watch(self, key: Key) -> None:
        group, address, port = key

        async def tell(found: Found) -> None:
            told = {"state": found.state, "reason": found.reason, "description": found.description}
            where = {"group": group, "id": address, "port": port}
            await self._report({"type": "health", **where, **told})

        await health.watch(self._checks[key], address, port, tell)

    async def _drain(self, key: Key) -> None:
        """Wait for the requests that a target has, at most for the group's deregistration delay.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self._relay.groups.get(key[0], {}).get("delay", 0)
        while self._relay.active[key] > 0 and loop.time() < until:
            self._relay.emptied.clear()
            try:
                await asyncio.wait_for(self._relay.emptied.wait(), until - loop.time())
            except TimeoutError:
                break
        where = {"group": key[0], "id": key[1], "port": key[2]}
        await self._report({"type": "drained", **where})

    async def _report(self, event: dict[str, Any]) -> None:
        """Without stopping the requests meanwhile. A job that is lost ends."""
        try:
            await asyncio.to_thread(self._job.report, event)
        except Lost as error:
            self._news.put_nowait(error)
