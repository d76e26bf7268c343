"""The WSGI application for the requests that the front answers itself."""

from __future__ import annotations

from urllib.parse import unquote

from ..api.app import App, Route
from ..api.http import Request, Response, stream_response
from ..api.registries import auth, distribution, manifest
from ..api.transfer import STREAM_ERRORS, named_reference, requested_platform
from ..credentials import from_header
from ..errors import NotSupported
from .libpod import libpod_routes
from .pulling import pull
from .pushing import push
from .resources import Resources

_NAME = r"(?P<name>.+)"


class FrontApp(App):
    """Login, push, pull and manifests; for Podman, push and pull in its own API too."""

    def __init__(self, resources: Resources) -> None:
        table: list[Route] = [
            ("POST", r"/auth", auth),
            ("POST", r"/images/create", _pull),
            ("POST", rf"/images/{_NAME}/push", _push),
            ("GET", rf"/distribution/{_NAME}/json", distribution),
            ("GET", rf"/distribution/{_NAME}/manifest", manifest),
            *(libpod_routes(resources) if resources.is_podman else ()),
        ]
        super().__init__(resources, table, any_version=True)


def _pull(request: Request, resources: Resources) -> Response:
    reference = named_reference(request.text("fromImage").removesuffix(":"), request.text("tag"))
    credentials = from_header(request.headers.get("x-registry-auth"))
    messages = pull(reference, credentials, requested_platform(request), resources)
    return stream_response(messages, STREAM_ERRORS)


def _push(request: Request, resources: Resources, name: str) -> Response:
    reference = named_reference(unquote(name), request.text("tag"))
    if request.text("platform") not in ("", "null"):
        raise NotSupported(
            "docker push --platform: the labs push the image as the daemon has it; pull or build"
            " it for that platform, and push without --platform"
        )
    credentials = from_header(request.headers.get("x-registry-auth"))
    return stream_response(push(reference, credentials, resources), STREAM_ERRORS)
