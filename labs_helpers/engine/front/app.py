"""The WSGI application for the requests that the front answers itself."""

from __future__ import annotations

from functools import partial
from urllib.parse import unquote

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import Reference

from ..api.app import App, Operation, routes
from ..api.exchange import Answer, Request, stream_answer
from ..api.images import repository_tag
from ..api.registries import auth, distribution, manifest
from ..api.transfer import IN_STREAM
from ..credentials import from_header
from ..platform import Platform
from .libpod import libpod_routes
from .pulling import pull
from .pushing import push
from .resources import Resources


class FrontApp(App):
    """Login, push, pull and manifests; for Podman, push and pull in its own API too."""

    any_version = True

    def __init__(self, resources: Resources) -> None:
        name, hosts = r"(?P<name>.+)", resources.hosts
        table: list[tuple[str, str, Operation]] = [
            ("POST", r"/auth", partial(auth, hosts=hosts)),
            ("POST", r"/images/create", partial(_pull, resources=resources)),
            ("POST", rf"/images/{name}/push", partial(_push, resources=resources)),
            ("GET", rf"/distribution/{name}/json", partial(distribution, hosts=hosts)),
            ("GET", rf"/distribution/{name}/manifest", partial(manifest, hosts=hosts)),
            *(libpod_routes(resources) if resources.is_podman else ()),
        ]
        self._routes = routes(table)


def _pull(request: Request, resources: Resources) -> Answer:
    reference = _reference(request.text("fromImage").removesuffix(":"), request.text("tag"))
    credentials = from_header(request.headers.get("x-registry-auth"))
    platform = request.text("platform")
    wanted = Platform.parse(platform) if platform else None
    return stream_answer(pull(reference, credentials, wanted, resources), IN_STREAM)


def _push(request: Request, name: str, resources: Resources) -> Answer:
    reference = _reference(unquote(name), request.text("tag"))
    credentials = from_header(request.headers.get("x-registry-auth"))
    return stream_answer(push(reference, credentials, resources), IN_STREAM)


def _reference(name: str, tag: str) -> Reference:
    return repository_tag(name, tag) if tag else references.parse(name, default_tag=False)
