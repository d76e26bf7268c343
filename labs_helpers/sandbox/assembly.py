"""The sandbox put together: its state, and the applications over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from labs_helpers.names import REGION
from labs_helpers.sandbox import control, credentials
from labs_helpers.sandbox.aws import MotoServices
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.dispatch import Dispatch
from labs_helpers.sandbox.ecr.layer_downloads import LayerDownloads
from labs_helpers.sandbox.ecr.scan_worker import ScanWorker
from labs_helpers.sandbox.ecr.service import EcrService
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.gateway import Gateway
from labs_helpers.sandbox.identity import Authorize, allow_all
from labs_helpers.sandbox.moto_identity import MotoIdentity
from labs_helpers.sandbox.registry.app import RegistryApp
from labs_helpers.sandbox.status import Status
from labs_helpers.sandbox.trace import Trace, Traced


@dataclass(frozen=True)
class Sandbox:
    """The application behind the port, and the store to close at the end."""

    application: WSGIApplication
    store: Store


def build(
    folder: Path,
    port: int,
    instance: str,
    frozen_at: datetime | None = None,
    authorize: Authorize = allow_all,
) -> Sandbox:
    """The sandbox over its folder (LABS_HOME/sandbox).

    Raises WorkspaceError, OSError or sqlite3.Error when the folder cannot be used.
    """
    clock = Clock(folder / "clock.json", frozen_at)
    learner = credentials.learner(folder / "learner.json")
    token = control.token_in(folder / "control-token")
    store = Store(folder / "ecr", clock)
    identity = MotoIdentity(learner)
    moto = MotoServices(identity, folder / "tmp")
    trace = Trace()
    ScanWorker(store, imports=folder.parent / "advisories")
    account = learner.principal.account
    status = Status(account, REGION, port, instance, clock, store, moto)
    application = Dispatch(
        control=control.ControlApp(instance, token, clock, trace, status),
        layers=LayerDownloads(store, clock),
        registry=Traced(RegistryApp(store, clock, authorize, account, REGION), trace),
        hub=Traced(_Hub(folder / "hub", clock), trace),
        aws=Gateway(identity.find, EcrService(store, clock, authorize), moto),
    )
    return Sandbox(application, store)


class _Hub:
    """The stand-in Docker Hub, imported when first asked for: starting does not wait for it."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._lock = Lock()
        self._application: WSGIApplication | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            if self._application is None:
                from labs_helpers.sandbox.hub.app import HubApp

                self._application = HubApp(self._root, self._clock)
        return self._application(environ, start_response)
