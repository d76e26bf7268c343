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
