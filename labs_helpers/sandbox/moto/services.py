"""moto's answer to a verified request; a service of moto loads when first called."""

from __future__ import annotations

import io
import logging
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from labs_helpers.files import is_full
from labs_helpers.sandbox.authorization.terms import ApiRequest, CanonicalRequest
from labs_helpers.sandbox.call import HEADERS, Answer, Application, SignedCall
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.moto import answers, iam_operations, patches, principals
from labs_helpers.sandbox.moto.identity import MotoIdentity
from labs_helpers.sandbox.moto.kept.classes import PACKAGES, changes
from labs_helpers.sandbox.moto.kept.state import NotKept, ServiceState
from labs_helpers.sandbox.moto.stacks.calls import serving
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.service.refusal import Refusal

log = logging.getLogger(__name__)


class MotoServices:
    """moto as a function from a verified request to an answer; thread-safe."""

    def __init__(
        self,
        identity: MotoIdentity,
        directory: Directory,
        state: ServiceState,
        scratch: Path,
        answer: Application,
    ) -> None:
        """scratch: where moto may put large bodies; answer: what answers the calls of a stack.

        Nothing of moto is loaded before the first call.
        """
        self._answer = answer
        self._identity = identity
        self._directory = directory
        self._state = state
        state.start_moto = self._start
        self._scratch = scratch
        self._lock = threading.Lock()
        self._application: Any = None
        self._encrypts = False
        self.when_ready: Callable[[str], None] = lambda service: None
        """Called with the service of each call, once moto is loaded and before moto answers."""

    @property
    def loaded(self) -> list[str]:
        """Names of the services that have been called."""
        if self._application is None:
            return []
        return sorted(map(str, self._application.app_instances))

    def call(self, call: SignedCall, asked: ApiRequest, plain: CanonicalRequest) -> Answer:
        """moto's answer; raises Refusal when moto lacks the operation or fails at it.

        plain: the request as it was understood.
        """
        what = f"{asked.service}:{asked.operation}"
        environ = _for_moto(call, plain)

        def answer() -> Answer:
            return answers.of_moto(self._application, environ, asked, call.request)

        try:
            self._ready(call.service)
            if _changes_iam(what):
                # in this order, as a stack that makes a role
                with (
                    self._state.changing(),
                    self._identity.changing(call.principal.account) as kept,
                ):
                    given = answer()
                    kept(given[0].startswith("2"))
            elif changes(asked.service, asked.operation):
                with serving(call), self._state.changing():
                    given = answer()
            else:
                with serving(call):
                    given = answer()
                self._state.keep_new()
            return given
        except (sqlite3.Error, OSError, NotKept) as error:
            log.exception("what %s has changed could not be written", what)
            if is_full(error):
                raise aws_errors.no_room() from error
            raise aws_errors.internal(what) from error

    def _start(self) -> None:
        with self._lock:
            if self._application is None:
                self._application = _start(self._scratch)
                iam_operations.install(self._directory)
                principals.install_on_roles(self._directory)
                self._state.install()

    def _ready(self, service: str) -> None:
        self._start()
        self._identity.ready()
        if service == "tagging":
            for package in sorted(self._state.services):
                self._state.ready(package)
        else:
            self._state.ready(PACKAGES.get(service, service))
        if service in ("s3", "cloudformation"):
            principals.install_on_buckets(self._directory)
        if service == "s3":
            patches.put("moto.s3.models:FakeBucket.get_permission", _permitted)
        if service == "ssm" and not self._encrypts:
            patches.encrypt_secure_strings(self._state.key)
            self._encrypts = True
        if service == "cloudformation":
            from labs_helpers.sandbox.moto.stacks import onto_moto

            onto_moto.install(self._answer)
            _read_templates_from_s3()
        self.when_ready(service)


