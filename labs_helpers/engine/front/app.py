"""What is answered here and not by the daemon: log in, push, pull, digests."""

from __future__ import annotations

from urllib.parse import unquote

from labs_helpers.oci import reference as references

from ..api.app import App, Operation, routes
from ..api.http import Answer, Request, stream_answer
from ..api.images import repository_tag
from ..api.registries import auth, distribution, manifest
from ..api.transfer import IN_STREAM
from ..credentials import from_header
from ..platform import Platform
from .libpod import libpod_routes
from .pulling import pull
from .pushing import push
from .world import FrontWorld


class FrontApp(App):
    """The application behind the relay."""

    any_version = True

    def __init__(self, world: FrontWorld) -> None:
        name = r"(?P<name>.+)"
        table: list[tuple[str, str, Operation]] = [
            ("POST", r"/auth", lambda request: auth(request, world.hosts)),
            ("POST", r"/images/create", lambda request: _pull(request, world)),
            ("POST", rf"/images/{name}/push", lambda request, name: _push(request, name, world)),
            (
                "GET",
                rf"/distribution/{name}/json",
                lambda request, name: distribution(request, name, world.hosts),
            ),
            (
                "GET",
                rf"/distribution/{name}/manifest",
                lambda request, name: manifest(request, name, world.hosts),
            ),
            *(libpod_routes(world) if world.libpod else ()),
        ]
        self._routes = routes(table)


def _pull(request: Request, world: FrontWorld) -> Answer:
    name, tag = request.text("fromImage").removesuffix(":"), request.text("tag")
    reference = repository_tag(name, tag) if tag else references.parse(name, default_tag=False)
    platform = request.text("platform")
    messages = pull(
        reference,
        world.daemon,
        world.memory,
        world.hosts,
        from_header(request.headers.get("x-registry-auth")),
        Platform.parse(platform) if platform else None,
        world.scratch,
    )
    return stream_answer(messages, IN_STREAM)


def _push(request: Request, name: str, world: FrontWorld) -> Answer:
    given, tag = unquote(name), request.text("tag")
    reference = repository_tag(given, tag) if tag else references.parse(given, default_tag=False)
    credentials = from_header(request.headers.get("x-registry-auth"))
    messages = push(reference, world.daemon, world.memory, world.hosts, credentials, world.scratch)
    return stream_answer(messages, IN_STREAM)
