"""Every AWS service but ECR: moto behind our gateway, one service loaded when first called."""

from __future__ import annotations

import io
import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from labs_helpers.names import REGION
from labs_helpers.sandbox import aws_errors
from labs_helpers.sandbox.aws_errors import Refusal
from labs_helpers.sandbox.http import HEADERS
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.moto_identity import MotoIdentity
from labs_helpers.sandbox.sigv4 import Signature

log = logging.getLogger(__name__)

_SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # no other web page may read what the sandbox answers
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_EVENTS_INVOKE_HTTP": "false",
}

_NO_KEY = "ASIAAAAAAAAAAAAAAAAA"
"""The form of a key, for moto, of a call that has none."""

Answer = tuple[str, list[tuple[str, str]], bytes]


class MotoServices:
    """moto as a function from a verified request to an answer; thread-safe."""

    def __init__(self, identity: MotoIdentity, prepare: Callable[[], None], scratch: Path) -> None:
        """prepare: puts ours into the place of moto's IAM and STS, when called before a call.

        scratch: where moto may put large bodies.
        Nothing of moto is loaded before the first call.
        """
        self._identity = identity
        self._prepare = prepare
        self._scratch = scratch
        self._lock = threading.Lock()
        self._application: Any = None

    @property
    def loaded(self) -> list[str]:
        """Names of the services that have been called."""
        if self._application is None:
            return []
        return sorted(map(str, self._application.app_instances))

    def call(
        self, environ: WSGIEnvironment, body: bytes, principal: Principal, signature: Signature
    ) -> Answer:
        """moto's answer; raises Refusal when moto lacks the operation or fails at it."""
        what = _operation(environ, body, signature.service)
        application = self._ready(signature.service)
        asked = _for_moto(environ, body, principal, signature)
        if not _changes_iam(what):
            return _asked(application, asked, what)
        try:
            with self._identity.changing(principal.account) as kept:
                answer = _asked(application, asked, what)
                kept(answer[0].startswith("2"))
            return answer
        except sqlite3.Error as error:
            log.exception("IAM's state could not be written")
            raise aws_errors.internal(what) from error

    def call_unsigned(self, environ: WSGIEnvironment, body: bytes) -> Answer:
        """The answer to AssumeRoleWithWebIdentity, which brings a token and no signature."""
        principal = Principal("0" * 12, "*", "", _NO_KEY)
        now = datetime.now(UTC)
        scope = Signature(_NO_KEY, REGION, "sts", now, (), "", None, None)
        return self.call(environ, body, principal, scope)

    def _ready(self, service: str) -> Any:
        with self._lock:
            if self._application is None:
                self._application = _start(self._scratch)
        application = self._application
        host = f"{service}.us-east-1.amazonaws.com"
        if not _knows(application, host, service):
            raise aws_errors.not_implemented(f"the service '{service[:60]}'")
        self._identity.ready()
        self._prepare()
        return application


def _asked(application: Any, environ: WSGIEnvironment, what: str) -> Answer:
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        told.append((status, headers))
        return lambda data: None

    try:
        content = _joined(application(environ, start))
    except Refusal:
        raise
    except NotImplementedError as error:
        raise aws_errors.not_implemented(f"the operation {what}") from error
    except Exception as error:
        log.exception("moto failed at %s", what)
        raise aws_errors.internal(what) from error
    status, headers = told[-1]
    _refuse_web_page(status, headers, what)
    return status, headers, content


def _changes_iam(what: str) -> bool:
    """Whether an operation may change IAM: its own, and CloudFormation's stacks with roles."""
    service, _, operation = what.partition(":")
    reads = operation.startswith(("Get", "List", "Describe", "Simulate", "Validate"))
    return service in ("iam", "cloudformation") and not reads


def _start(scratch: Path) -> Any:
    for name in [name for name in os.environ if name.startswith("MOTO_")]:
        del os.environ[name]
    os.environ.update(_SETTINGS)
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


def _knows(application: Any, host: str, service: str) -> bool:
    from moto.moto_server.werkzeug_app import SIGNING_ALIASES

    if service in SIGNING_ALIASES or service in _BY_REQUEST:
        return True
    return any(pattern.match(f"http://{host}") for _, pattern in application.backend_url_patterns)


_BY_REQUEST = {"dynamodb", "sagemaker", "timestream", "s3vectors", "memorydb", "mediastore"}
"""Services whose host moto derives from more than the signature's scope."""


def _for_moto(
    environ: WSGIEnvironment, body: bytes, principal: Principal, signature: Signature
) -> WSGIEnvironment:
    """The request as moto's own server would hand it over, with the account that we verified."""
    uri = environ["REQUEST_URI"]
    path = uri.partition("?")[0]
    scope = f"{signature.access_key_id}/{signature.scope}"
    underscored = {
        f"HTTP_{name.upper().replace('-', '_')}": name for name in environ[HEADERS] if "_" in name
    }
    return environ | {
        "RAW_URI": uri,
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "HTTP_X_MOTO_ACCOUNT_ID": principal.account,
        "HTTP_X_LABS_SOURCE_IP": environ.get("REMOTE_ADDR", ""),
        # a presigned request has it in the query only, where moto does not look
        "HTTP_AUTHORIZATION": (
            f"AWS4-HMAC-SHA256 Credential={scope}, "
            f"SignedHeaders={';'.join(signature.signed_headers)}, Signature={signature.digest}"
        ),
        # how moto's own server passes on names that WSGI cannot hold
        "moto.preserved_header_names": underscored,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
    }


def _joined(parts: Iterable[bytes]) -> bytes:
    try:
        return b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()


def _operation(environ: WSGIEnvironment, body: bytes, service: str) -> str:
    """What was asked, for an error message: the operation where the request names it."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return f"{service}:{target.rpartition('.')[2][:80]}"
    for part in body[:4000].split(b"&") + environ.get("QUERY_STRING", "").encode().split(b"&"):
        if part.startswith(b"Action="):
            return f"{service}:{part[7:87].decode('ascii', 'replace')}"
    path = environ["REQUEST_URI"].partition("?")[0][:120]
    return f"{service}: {environ['REQUEST_METHOD']} {path}"


def _refuse_web_page(status: str, headers: list[tuple[str, str]], what: str) -> None:
    """moto's web framework answers an unknown path with a page; no AWS client can read one."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    if status[:3] in ("404", "405") and kind.startswith("text/html"):
        raise aws_errors.not_implemented(f"the operation {what}")
