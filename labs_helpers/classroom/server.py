"""The two small servers of a class: one takes progress from laptops, one shows the room's page.

Both ask for a token, which is the path: other people of the machine or the network reach the port
too. No browser keeps an answer, and what was sent is kept in files only.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.classroom import handouts
from labs_helpers.classroom.journals import LARGEST_CLASS, MOST_HOMES
from labs_helpers.files import LabsError, is_full, replace_file
from labs_helpers.runtime.http_server import PatientServer

LARGEST = 2_000_000
"""Bytes of one learner's progress; 10,000 events take about 900,000."""
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_OTHER = "This is not what `labs progress --send` sends."
Answer = tuple[str, str, bytes]


class _Refused(Exception):
    """A request is refused, with HTTP's status and a sentence."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


def listener(inbox: Path, token: str) -> WSGIApplication:
    """Takes ``POST /<token>/`` with a learner's progress, and answers what is handed out.

    What a whole class sends has limits, too: the token is every learner's.
    """
    one_at_a_time = threading.Lock()

    def answer(environ: WSGIEnvironment) -> Answer:
        if environ["REQUEST_METHOD"] != "POST":
            raise _Refused("405 Method Not Allowed", "Send with: labs progress --send ADDRESS")
        document = _json(_body(environ))
        learner, name, events = (document.get(key) for key in ("id", "name", "events"))
        if not isinstance(learner, str) or not _ID.fullmatch(learner):
            raise _Refused("400 Bad Request", _OTHER)
        if not isinstance(name, str) or not isinstance(events, list):
            raise _Refused("400 Bad Request", _OTHER)
        file = inbox / f"{learner}.json"
        with one_at_a_time:
            _keep(file, document)
        said = json.dumps(handouts.document(handouts.read(inbox)))
        return "200 OK", "application/json", said.encode()

    return _application(token, answer)


def pages(token: str, page: Callable[[], str]) -> WSGIApplication:
    """Shows ``GET /<token>/``: the page, made anew each time."""

    def answer(environ: WSGIEnvironment) -> Answer:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise _Refused("405 Method Not Allowed", "This page can only be read.")
        return "200 OK", "text/html; charset=utf-8", page().encode()

    return _application(token, answer)


def serving(host: str, port: int, application: WSGIApplication) -> PatientServer:
    """A server that is bound, so that ``bind_addr`` says its port; ``serve`` it then.

    Raises LabsError for an address that cannot be used.
    """
    server = PatientServer((host, port), application, threads=4, most_threads=64, timeout=10)
    try:
        server.prepare()
    except OSError as error:
        raise LabsError(f"Cannot listen on {host}, port {port}: {error}.") from error
    return server


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(18)


def _application(token: str, answer: Callable[[WSGIEnvironment], Answer]) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        try:
            given = environ["PATH_INFO"].strip("/").encode("latin-1", "replace")
            if not hmac.compare_digest(given, token.encode()):
                raise _Refused("403 Forbidden", "The address is not the whole one: copy it again.")
            status, kind, body = answer(environ)
        except _Refused as why:
            status, kind, body = why.status, "text/plain; charset=utf-8", f"{why}\n".encode()
        except LabsError as why:
            status, kind = "500 Internal Server Error", "text/plain; charset=utf-8"
            body = f"{why}\n".encode()
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start(status, headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    return application


def _body(environ: WSGIEnvironment) -> bytes:
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        raise _Refused("411 Length Required", "The length of what is sent is missing.")
    if int(length) > LARGEST:
        raise _Refused("413 Content Too Large", f"More than {LARGEST:,} bytes were sent.")
    body = environ["wsgi.input"].read(int(length))
    if len(body) != int(length):
        raise _Refused("400 Bad Request", "What was sent ended too early.")
    return bytes(body)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refused("400 Bad Request", _OTHER)
    return found


def _keep(file: Path, document: dict[str, Any]) -> None:
    kept = {name: document.get(name) for name in ("version", "id", "name", "events")}
    text = json.dumps(kept).encode()
    try:
        _check_room(file, len(text))
        replace_file(file, text, 0o600)
    except OSError as error:
        why = "The disk is full." if is_full(error) else f"It cannot be kept: {error.strerror}."
        raise _Refused("507 Insufficient Storage", why) from error


def _check_room(file: Path, size: int) -> None:
    """Raise _Refused where the inbox would have too many files or bytes; and OSError."""
    others = [each for each in file.parent.glob("*.json") if each != file]
    if len(others) >= MOST_HOMES:
        why = f"The class is full: {MOST_HOMES:,} learners have sent their progress."
    elif sum(each.lstat().st_size for each in others) + size > LARGEST_CLASS:
        why = f"The class is full: it has sent {LARGEST_CLASS // 1_000_000} MB of progress."
    else:
        return
    advice = "Tell your instructor, who can remove files from the inbox."
    raise _Refused("507 Insufficient Storage", f"{why} {advice}")
