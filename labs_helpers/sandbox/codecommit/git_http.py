"""git's smart HTTP protocol, over the repositories of CodeCommit.

IAM decides codecommit:GitPull and codecommit:GitPush, a push once more for each branch, with the
condition key codecommit:References:
https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-conditional-branch.html
The protocol: https://git-scm.com/docs/http-protocol, https://git-scm.com/docs/pack-protocol.
"""

from __future__ import annotations

import gzip
import logging
import re
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from dulwich.errors import GitProtocolError, HangupException, HookError
from dulwich.hooks import Hook
from dulwich.objects import Commit
from dulwich.protocol import ReceivableProtocol
from dulwich.repo import Repo
from dulwich.server import Backend, ReceivePackHandler, UploadPackHandler

from labs_helpers.sandbox.codecommit import bare
from labs_helpers.sandbox.codecommit.errors import RepositoryDoesNotExist
from labs_helpers.sandbox.codecommit.git_signature import Find, NotSigned, caller
from labs_helpers.sandbox.codecommit.repositories import Repositories
from labs_helpers.sandbox.codecommit.store import Document
from labs_helpers.sandbox.identity import Authorize, Keys, Principal
from labs_helpers.sandbox.request_log import CALLER, OPERATION, REFUSED
from labs_helpers.sandbox.service.errors import AccessDenied

log = logging.getLogger(__name__)

_PATH = re.compile(r"(/v1/repos/([\w.-]{1,100}))/(info/refs|git-(?:upload|receive)-pack)/?")
_HANDLERS: dict[str, tuple[str, type[UploadPackHandler] | type[ReceivePackHandler]]] = {
    "git-upload-pack": ("codecommit:GitPull", UploadPackHandler),
    "git-receive-pack": ("codecommit:GitPush", ReceivePackHandler),
}
_IN_MEMORY = 4 * 1024 * 1024
_PIECE = 256 * 1024


