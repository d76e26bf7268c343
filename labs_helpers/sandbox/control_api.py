"""The control API under /_labs/: for the owner of the sandbox's files, never for a web page."""

from __future__ import annotations

import hmac
import json
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from labs_helpers.files import NO_ROOM, WorkspaceError, cannot_write, is_full, write_text
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.trace import Trace

SERVICE = "labs-sandbox"
_LONGEST = 100_000

Route = Callable[[dict[str, Any]], dict[str, Any]]
"""Answers one (method, path) from the JSON object that was sent, {} for a GET."""

Routes = Mapping[tuple[str, str], Route]


class ControlRefused(Exception):
    """An answer other than 200: its HTTP status, and what to do about it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def token_in(path: Path) -> str:
    """The control token kept in a file, made when there is none; raises WorkspaceError."""
    try:
        if path.exists() and (token := path.read_text(encoding="ascii").strip()):
            return token
    except UnicodeDecodeError:
        pass  # garbled by a crash: whoever may read the new one may have it
    except OSError as error:
        raise cannot_write(path, OSError(str(error))) from error
    token = secrets.token_urlsafe(32)
    write_text(path, token + "\n", mode=0o600)
    return token


class ControlApp:
    """WSGI for /_labs/health, status, clock and trace, and for other rooms' routes."""

    def __init__(
        self,
        instance: str,
        token: str,
        clock: Clock,
        trace: Trace,
        status: Callable[[], dict[str, Any]],
        routes: Routes | None = None,
    ) -> None:
        self._instance = instance
        self._token = token
        self._clock = clock
        self._trace = trace
        self._status = status
        self._routes = routes or {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            code, document = 200, self._answer(environ)
        except ControlRefused as refused:
            said = NO_ROOM if is_full(refused) else str(refused)
            code, document = refused.status, {"error": said}
        body = json.dumps(document).encode() + b"\n"
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{code} {HTTPStatus(code).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> dict[str, Any]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/_labs/health":
            if method not in ("GET", "HEAD"):
                raise ControlRefused(405, "ask with GET")
            return {"service": SERVICE, "instance": self._instance}
        self._check_caller(environ)
        match (method, path):
            case ("GET", "/_labs/status"):
                return self._status()
            case ("GET", "/_labs/clock"):
                return clock_facts(self._clock)
            case ("POST", "/_labs/clock"):
                return self._advance(environ)
            case ("GET", "/_labs/trace"):
                return {"requests": self._trace.requests()}
            case ("DELETE", "/_labs/trace"):
                self._trace.clear()
                return {"requests": []}
        if route := self._routes.get((method, path)):
            return route(_asked(environ) if method == "GET" else _sent(environ))
        known = path in {each for _, each in self._routes} or path in (
            "/_labs/status",
            "/_labs/clock",
            "/_labs/trace",
        )
        raise ControlRefused(
            405 if known else 404, f"{method} {path[:80]}: there is no such thing here"
        )

    def _check_caller(self, environ: WSGIEnvironment) -> None:
        """Only with the token, and only from a program: a browser says where a page is from."""
        site = environ.get("HTTP_SEC_FETCH_SITE", "none")
        if "HTTP_ORIGIN" in environ or site not in ("none", "same-origin"):
            raise ControlRefused(403, "the control API is not for web pages")
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise ControlRefused(401, "the control API needs the token in sandbox/control-token")

    def _advance(self, environ: WSGIEnvironment) -> dict[str, Any]:
        body = environ["wsgi.input"].read(_LONGEST)
        try:
            asked = json.loads(body)
            seconds = asked["advance_seconds"]
            if isinstance(seconds, bool) or not math.isfinite(seconds):
                raise ValueError("advance_seconds must be a number")
            self._clock.advance(timedelta(seconds=seconds))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            reason = str(error) or "no number"
            raise ControlRefused(
                400, f'send {{"advance_seconds": n}}, n from 0: {reason}'
            ) from error
        except WorkspaceError as error:
            raise ControlRefused(507, str(error)) from error
        return clock_facts(self._clock)


def _asked(environ: WSGIEnvironment) -> dict[str, Any]:
    """The parameters of a query, each once."""
    return dict(parse_qsl(environ.get("QUERY_STRING", "")))


def _sent(environ: WSGIEnvironment) -> dict[str, Any]:
    try:
        found = json.loads(environ["wsgi.input"].read(_LONGEST))
    except (ValueError, RecursionError) as error:
        raise ControlRefused(400, f"send a JSON object: {error}") from error
    if not isinstance(found, dict):
        raise ControlRefused(400, "send a JSON object")
    return found


def clock_facts(clock: Clock) -> dict[str, Any]:
    """{"now": ISO 8601, "offset_seconds", "frozen"} of a clock."""
    return {
        "now": clock.now().isoformat(),
        "offset_seconds": clock.offset.total_seconds(),
        "frozen": clock.frozen,
    }
