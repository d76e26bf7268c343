"""What the engine answers when something cannot be done: a status and Docker's own words."""

from __future__ import annotations


class EngineError(Exception):
    """An answer to the client: HTTP ``status`` and ``{"message": str(error)}``.

    In a stream, ``exit_code`` is the exit status that a client ends with, where it is not 1.
    """

    status = 500
    exit_code: int | None = None


class BadRequest(EngineError):
    """The request cannot be understood."""

    status = 400


class Unauthorized(EngineError):
    """The registry does not accept who is asking."""

    status = 401


class Forbidden(EngineError):
    """The request is understood and refused."""

    status = 403


class NotFound(EngineError):
    """What the request names does not exist."""

    status = 404


class NotSupported(EngineError):
    """Docker does this; the labs engine does not."""

    status = 501
