"""Errors of the engine's API: an HTTP status, and a message in Docker's own words."""

from __future__ import annotations


class EngineError(Exception):
    """The client gets the HTTP ``status`` and ``{"message": str(error)}``.

    In a stream, ``exit_code`` is the exit status of a failed RUN, which the client takes over.
    """

    status = 500
    exit_code: int | None = None


class BadRequest(EngineError):
    """The request cannot be understood."""

    status = 400


class Unauthorized(EngineError):
    """The registry does not accept the credentials."""

    status = 401


class Forbidden(EngineError):
    """The request is valid, and not allowed."""

    status = 403


class NotFound(EngineError):
    """What the request names does not exist."""

    status = 404


class NotSupported(EngineError):
    """Docker supports this; the labs engine does not."""

    status = 501


def missing_object(path: str) -> str:
    """What dockerd says of a path of one object that it does not have; "" for another path.

    docker inspect tries every kind of object in turn, and goes on after a 404. A container's path
    ends with /json, and a name may have slashes, as that of an image has.
    """
    kind, _, name = path.removeprefix("/").partition("/")
    inspected = name.removesuffix("/json")
    if not name or (kind in ("containers", "plugins") and inspected == name):
        return ""
    return {
        "containers": f"No such container: {inspected}",
        "networks": f"network {name} not found",
        "volumes": f"get {name}: no such volume",
        "plugins": f'plugin "{inspected}" not found',
    }.get(kind, "")
