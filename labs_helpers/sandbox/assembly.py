"""The sandbox, assembled: its state, its workers, and the applications over the state."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication

from labs_helpers.own_names import USUAL, OwnNames
from labs_helpers.sandbox import applications, control_api, delays
from labs_helpers.sandbox import delivery as delivery_services
from labs_helpers.sandbox.authorization import why
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.authorization.decisions import Decisions
from labs_helpers.sandbox.balancing import store as balancing_store
from labs_helpers.sandbox.balancing.balancing import KIND as BALANCING
from labs_helpers.sandbox.balancing.balancing import Balancing
from labs_helpers.sandbox.call import Answer, Application, SignedCall
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.cloudtrail.trail import CloudTrailService, Trail
from labs_helpers.sandbox.door.dispatch import Dispatch
from labs_helpers.sandbox.door.gateway import Gateway
from labs_helpers.sandbox.ecr import control_routes as ecr_control
from labs_helpers.sandbox.ecr import tokens
from labs_helpers.sandbox.ecr.elsewhere import Elsewhere
from labs_helpers.sandbox.ecr.layer_downloads import LayerDownloads
from labs_helpers.sandbox.ecr.lifecycle_runs import LifecycleWorker
from labs_helpers.sandbox.ecr.scan_worker import ScanWorker
from labs_helpers.sandbox.ecr.service import EcrService
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.eks import node_role
from labs_helpers.sandbox.events import starts
from labs_helpers.sandbox.events import store as event_store
from labs_helpers.sandbox.events.deliveries import Deliveries
from labs_helpers.sandbox.events.delivery import EventDelivery
from labs_helpers.sandbox.events.router import Router
from labs_helpers.sandbox.events.service import EventBridgeService
from labs_helpers.sandbox.events.ticks import Ticks
from labs_helpers.sandbox.iam import control_routes as people_control
from labs_helpers.sandbox.iam import credentials, documents, people
from labs_helpers.sandbox.iam.people import People
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.moto import balancers
from labs_helpers.sandbox.moto.application import OtherServices
from labs_helpers.sandbox.moto.event_targets import SENDERS
from labs_helpers.sandbox.moto.for_ecr import key_for_ecr, secret_for_ecr
from labs_helpers.sandbox.moto.kept.state import ServiceState, use
from labs_helpers.sandbox.moto.records import open_records
from labs_helpers.sandbox.moto.resources import MotoResources
from labs_helpers.sandbox.moto.services import MotoServices
from labs_helpers.sandbox.registry import internet
from labs_helpers.sandbox.registry.app import RegistryApp
from labs_helpers.sandbox.registry.cache import Cache
from labs_helpers.sandbox.registry.context import Made
from labs_helpers.sandbox.registry.rules import ECR, Rules
from labs_helpers.sandbox.registry.upstream import asking
from labs_helpers.sandbox.service import work_routes
from labs_helpers.sandbox.service.store import Store as KitStore
from labs_helpers.sandbox.service.work import Desk
from labs_helpers.sandbox.service.worker import Worker
from labs_helpers.sandbox.status import Status
from labs_helpers.sandbox.trace import Trace, Traced


@dataclass(frozen=True)
class Sandbox:
    """The application behind the port, with the state and the workers to close at the end."""

    application: WSGIApplication
    store: Store
    people: People
    services: ServiceState
    workers: tuple[Worker[Any], ...]
    desk: Desk
    balancing: Balancing
    stores: tuple[KitStore, ...] = ()

    def hang_up(self) -> None:
        """Answer the requests that wait for something to happen, because the server stops."""
        self.desk.close()
        self.balancing.close()
        self.services.hang_up()

    def close(self) -> None:
        """Close the workers, then the databases."""
        for worker in self.workers:
            worker.close()
        for store in (self.store, *self.stores):
            store.close()
        self.people.close()
        self.services.close()


def build(
    folder: Path,
    port: int,
    instance: str,
    frozen_at: datetime | None = None,
    rules: Rules = ECR,
    own: OwnNames = USUAL,
    online: bool = False,
) -> Sandbox:
    """The sandbox with its state in a folder (LABS_HOME/sandbox).

    ``own``: the account in which a first start makes the learner, and the region of requests that
    name none. ``online``: the pull through cache asks the real registries.

    Raises WorkspaceError, OSError or sqlite3.Error when the folder cannot be used.
    """
    clock = Clock(folder / "clock.json", frozen_at)
    learner = credentials.learner(folder / "learner.json", own.account)
    token = control_api.token_in(folder / "control-token")
    store = Store(folder / "ecr", clock)
    records = open_records(folder / "identity", learner)
    who = people.build(folder / "identity", records, clock)
    late = delays.wanted(os.environ)
    if late:
        who = replace(who, directory=late.directory(who.records, who.sessions))

    def answer(call: SignedCall) -> Answer:
        return services.get(call.service, every_other)(call)

    state = use(ServiceState(folder / "services"))
    moto = MotoServices(records.identity, who.directory, state, folder / "tmp", answer)
    rules_of_events = event_store.opened(folder / "events")
    router = Router(rules_of_events, clock)
    known = MotoResources(
        {"events": partial(event_store.policies, rules_of_events)},
        lambda *deployment: delivery.codedeploy.group_of(*deployment),
    )
    authorizer = Authorizer(who.directory, store, clock, Decisions(), known)
    trail = Trail(folder / "cloudtrail", clock, authorizer, router.emit)
    hub = applications.Later(partial(applications.hub, folder / "hub", clock))
    elsewhere = Elsewhere(
        partial(documents.exists, who.directory), key_for_ecr, who.directory, secret_for_ecr
    )
    cache = Cache(store, elsewhere, internet.ask if online else asking(hub), online)
    elsewhere = replace(elsewhere, upstream_failure=cache.failure)
    ecr = EcrService(store, clock, authorizer.authorize, elsewhere)
    desk = Desk()
    balancing = Balancing(
        KitStore(folder / "balancing", "load balancing", balancing_store.SCHEMA),
        desk,
        balancers.look,
        balancers.name_all,
    )
    ours = partial(applications.operations_of_ours, who, balancing)
    others = OtherServices(authorizer, moto, ours, store, rules_of_events)
    every_other = trail.recorded(others)
    home = (learner.principal.account, own.region)
    registry = RegistryApp(
        store,
        clock,
        authorizer.authorize,
        *home,
        rules,
        who.directory.is_there,
        Made(elsewhere, cache),
    )
    pushes = trail.recorded_pushes(late.registry(registry) if late else registry)
    trace = Trace()
    lifecycle = LifecycleWorker(store)
    roles = ServiceRoles(who.directory, who.sessions, port)
    deliveries = Deliveries(
        rules_of_events,
        clock,
        {**SENDERS, **starts.senders(roles, router, rules_of_events)},
        authorizer.require_as_role,
    )
    ticks = Ticks(rules_of_events, clock)
    account = learner.principal.account
    delivery = delivery_services.build(
        folder,
        clock,
        authorizer,
        desk,
        roles,
        balancing,
        router.emit,
        partial(documents.exists, who.directory),
        partial(tokens.of_service, store),
    )
    routes = {
        **people_control.routes(who),
        **why.routes(authorizer, own.region),
        **ecr_control.routes(store),
        **work_routes.routes(desk),
        **node_role.routes(roles),
        **balancing.routes(),
        **delivery.routes(),
    }
    workers: tuple[Worker[Any], ...] = (
        lifecycle,
        ScanWorker(store, imports=folder.parent / "advisories"),
        EventDelivery(store, delivery.emit),
        deliveries,
        ticks,
        *delivery.workers,
        trail,
    )
    decided: dict[str, Application] = {
        "ecr": partial(applications.on_the_kit, ecr),
        "events": partial(
            applications.decided,
            authorizer,
            EventBridgeService(rules_of_events, clock, authorizer.authorize, router),
        ),
        **delivery.applications(authorizer),
        "s3": partial(applications.noticed, others, delivery.codepipeline.driver.look_at_sources),
        "elasticloadbalancing": partial(
            applications.noticed, others, lambda path: balancing.refresh()
        ),
        "monitoring": partial(applications.noticed, others, lambda path: delivery.alarm_changed()),
        "cloudtrail": partial(
            applications.decided, authorizer, CloudTrailService(trail, authorizer)
        ),
    }
    services = {name: trail.recorded(service) for name, service in decided.items()}
    desk.serve(balancing.store, {BALANCING: balancing})
    stores = (*delivery.stores, rules_of_events, balancing.store, trail.store)
    status = Status(account, own.region, port, instance, clock, store, moto, who, state, stores)
    application = Dispatch(
        control=control_api.ControlApp(instance, token, clock, trace, status, routes),
        layers=LayerDownloads(store, clock),
        registry=Traced(pushes, trace),
        hub=Traced(hub, trace),
        git=applications.Later(partial(applications.git, who, delivery.codecommit, authorizer)),
        aws=Gateway(
            who.directory.find,
            services,
            every_other,
            others.unsigned,
            delays=late,
        ),
    )
    for worker in workers:
        worker.start()
    clock.subscribe(lifecycle.work)
    clock.subscribe(ticks.wake)
    clock.subscribe(deliveries.wake)
    return Sandbox(application, store, who, state, workers, desk, balancing, stores)
