"""The names that isolated clients give to a daemon's images: none is another's, and none stays.

A daemon has one set of names for all its clients. So an isolated client may not give a name that an
image of another's has: the learner's next push would send the client's image. What a build has
named, and its containers, go when the build has ended, as its Docker does on AWS. A pull may move a
name, as the learner's own next pull does: to what the registry has.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping

from labs_helpers.oci import reference as references
from labs_helpers.oci.reference import InvalidReference, Reference
from labs_helpers.runtime import isolated as marks

from ..api.images import repository_tag
from ..api.isolated import Isolated
from ..errors import EngineError, Forbidden
from .http_messages import RequestHead
from .resources import Resources

log = logging.getLogger(__name__)

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_NOBODY = ""
"""The owner of a name that an ended build has left."""
Query = Mapping[str, list[str]]


def check(client: Isolated, request: RequestHead, query: Query, resources: Resources) -> None:
    """Take note of the names that a request gives.

    Raises Forbidden for a name of another's, and for what could give names that are not seen here:
    an archive of images, BuildKit's sessions, and a form, whose fields Go takes for parameters.
    https://pkg.go.dev/net/http#Request.ParseForm
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _FORMS:
        raise Forbidden("the labs' front takes no form: send parameters in the query")
    if request.path == "/images/load":
        raise Forbidden(
            "the labs' front refuses docker load to a program that is isolated itself: an archive"
            " gives names, and the daemon's names are for all. Push the image, and pull it"
        )
    if request.path in ("/grpc", "/session"):
        raise Forbidden(
            "the labs' front refuses BuildKit to a program that is isolated itself: what BuildKit"
            " names is not seen here. DOCKER_BUILDKIT=0 docker build has Docker's classic builder"
        )
    asked = list(_asked(request, query))
    if not asked:
        return
    await_end(client, resources)
    there = resources.daemon.names()
    for reference in asked:
        name = str(reference)
        if name in there and resources.names.get(name) not in (client.owner, _NOBODY):
            raise Forbidden(
                f"the labs' front refuses the name {reference.familiar} to a program that is"
                " isolated itself: an image on this machine has the name. Give another one, or take"
                f" this one away from outside: docker rmi {reference.familiar}"
            )
    resources.names.update({str(reference): client.owner for reference in asked})
    if request.path.endswith("/tag"):
        resources.tagged.update(map(str, asked))


def _asked(request: RequestHead, query: Query) -> Iterator[Reference]:
    """The names that a request gives; a malformed one is the daemon's to refuse."""
    with contextlib.suppress(InvalidReference):
        if request.path == "/build":
            for name in filter(None, query.get("t", [])):
                yield references.parse(name)
            return
        repository = query.get("repo", [""])[0]
        is_tag = request.path.startswith("/images/") and request.path.endswith("/tag")
        if repository and (is_tag or request.path == "/images/create"):
            yield repository_tag(repository, query.get("tag", [""])[0])


def await_end(client: Isolated, resources: Resources) -> None:
    """When the client's build has ended, remove its containers and names."""
    if client.folder and client.owner not in resources.awaited:
        resources.awaited.add(client.owner)
        arguments = (client, resources)
        threading.Thread(target=_wait, args=arguments, daemon=True, name=client.owner).start()


def _wait(client: Isolated, resources: Resources) -> None:
    assert client.folder
    try:
        if marks.wait_for_end(client.folder):
            _end(client.owner, resources)
    except (EngineError, OSError) as error:
        log.warning("what the %s made is still at the daemon: %s", client.owner, error)


def _end(owner: str, resources: Resources) -> None:
    for container in [each for each, whose in list(resources.owners.items()) if whose == owner]:
        with contextlib.suppress(EngineError):  # the build has removed it
            resources.daemon.remove_container(container)
        del resources.owners[container]
    images = resources.daemon.names()
    for name in [each for each, whose in list(resources.names.items()) if whose == owner]:
        if name in resources.tagged and list(images.values()).count(images.get(name, "")) == 1:
            # somebody else may have made the image, which would go with its only name
            resources.names[name] = _NOBODY
            continue
        with contextlib.suppress(EngineError):  # the build has failed, or a container has the image
            resources.daemon.untag(references.parse(name))
        del resources.names[name]
