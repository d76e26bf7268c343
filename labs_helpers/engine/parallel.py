"""Several layers at once, with messages in the order of one after the other.

Progress (a ``progressDetail`` with numbers) is passed on immediately: clients draw a bar for each
layer. Other messages appear in the order of the layers, so that a push or a pull prints the same
lines every time, and reports the same error when several layers fail.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

Message = dict[str, Any]
T = TypeVar("T")
Job = Callable[[], Generator[Message, None, T]]
"""Starts the work on one layer: the generator yields Docker's messages and returns the result."""

LARGE = 8 * 1024 * 1024
"""Bytes from which a layer gets a connection of its own. Smaller layers take no longer than the
requests around them; one after the other, they can be followed in a registry's log."""


def concurrency(sizes: Sequence[int], most: int) -> int:
    """How many layers of these sizes to work on at once: 1 unless two or more are large."""
    large = sum(size > LARGE for size in sizes)
    return min(most, large) if large > 1 else 1


def run_in_order(jobs: Sequence[Job[T]], at_once: int) -> Generator[Message, None, list[T]]:
    """Run jobs, at most ``at_once`` at a time; yield their messages, return their results.

    Raises the exception of the first job, in order, that fails. The jobs after it stop at their
    next message; all jobs do when this generator is closed.
    """
    if at_once > 1:
        return (yield from _ParallelRun(jobs).run(at_once))
    results = []
    for job in jobs:
        results.append((yield from job()))
    return results


class _Stopped(Exception):
    """An earlier job has failed, or the generator has been closed."""


class _ParallelRun(Generic[T]):
    def __init__(self, jobs: Sequence[Job[T]]) -> None:
        self._jobs = jobs
        self._events: SimpleQueue[tuple[int, Message | None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._last = len(jobs) - 1

    def run(self, at_once: int) -> Generator[Message, None, list[T]]:
        with ThreadPoolExecutor(at_once, "layer") as pool:
            futures = [pool.submit(self._work, index) for index in range(len(self._jobs))]
            try:
                return (yield from self._messages(futures))
            finally:
                self._stop_after(-1)
                for future in futures:
                    future.cancel()

    def _messages(self, futures: Sequence[Future[T]]) -> Generator[Message, None, list[T]]:
        waiting: dict[int, list[Message]] = defaultdict(list)
        results: list[T] = []
        ended = set()
        while len(results) < len(futures):
            index, message = self._events.get()
            if message is not None:
                if message.get("progressDetail") or index == len(results):
                    yield message
                else:
                    waiting[index].append(message)
                continue
            ended.add(index)
            while len(results) in ended:
                results.append(futures[len(results)].result())
                yield from waiting.pop(len(results), [])
        return results

    def _work(self, index: int) -> T:
        try:
            messages = self._jobs[index]()
            while True:
                if index > self._last:
                    raise _Stopped
                self._events.put((index, next(messages)))
        except StopIteration as end:
            result: T = end.value
            return result
        except BaseException:
            self._stop_after(index)
            raise
        finally:
            self._events.put((index, None))

    def _stop_after(self, index: int) -> None:
        with self._lock:
            self._last = min(self._last, index)
