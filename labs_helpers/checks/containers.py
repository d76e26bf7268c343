"""A container that a check runs of an image, to see whether it stays and what it serves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import docker
import docker.errors

PATIENCE = 10.0
"""Seconds for a program to answer or to end."""
STAYS = 1.0
"""Seconds for which a container has to live on after the first page.

A program that goes into the background answers a moment before the first program ends, and the
container with the first program.
"""
_BETWEEN = 0.1
_HERE = build_opener(ProxyHandler({}))


class CannotRun(Exception):
    """The engine starts no container of this image here, as where a port may not be published."""


@dataclass(frozen=True)
class Ran:
    """What a container did: ``code`` is its exit code, None where it stayed.

    ``page`` is what a published port answered to the path, None where none answered; ``said`` is
    the last line of its log where it ended.
    """

    code: int | None
    page: bytes | None
    said: str = ""


@lru_cache(maxsize=32)
def run(image_id: str, path: str) -> Ran:
    """Run an image with its own command, and ask its ports for a path, until one answers.

    A container that ends within ``STAYS`` after the answer has ended. image_id: of a local image,
    whose bytes stay what they are, so that one run answers every question; path: "/index.html".
    The container is removed. Raises CannotRun.
    """
    with _started(image_id) as container:
        end = time.monotonic() + PATIENCE
        page: bytes | None = None
        while True:
            container.reload()
            if container.status not in ("created", "running"):
                log = container.logs(tail=1).decode(errors="replace").strip()
                return Ran(int(container.attrs["State"]["ExitCode"]), None, log[:300])
            if time.monotonic() > end:
                return Ran(None, page)
            if page is None:
                page = next(_pages(container, path), None)
                if page is not None:
                    end = time.monotonic() + STAYS
            time.sleep(_BETWEEN)


@contextmanager
def _started(image_id: str) -> Iterator[Any]:
    client = docker.from_env()
    try:
        container = client.containers.create(image_id, publish_all_ports=True)
    except docker.errors.APIError as error:
        raise CannotRun(str(error.explanation or error)) from error
    try:
        try:
            container.start()
        except docker.errors.APIError as error:
            raise CannotRun(str(error.explanation or error)) from error
        yield container
    finally:
        container.remove(force=True)


def _pages(container: Any, path: str) -> Iterator[bytes]:
    """What the published ports answer."""
    for published in (container.attrs["NetworkSettings"].get("Ports") or {}).values():
        for port in {one["HostPort"] for one in published or ()}:
            try:
                with _HERE.open(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                    yield answer.read()
            except (URLError, OSError):
                continue  # nothing listens yet, or this port is another program's
