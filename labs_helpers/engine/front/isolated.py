"""Isolated clients of a real daemon: what the front lets them ask, and whose their containers are.

The rules are those of the labs' own engine (api/isolated.py), with four more. No folder is
mounted: between the front's look at a path and the daemon's, a link can take the folder's place. No
program joins a container (exec), since such a program can be given more rights than the container.
None removes an image, since the daemon does not say who made it. And none moves a name of
another's: isolated_names.py. A daemon's images can be read by all.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

from ..api import bodies
from ..api.isolated import Isolated, check_owner, check_request, checked_settings
from ..errors import BadRequest, Forbidden
from ..go_json import decode, loads
from . import isolated_names
from .digest_names import settings_with_id
from .http_messages import RequestHead
from .lending import with_lent_programs
from .resources import Resources

_NONE = "0" * 64


def admitted(client: Isolated, request: RequestHead, resources: Resources) -> bytes:
    """The head of a request that an isolated client may send. Raises EngineError."""
    query = parse_qs(request.query, keep_blank_values=True)
    name = check_request(request.method, request.path, query)
    isolated_names.check(client, request, query, resources)
    if name:
        _check_container(client, request, name, resources)
    if request.method == "DELETE" and request.path.startswith("/images/"):
        raise Forbidden(
            "the labs' front refuses to remove an image to a program that is isolated itself: the"
            " daemon's images are shared by all"
        )
    if request.path != "/containers/json":
        return request.raw
    own = [each for each, owner in resources.owners.items() if owner == client.owner]
    filters = _filters(query.get("filters", [""])[0])
    query["filters"] = [json.dumps({**filters, "id": own or [_NONE]})]
    path = request.target.partition("?")[0]
    return request.with_target(f"{path}?{urlencode(query, doseq=True)}")


def _check_container(
    client: Isolated, request: RequestHead, name: str, resources: Resources
) -> None:
    if request.path.endswith("/exec"):
        raise Forbidden(
            "the labs' front refuses docker exec to a program that is isolated itself: in front of"
            " a daemon, start another container"
        )
    framing = request.framing
    if request.path.endswith("/start") and (framing.chunked or framing.length):
        raise Forbidden("a container is started without settings: give them to docker create")
    found = resources.daemon.container_id(name)
    check_owner(client, resources.owners.get(found, ""), name)


def _filters(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadRequest("invalid filters: not a JSON object")
    return found


def create(client: Isolated, request: RequestHead, body: bytes, resources: Resources) -> Any:
    """Create a container for an isolated client, and return the daemon's answer.

    Raises EngineError.
    """
    try:
        given = decode(loads(body), bodies.CONTAINER)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"invalid JSON: {error}") from error
    settings = json.dumps(checked_settings(client, given, binds=False)).encode()
    settings = settings_with_id(settings, resources.records) or settings
    lent = resources.scratch.parent / "lent"
    settings = with_lent_programs(settings, resources.daemon, lent)
    made = resources.daemon.create_container(request.query, settings)
    resources.owners[str(made["Id"])] = client.owner
    isolated_names.await_end(client, resources)
    return made
