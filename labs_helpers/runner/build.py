"""One build of CodeBuild: the job that sandbox/codebuild/owner.py submits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from labs_helpers.buildspec import Build, Log, Result, Settings
from labs_helpers.buildspec.build import CannotRun
from labs_helpers.buildspec.result import Context, PhaseEnded
from labs_helpers.buildspec.scratch import scratch
from labs_helpers.buildspec.source import SourceError
from labs_helpers.buildspec.variables import Identity, user
from labs_helpers.runner import (
    build_container,
    build_images,
    build_spec,
    clients,
    environment,
    landlock,
    outputs,
    reports,
)
from labs_helpers.runner.build_inputs import Failed, Inputs
from labs_helpers.runner.cloud_logs import CloudLog, NoLog
from labs_helpers.runner.contained import ContainedProcesses, Place
from labs_helpers.runner.container_processes import ContainerProcesses
from labs_helpers.runner.engine_client import Engine
from labs_helpers.runner.grouped import GroupedProcesses
from labs_helpers.runner.runner import STOPPED, Job
from labs_helpers.runner.watch import Limits, Watch
from labs_helpers.workspace import Workspace

_Commands = ContainedProcesses | ContainerProcesses | GroupedProcesses
_UNCONFINED = (
    "this system cannot keep the commands of a build in the build's folder: they can write "
    "wherever you can"
)


def work(workspace: Workspace, job: Job, limits: Limits | None = None) -> None:
    """Do a build, and report its phases and its end; raises Lost."""
    with scratch(workspace.home / "builds") as folder:
        _Builder(workspace, job, folder, limits or Limits()).run()


class _Builder:
    def __init__(self, workspace: Workspace, job: Job, folder: Path, limits: Limits) -> None:
        self._workspace = workspace
        self._job = job
        self._folder = folder
        self._limits = limits
        self._build: dict[str, Any] = job.body["build"]
        self._uuid = self._build["id"].partition(":")[2]
        self._endpoint = job.desk.endpoint
        self._offset = timedelta(seconds=job.body["clock_offset"])
        self._processes: _Commands | None = None
        self._container: build_container.BuildContainer | None = None
        self._instead = ""
        self._clients: dict[str, Any] = {}

    def run(self) -> None:
        cloud: CloudLog | None = None
        phase = "PROVISIONING"
        try:
            with self._environment():
                cloud = self._open_log()
                log = Log(cloud.write if cloud else _nowhere, self._now)
                self._job.report(_ended("PROVISIONING", "SUCCEEDED", Context()))
                phase = "DOWNLOAD_SOURCE"
                self._begins(phase)
                try:
                    result, facts = self._run(log)
                except Failed as failed:
                    log.container("Phase is DOWNLOAD_SOURCE")
                    _say(log, "DOWNLOAD_SOURCE", failed.context)
                    raise
        except Failed as failed:
            self._close(cloud)
            self._job.report(_ended(phase, "FAILED", failed.context))
            self._job.ended(status="FAILED")
            return
        self._close(cloud)
        if result.status == "STOPPED" and self._job.stopping != STOPPED:
            self._job.ended(fault=self._ended_by_us)
            return
        self._job.ended(status=result.status, exported=dict(result.exported), **facts)

    @contextmanager
    def _environment(self) -> Iterator[None]:
        """The container of the environment's image, where one can run; raises Failed."""
        login = build_images.Login(self._client, self._job.body["registryPassword"])
        socket = self._workspace.socket if self._build["environment"]["privilegedMode"] else None
        found = build_container.Provider(Engine(self._workspace.socket), self._build, login)
        try:
            self._container = found.start(self._uuid, self._folder, socket)
        except build_images.NoImage as error:
            raise Failed(build_images.CODE, str(error)) from error
        except build_container.CannotStart as error:
            raise Failed("CLIENT_ERROR", str(error)) from error
        self._instead = found.instead
        try:
            yield
        finally:
            found.close()

    @property
    def _logged(self) -> bool:
        return "groupName" in self._build["logs"]

    def _open_log(self) -> CloudLog | None:
        """The log stream; None for a project without a log; raises Failed."""
        if not self._logged:
            return None
        logs = self._build["logs"]
        cloud = CloudLog(self._client("logs"), logs["groupName"], logs["streamName"])
        try:
            cloud.open()
        except NoLog as error:
            # https://github.com/juspay/hyperswitch-cdk/pull/37 has the message
            raise Failed(
                "ACCESS_DENIED",
                f"Service role {self._build['serviceRole']} does not allow AWS CodeBuild to create "
                f"Amazon CloudWatch Logs log streams for build {self._build['arn']}. "
                f"Error message: {error}",
            ) from error
        return cloud

    def _run(self, log: Log) -> tuple[Result, dict[str, Any]]:
        log.container("Running on CodeBuild On-demand")
        log.hide([self._job.body["credentials"][name] for name in _SECRET])
        if not self._container and not landlock.version():
            log.labs(_UNCONFINED)
        if self._instead:
            log.labs(self._instead)
        home, tmp, source = (self._folder / name for name in ("home", "temporary", "source"))
        for each in (home, tmp, source):
            each.mkdir()
        given = Inputs(self._job, self._folder, self._client)
        secondary = given.fetch(source)
        spec = given.spec(source)
        overrides = given.overrides(log)
        made = outputs.Outputs(
            self._build["output"],
            self._build.get("secondaryOutput", []),
            self._uuid,
            self._client,
            self._folder.parent,
        )
        work = self._folder / "work"
        work.mkdir()
        settings = Settings(
            source=source,
            secondary=secondary,
            scratch=work,
            destination=self._folder / "out",
            environment=self._variables(home, tmp),
            client=self._client,
            overrides=overrides,
            identity=self._identity,
            buildspec=build_spec.name_of(self._build["source"]),
            deliver=made.deliver,
            report=reports.Reports(self._job).deliver,
            begins=self._begins,
            ends=self._ends,
            processes=self._contained,
            user="root" if self._container else user(),
        )
        try:
            build = Build(spec, settings, log)
        except CannotRun as error:
            raise Failed("CLIENT_ERROR", str(error)) from error
        watch = Watch(
            lambda: self._processes,
            self._folder,
            self._limits,
            build.give_up,
            time.monotonic() + self._build["timeoutInMinutes"] * 60,
            build.time_out,
        )
        self._job.on_stop(build.stop)
        try:
            result = build.run()
        except SourceError as error:
            raise Failed("CLIENT_ERROR", str(error)) from error
        finally:
            watch.close()
        beside = [
            made.secondary.get(each["artifactIdentifier"], each)
            for each in self._build.get("secondaryArtifacts", [])
        ]
        return result, {"artifacts": made.facts, "secondaryArtifacts": beside}

    def _variables(self, home: Path, tmp: Path) -> dict[str, str]:
        body = self._job.body
        if self._container:
            return environment.in_container(self._container.image.environment, body, self._endpoint)
        return environment.variables(self._workspace, body, self._endpoint, home, tmp)

    def _contained(self, output: Callable[[bytes], None]) -> _Commands:
        if self._container:
            self._processes = ContainerProcesses(output, self._container, self._folder)
            return self._processes
        if sys.platform != "linux":
            self._processes = GroupedProcesses(output)
            return self._processes
        secrets = environment.secrets(self._workspace)
        readable = environment.readable(self._workspace, secrets)
        self._processes = ContainedProcesses(
            output,
            Place(
                self._folder,
                secrets,
                readable,
                environment.sockets(self._workspace, self._job.body),
            ),
        )
        return self._processes

    @cached_property
    def _identity(self) -> Identity:
        build = self._build
        return Identity(
            project=build["projectName"],
            uuid=self._uuid,
            account=self._job.body["account"],
            region=self._job.body["region"],
            number=build["buildNumber"],
            initiator=build["initiator"],
            local=False,
        )

    def _client(self, service: str) -> Any:
        """A client with the rights of the build's role."""
        if service not in self._clients:
            body = self._job.body
            self._clients[service] = clients.make(
                service, body["region"], self._endpoint, body["credentials"]
            )
        return self._clients[service]

    def _now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def _begins(self, phase: str) -> None:
        self._job.report({"type": "begins", "phase": phase})

    @property
    def _ended_by_us(self) -> str:
        return f"The build was ended: {self._job.stopping}."

    def _ends(self, phase: PhaseEnded) -> None:
        if phase.status == "STOPPED" and self._job.stopping not in ("", STOPPED):
            context = Context("INTERNAL_SERVICE_ERROR", self._ended_by_us)
            self._job.report(_ended(phase.type, "FAULT", context))
            return
        self._job.report(_ended(phase.type, phase.status, phase.context))

    def _close(self, cloud: CloudLog | None) -> None:
        if cloud:
            cloud.close()


_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def _ended(phase: str, status: str, context: Context) -> dict[str, Any]:
    found: Sequence[Mapping[str, str]] = [
        {"statusCode": context.status_code, "message": context.message}
    ]
    return {"type": "ends", "phase": phase, "status": status, "contexts": found}


def _say(log: Log, phase: str, context: Context) -> None:
    log.container(f"Phase complete: {phase} State: FAILED")
    log.container(f"Phase context status code: {context.status_code} Message: {context.message}")


def _nowhere(text: str) -> None:
    """The log of a project that keeps none."""
