"""What is answered here and not by the daemon: log in, push, pull, digests."""

from __future__ import annotations

from urllib.parse import unquote

from ..api.app import App, Route
from ..api.http import Request, Response, stream_response
from ..api.registries import auth, distribution, manifest
from ..api.transfer import STREAM_ERRORS, named_reference, requested_platform
from ..credentials import from_header
from .libpod import libpod_routes
from .pulling import pull
from .pushing import push
from .world import FrontWorld

_NAME = r"(?P<name>.+)"


class FrontApp(App):
    """The application behind the relay."""

    def __init__(self, world: FrontWorld) -> None:
        table: list[Route] = [
            ("POST", r"/auth", auth),
            ("POST", r"/images/create", _pull),
            ("POST", rf"/images/{_NAME}/push", _push),
            ("GET", rf"/distribution/{_NAME}/json", distribution),
            ("GET", rf"/distribution/{_NAME}/manifest", manifest),
            *(libpod_routes(world) if world.libpod else ()),
        ]
        super().__init__(world, table, any_version=True)


def _pull(request: Request, world: FrontWorld) -> Response:
    messages = pull(
        named_reference(request.text("fromImage").removesuffix(":"), request.text("tag")),
        world.daemon,
        world.memory,
        world.hosts,
        from_header(request.headers.get("x-registry-auth")),
        requested_platform(request),
        world.scratch,
    )
    return stream_response(messages, STREAM_ERRORS)


def _push(request: Request, world: FrontWorld, name: str) -> Response:
    reference = named_reference(unquote(name), request.text("tag"))
    credentials = from_header(request.headers.get("x-registry-auth"))
    messages = push(reference, world.daemon, world.memory, world.hosts, credentials, world.scratch)
    return stream_response(messages, STREAM_ERRORS)
