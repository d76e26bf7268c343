"""The images that an isolated client may take away: names of its own, and nothing else.

On AWS a build in privileged mode has a Docker of its own, with no image of anybody else. Here all
programs share one store, so a client may read, run, tag and push each image. It takes away only a
name that was not there before it asked for the name, and the image itself stays, for the learner to
prune. A name that was there may be moved, as `docker build -t` moves one: pipelines do so, and the
image that had the name keeps its ID.
https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from labs_helpers.oci import reference as references

from ..errors import Forbidden
from ..image import canonical_name
from ..store import NoSuchImage
from . import Backend
from .http import Request, Response, json_response
from .isolated import Isolated

_TAG = re.compile(r"/images/.+/tag")


def note(request: Request, client: Isolated, path: str, backend: Backend) -> None:
    """Remember whose a name is that a request is about to make. ``path`` has no version."""
    for name in _asked(request, path):
        try:
            backend.store.find(name)
        except references.InvalidReference:
            continue  # the operation says what is wrong
        except NoSuchImage:
            backend.names_of_isolated[canonical_name(name)] = client.owner


def remove(client: Isolated, name: str, backend: Backend) -> Response:
    """Take a name of the client's own away.

    Raises:
        Forbidden: another program made the name, or it is an ID.
        NoSuchImage: there is no such image.
    """
    text = unquote(name)
    image = backend.store.find(text)
    known = canonical_name(text)
    if known not in image.names or backend.names_of_isolated.get(known) != client.owner:
        raise Forbidden(
            f"the labs engine refuses to remove the image {text} to a program that is isolated"
            " itself, as the commands of a build and the programs of a container are: it takes away"
            " names that it made itself, and images are the learner's"
        )
    backend.store.untag(known)
    del backend.names_of_isolated[known]
    return json_response([{"Untagged": references.parse(text).familiar}])


def _asked(request: Request, path: str) -> Iterator[str]:
    if path == "/build":
        yield from (name for name in request.query.get("t", []) if name)
    elif path == "/images/create" and request.text("fromImage"):
        yield _joined(request.text("fromImage"), request.text("tag"))
    elif _TAG.fullmatch(path) and request.text("repo"):
        yield _joined(request.text("repo"), request.text("tag"))


def _joined(name: str, tag: str) -> str:
    return f"{name}@{tag}" if ":" in tag else f"{name}:{tag}" if tag else name