class _Refused(Exception):
    """An answer other than 200; the message is what git prints after `remote:`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GitApp:
    """WSGI for the host git-codecommit.<region>.amazonaws.com."""

    def __init__(
        self,
        find: Find,
        repositories: Repositories,
        authorize: Authorize,
        keys: Callable[[WSGIEnvironment, str], Keys],
        region_of: Callable[[str], str | None],
    ) -> None:
        """keys: condition keys of a request; region_of: a host name."""
        self._find = find
        self._repositories = repositories
        self._authorize = authorize
        self._keys = keys
        self._region_of = region_of

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            kind, content = self._answer(environ)
        except _Refused as refused:
            environ[REFUSED] = HTTPStatus(refused.status).name
            return _say(refused, start_response)
        size = content.tell()
        content.seek(0)
        headers = [
            ("Content-Type", kind),
            ("Content-Length", str(size)),
            ("Cache-Control", "no-cache, max-age=0, must-revalidate"),
        ]
        start_response("200 OK", headers)
        return _pieces(content)

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, IO[bytes]]:
        """The type of the answer, and its content; raises _Refused."""
        found = _PATH.fullmatch(environ["PATH_INFO"])
        host = str(environ["HTTP_HOST"]).partition(":")[0].lower()
        region = self._region_of(host)
        if found is None or region is None:
            raise _Refused(404, f"there is nothing at {environ['PATH_INFO'][:200]}")
        path, name, asked = found[1], found[2], found[3]
        advertised = asked == "info/refs"
        if advertised:
            asked = parse_qs(environ.get("QUERY_STRING", "")).get("service", [""])[0]
        if asked not in _HANDLERS:
            raise _Refused(403, "CodeCommit speaks git's smart protocol only")
        if environ["REQUEST_METHOD"] != ("GET" if advertised else "POST"):
            raise _Refused(405, f"{environ['REQUEST_METHOD']} is not how git asks for this")
        action, handler = _HANDLERS[asked]
        environ[OPERATION] = action
        principal = self._caller(environ, path, host, region)
        pushes = _Pushes(self._authorize, principal, action, self._keys(environ, region))
        pushes.arn = f"arn:aws:codecommit:{region}:{principal.account}:{name}"
        try:
            pushes.require()
            row = self._repositories.require((principal.account, region), name)
            with self._opened(row, principal, pushes, not advertised) as repo:
                return self._handled(environ, repo, asked, handler, advertised)
        except AccessDenied as denied:
            raise _Refused(403, str(denied)) from denied
        except RepositoryDoesNotExist as error:
            raise _Refused(404, error.message) from error

    def _caller(self, environ: WSGIEnvironment, path: str, host: str, region: str) -> Principal:
        header = environ.get("HTTP_AUTHORIZATION", "")
        if not header:
            raise _Refused(401, "CodeCommit asks who you are")
        try:
            principal = caller(header, path, host, region, self._find, datetime.now(UTC))
        except NotSigned as error:
            log.info("git was refused: %s", error)
            raise _Refused(403, str(error)) from error
        environ[CALLER] = principal.arn
        return principal

    def _opened(
        self, row: Document, principal: Principal, pushes: _Pushes, changes: bool
    ) -> AbstractContextManager[Repo]:
        if changes and pushes.action == "codecommit:GitPush":
            pushes.default = f"refs/heads/{row.get('defaultBranch', '')}"
            return self._repositories.changing(row, principal.arn, pushes.watch)
        return self._repositories.reading(row)

    @staticmethod
    def _handled(
        environ: WSGIEnvironment,
        repo: Repo,
        asked: str,
        handler: type[UploadPackHandler] | type[ReceivePackHandler],
        advertised: bool,
    ) -> tuple[str, IO[bytes]]:
        """What dulwich answers, kept in a file, as the whole request is read before the answer."""
        content = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # _pieces closes it
        protocol = ReceivableProtocol(_body(environ), content.write)
        if advertised:
            protocol.write_pkt_line(f"# service={asked}\n".encode())
            protocol.write_pkt_line(None)
        try:
            handler(
                _OneRepository(repo), [""], protocol, stateless_rpc=True, advertise_refs=advertised
            ).handle()
        except (GitProtocolError, HangupException, EOFError, zlib.error, gzip.BadGzipFile) as error:
            content.close()
            raise _Refused(400, f"git's request cannot be read: {error}") from error
        kind = "advertisement" if advertised else "result"
        return f"application/x-{asked}-{kind}", content


class _OneRepository(Backend):
    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def open_repository(self, path: Any) -> Any:
        return self._repo


class _Pushes(Hook):
    """What a push may change, asked as git's hook `update` is: for each reference.

    default: the reference of the default branch.
    """

    def __init__(self, authorize: Authorize, principal: Principal, action: str, keys: Keys) -> None:
        self._authorize = authorize
        self._principal = principal
        self.action = action
        self._keys = keys
        self._repo: Repo | None = None
        self.arn = ""
        self.default = ""

    def require(self, **more: tuple[str, ...]) -> None:
        """Raise AccessDenied unless the caller may do the action on the repository."""
        keys = {**self._keys, **{f"codecommit:{name}": value for name, value in more.items()}}
        self._authorize(self._principal, self.action, self.arn, keys)

    def watch(self, repo: Repo) -> None:
        """Decide on the references that a push to this repository changes."""
        self._repo = repo
        repo.hooks["update"] = self

    def execute(self, *args: Any) -> tuple[bytes, bytes]:
        """(reference, old id, new id); raises HookError, whose text git prints."""
        reference, _, new = (each.decode(errors="replace") for each in args)
        if not reference.startswith(("refs/heads/", "refs/tags/")):
            raise HookError("CodeCommit here takes branches and tags")
        deleted = not new.strip("0")
        if deleted and reference == self.default:
            raise HookError("the default branch cannot be deleted")
        if not deleted:
            found = bare.found_object(self._repo, new) if self._repo else None
            if found is None:
                raise HookError(f"the push does not hold the object {new}")
            if reference.startswith("refs/heads/") and not isinstance(found, Commit):
                raise HookError(f"{new} is no commit")
        try:
            self.require(references=(reference,))
        except AccessDenied as denied:
            raise HookError(str(denied)) from denied
        return b"", b""


def _body(environ: WSGIEnvironment) -> Callable[[int], bytes]:
    """Reads the request, unpacked, up to the limit; raises _Refused beyond the limit."""
    stream: Any = environ["wsgi.input"]
    if environ.get("HTTP_CONTENT_ENCODING", "") in ("gzip", "x-gzip"):
        stream = gzip.GzipFile(fileobj=stream, mode="rb")
    left = bare.LARGEST

    def read(size: int) -> bytes:
        nonlocal left
        data: bytes = stream.read(size)
        left -= len(data)
        if left < 0:
            raise _Refused(413, f"a push here has at most {bare.LARGEST >> 20} MiB")
        return data

    return read


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while piece := content.read(_PIECE):
            yield piece


def _say(refused: _Refused, start_response: StartResponse) -> Iterable[bytes]:
    body = f"{refused}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if refused.status == 401:
        headers.append(("WWW-Authenticate", 'Basic realm="AWS CodeCommit"'))
    start_response(f"{refused.status} {HTTPStatus(refused.status).phrase}", headers)
    return [body]
