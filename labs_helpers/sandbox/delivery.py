"""The services of the way from a commit to tasks that run, assembled.

Some of them ask services that are made later: they get functions that look the service up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from labs_helpers.sandbox import applications
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.balancing.balancing import TOPIC as BALANCING_CHANGED
from labs_helpers.sandbox.balancing.balancing import Balancing
from labs_helpers.sandbox.call import Application
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codebuild.service import CodeBuildService
from labs_helpers.sandbox.codecommit.service import CodeCommitService
from labs_helpers.sandbox.codeconnections.service import CodeConnections
from labs_helpers.sandbox.codedeploy.service import CodeDeployService
from labs_helpers.sandbox.codepipeline.service import CodePipelineService
from labs_helpers.sandbox.control_api import Routes
from labs_helpers.sandbox.ecs.service import EcsService
from labs_helpers.sandbox.eks.service import EksService
from labs_helpers.sandbox.iam.service_roles import ServiceRoles
from labs_helpers.sandbox.moto import alarms
from labs_helpers.sandbox.service.events import Event
from labs_helpers.sandbox.service.store import Store
from labs_helpers.sandbox.service.work import Desk
from labs_helpers.sandbox.service.worker import Worker


@dataclass(frozen=True)
class Delivery:
    """The services, with ``emit``, to which each event of the sandbox goes."""

    connections: CodeConnections
    codecommit: CodeCommitService
    codebuild: CodeBuildService
    codepipeline: CodePipelineService
    codedeploy: CodeDeployService
    ecs: EcsService
    eks: EksService
    emit: Callable[[Event], None]

    @property
    def stores(self) -> tuple[Store, ...]:
        return (
            self.codebuild.store,
            self.codebuild.reports.store,
            self.codepipeline.store,
            self.connections.store,
            self.ecs.store,
            self.codedeploy.store,
            self.codecommit.store,
            self.eks.store,
        )

    @property
    def workers(self) -> tuple[Worker[Any], ...]:
        return self.codepipeline.driver, self.ecs.scheduler, self.codedeploy.driver

    def applications(self, authorizer: Authorizer) -> dict[str, Application]:
        """The application of each service, by the name with which requests are signed."""
        decided = partial(partial, applications.decided, authorizer)
        return {
            "codebuild": decided(self.codebuild),
            "codecommit": decided(self.codecommit),
            "codepipeline": decided(self.codepipeline),
            "codedeploy": decided(self.codedeploy),
            "ecs": decided(self.ecs),
            "eks": partial(applications.decided_rest, authorizer, self.eks),
            **{name: decided(service) for name, service in self.connections.services.items()},
        }

    def routes(self) -> Routes:
        """What the labs ask over the control API."""
        return {**self.connections.connections.routes(), **self.codebuild.reports.routes()}

    def alarm_changed(self) -> None:
        """An alarm may have changed: for the deployments that watch alarms."""
        self.codedeploy.driver.wake()
        self.ecs.scheduler.wake()


def build(
    folder: Path,
    clock: Clock,
    authorizer: Authorizer,
    desk: Desk,
    roles: ServiceRoles,
    balancing: Balancing,
    to_rules: Callable[[Event], None],
    is_role: Callable[[str], bool],
    registry_password: Callable[..., str],
) -> Delivery:
    """The services, with their state in folders of ``folder``.

    to_rules: gives an event to EventBridge's rules; is_role: whether IAM has a role of an ARN;
    registry_password: a password for ECR with a role's rights.

    Raises OSError or sqlite3.Error when a folder cannot be used.
    """
    authorize = authorizer.authorize
    connections = CodeConnections(
        folder / "codeconnections",
        clock,
        authorize,
        desk,
        lambda *pushes: codepipeline.pushed(*pushes),
    )
    codepipeline = CodePipelineService(
        folder / "codepipeline",
        clock,
        authorize,
        desk,
        roles,
        to_rules,
        connections.connections.folder,
        lambda *commit: codecommit.repositories.archive(*commit),
    )

    def emit(event: Event) -> None:
        """To the rules, and to pipelines and deployments, which wait for what others do."""
        to_rules(event)
        codepipeline.driver.wake()
        codedeploy.driver.wake()

    codecommit = CodeCommitService(
        folder / "codecommit", clock, authorize, emit, codepipeline.driver.look_at_sources
    )
    codedeploy = CodeDeployService(
        folder / "codedeploy",
        clock,
        authorize,
        roles,
        emit,
        applications.Surroundings(lambda *service: ecs.controller(*service), balancing),
    )
    codebuild = CodeBuildService(
        folder / "codebuild",
        clock,
        authorize,
        desk,
        roles,
        emit,
        connections.connections.folder,
        registry_password,
    )
    ecs = EcsService(folder / "ecs", clock, authorize, desk, roles, emit, balancing, alarms.look)
    eks = EksService(folder / "eks", clock, authorize, roles, is_role)
    balancing.store.subscribe(BALANCING_CHANGED, ecs.scheduler.wake)
    for worker in (ecs.scheduler, codepipeline.driver, codedeploy.driver):
        clock.subscribe(worker.wake)
    return Delivery(connections, codecommit, codebuild, codepipeline, codedeploy, ecs, eks, emit)