def _changes_iam(what: str) -> bool:
    """Whether an operation may change IAM; the resources of a stack are calls of their own."""
    service, _, operation = what.partition(":")
    reads = operation.startswith(("Get", "List", "Describe", "Simulate", "Validate"))
    return service == "iam" and not reads


def _start(scratch: Path) -> Any:
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    from labs_helpers.sandbox.moto import memory, templates

    templates.install()
    memory.install()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    patches.put("moto.core.responses:BaseResponse.get_region_from_url", _signed_region)
    return DomainDispatcherApplication(create_backend_app)


def _permitted(bucket: Any, action: str, resource: str) -> Any:
    from moto.iam.access_control import PermissionResult

    return PermissionResult.PERMITTED


def _read_templates_from_s3() -> None:
    """Read a template's URL as the decision read it; moto reads the URL in another way.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    from moto.core.exceptions import ServiceException
    from moto.s3.models import s3_backends

    from labs_helpers.sandbox.authorization.s3_requests import object_of_url
    from labs_helpers.sandbox.moto import templates

    def read(url: str, account_id: str, partition: str) -> str:
        place = object_of_url(url)
        if place is None:
            words = "TemplateURL must reference a valid S3 object to which you have access."
            raise Refusal("ValidationError", words)
        try:
            found = s3_backends[account_id][partition].get_object(*place)
        except ServiceException as error:
            raise _unread(str(error.message)) from error
        if found is None:
            raise _unread("The specified key does not exist.")
        text = bytes(found.value).decode(errors="replace")
        templates.parse(text)
        return text

    for module in ("models", "responses"):
        patches.put(f"moto.cloudformation.{module}:get_stack_from_s3_url", read)


def _unread(words: str) -> Refusal:
    return Refusal("ValidationError", f"S3 error: {words}")


def _signed_region(response: Any, request: Any, url: str) -> str:
    """The region that was signed, in place of one that moto finds in a URL or a user agent."""
    return str(request.headers["Authorization"].split(",")[0].split("/")[2])


def _for_moto(call: SignedCall, plain: CanonicalRequest) -> WSGIEnvironment:
    """The request in the form of moto's own server, with the account that we verified.

    moto gets only what the decision was made on: path, query and body as they were understood.
    """
    environ, signature = call.environ, call.signature
    scope = f"{signature.access_key_id}/{signature.scope}"
    headers = environ[HEADERS]
    underscored = {
        f"HTTP_{name.upper().replace('-', '_')}": name for name in headers if "_" in name
    }
    dropped = {f"HTTP_{name.upper().replace('-', '_')}" for name in plain.drop}
    dropped -= {f"HTTP_{name.upper().replace('-', '_')}" for name in _OURS}
    kept = {name: value for name, value in environ.items() if name not in dropped}
    kept.pop("CONTENT_TYPE", None)
    if plain.content_type:
        kept["CONTENT_TYPE"] = plain.content_type
    for name, value in plain.headers.items():
        kept[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return kept | {
        "REQUEST_METHOD": plain.method,
        "REQUEST_URI": f"{plain.path}?{plain.query}" if plain.query else plain.path,
        "RAW_URI": f"{plain.path}?{plain.query}" if plain.query else plain.path,
        "PATH_INFO": unquote_to_bytes(plain.path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": plain.query,
        "HTTP_HOST": plain.host,
        # of the resources, whose policies have let the caller in
        "HTTP_X_MOTO_ACCOUNT_ID": plain.account or call.principal.account,
        # a presigned request has it in the query only, where moto does not look
        "HTTP_AUTHORIZATION": (
            f"AWS4-HMAC-SHA256 Credential={scope}, "
            f"SignedHeaders={';'.join(signature.signed_headers)}, Signature={signature.digest}"
        ),
        # how moto's own server passes on names that WSGI cannot hold
        "moto.preserved_header_names": underscored,
        "CONTENT_LENGTH": str(len(plain.body)),
        "wsgi.input": io.BytesIO(plain.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
    }


_OURS = ("host", "authorization", "x-moto-account-id")
