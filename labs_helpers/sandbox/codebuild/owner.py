"""The builds at the desk: what the runner is given, and what its reports make of a build.

Events of the runner (labs_helpers/runner/build.py):
    {"type": "begins", "phase"}, {"type": "ends", "phase", "status", "contexts"},
    {"type": "source", "commit"} of a source in git,
    {"type": "ended", "status", "exported", "artifacts"} or {"type": "ended", "fault"}
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.codebuild import builds, events, projects, store
from labs_helpers.sandbox.codebuild.naming import repository_on_github
from labs_helpers.sandbox.iam.service_roles import (
    Assumed,
    Principal,
    RoleRefused,
    ServiceRoles,
)
from labs_helpers.sandbox.identity import Authorize
from labs_helpers.sandbox.service.errors import AccessDenied
from labs_helpers.sandbox.service.events import Emit
from labs_helpers.sandbox.service.jobs import ENDED, Event, Job
from labs_helpers.sandbox.service.store import Store

KIND = "codebuild"
CODEBUILD = Principal("codebuild.amazonaws.com", "CodeBuild")
_SPARE = timedelta(minutes=15)
"""How much longer than the build's time limit the role's session lasts."""

AGAIN = "The build did nothing wrong: start it again, or retry the stage of its pipeline."
"""What to do after a fault. AWS's own answer to a build that it could not finish is to try again:
https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html"""

Change = Callable[[store.Document, float], None]


class Builds:
    """`jobs.Owner` of CodeBuild's builds; thread-safe."""

    def __init__(
        self,
        state: Store,
        clock: Clock,
        roles: ServiceRoles,
        emit: Emit,
        authorize: Authorize,
        folder: Callable[[str, str], str],
        password: Callable[[str, str, str], str],
    ) -> None:
        """folder: of a connection and a repository; raises LookupError. password: for a registry of
        Amazon ECR, of a service, the ARN for which the service acts, and the registry's host."""
        self._password = password
        self._authorize = authorize
        self._folder = folder
        self._store = state
        self._clock = clock
        self._roles = roles
        self._emit = emit

    def claimed(self, job: Job) -> dict[str, Any] | None:
        """PROVISIONING begins, with the role's session; None for a build that has ended already."""
        place, build_id = _place(job), job.id
        with self._store.read() as db:
            row = store.build(db, place, build_id)
        if row is None or row["status"] != store.RUNNING:
            return None
        build = json.loads(row["body"])
        now = self._clock.now()
        waited = now.timestamp() - build["startTime"]
        if waited > build["queuedTimeoutInMinutes"] * 60:
            context = [{"statusCode": "BUILD_TIMED_OUT", "message": "Build has timed out. "}]
            self._change(place, build_id, partial(_fail, status="TIMED_OUT", contexts=context))
            return None
        self._change(place, build_id, partial(_begin, phase="PROVISIONING"))
        try:
            taken = self._taken(place, build)
        except RoleRefused as error:
            context = [{"statusCode": "ACCESS_DENIED", "message": str(error)}]
            self._change(place, build_id, partial(_fail, status="FAILED", contexts=context))
            return None
        folders = {}
        for source in (build["source"], *build.get("secondarySources", [])):
            name = source.get("sourceIdentifier", "")
            try:
                folders[name] = self._connected(source, taken)
            except (LookupError, AccessDenied) as error:
                self._change(place, build_id, partial(_begin, phase="DOWNLOAD_SOURCE"))
                which = f"source {name}" if source is not build["source"] else "primary source"
                context = [{"statusCode": "CLIENT_ERROR", "message": f"{error} for {which}"}]
                self._change(place, build_id, partial(_fail, status="FAILED", contexts=context))
                return None
        offset = now - datetime.now(UTC)
        return {
            "folders": folders,
            "build": build,
            "account": place[0],
            "region": place[1],
            "credentials": taken.environment,
            "registryPassword": self._own_password(place, build),
            "clock_offset": offset.total_seconds(),
        }

    def _own_password(self, place: store.Place, build: store.Document) -> str:
        """By which CodeBuild itself pulls the environment's image; "" where the role pulls it."""
        environment = build["environment"]
        if environment["imagePullCredentialsType"] != "CODEBUILD":
            return ""
        host = environment["image"].partition("/")[0]
        return self._password(CODEBUILD.name, projects.arn(*place, build["projectName"]), host)

    def arn(self, place: store.Place, build_id: str) -> str:
        return f"arn:aws:codebuild:{place[1]}:{place[0]}:build/{build_id}"

    def document(self, place: store.Place, build_id: str) -> store.Document:
        """A build that runs; raises LookupError."""
        with self._store.read() as db:
            row = store.build(db, place, build_id)
        if row is None or row["status"] != store.RUNNING:
            raise LookupError(f"the build {build_id} is not in progress")
        found: store.Document = json.loads(row["body"])
        return found

    def require(
        self, place: store.Place, build: store.Document, action: str, resource: str
    ) -> None:
        """Raise AccessDenied unless the role of a build may do an action."""
        taken = self._taken(place, build)
        self._authorize(taken.session.principal, action, resource)

    def reports(self, place: store.Place, build_id: str, arn: str) -> None:
        """The build has a report."""

        def add(build: store.Document, at: float) -> None:
            build["reportArns"] = [*build.get("reportArns", []), arn]

        self._change(place, build_id, add)

    def check_connection(self, place: store.Place, project: Mapping[str, Any]) -> None:
        """Whether the role of a project reaches the source over a connection.

        Raises RoleRefused; AccessDenied without the rights, LookupError without the repository.
        """
        lasts = timedelta(minutes=15)
        taken = self._session(place, project["name"], project["serviceRole"], "AWSCodeBuild", lasts)
        self._connected(project["source"], taken)

    def _taken(self, place: store.Place, build: store.Document) -> Assumed:
        """A session of the build's role; raises RoleRefused."""
        name = f"AWSCodeBuild-{build['id'].partition(':')[2]}"
        lasts = timedelta(minutes=build["timeoutInMinutes"]) + _SPARE
        return self._session(place, build["projectName"], build["serviceRole"], name, lasts)

    def _session(
        self, place: store.Place, project: str, role: str, name: str, lasts: timedelta
    ) -> Assumed:
        """A session of the role of a project or of its build; raises RoleRefused."""
        keys = {
            "aws:sourcearn": (projects.arn(*place, project),),
            "aws:sourceaccount": (place[0],),
        }
        return self._roles.assume(role, CODEBUILD, name, place[1], keys, lasts)

    def _connected(self, source: Mapping[str, Any], taken: Assumed) -> str:
        """The git folder of a source on a connection, "" for others; LookupError, AccessDenied.

        https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
        """
        if source["type"] != "GITHUB":
            return ""
        arn = source["auth"]["resource"]
        for action in ("GetConnection", "GetConnectionToken"):
            needed = f"{arn.split(':')[2]}:{action}"
            self._authorize(taken.session.principal, needed, arn)
        return self._folder(arn, repository_on_github(source["location"]) or source["location"])

    def reported(self, job: Job, reports: Sequence[Event]) -> None:
        for each in reports:
            self._change(_place(job), job.id, partial(_apply, event=each))

    def lost(self, job: Job, why: str) -> None:
        """The build is FAULT, and its phase says why.

        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html#CodeBuild-Type-Build-buildStatus
        """
        context = [{"statusCode": "INTERNAL_SERVICE_ERROR", "message": f"{why} {AGAIN}"}]
        self._change(_place(job), job.id, partial(_fail, status="FAULT", contexts=context))

    def stop(self, db: sqlite3.Connection, place: store.Place, build: store.Document) -> None:
        """In a transaction: a build that no runner has, stopped."""
        at = self._clock.now().timestamp()
        before = _ended(build)
        builds.end(build, "STOPPED", at)
        builds.complete(build, "STOPPED", at)
        store.save_build(db, place, build)
        self.announce(place, build, before)

    def begun(self, place: store.Place, build: store.Document) -> None:
        """Emit that a build is in progress, after the commit."""
        self._store.after_commit(
            partial(self._emit, events.state_changed(build, place, self._clock.now()))
        )

    def announce(self, place: store.Place, build: store.Document, before: int) -> None:
        """Emit what changed of a build after the commit; before: the phases that had ended."""
        now = self._clock.now()
        phases = [each for each in build["phases"] if "endTime" in each][before:]
        news = [events.phase_changed(build, each, place, now) for each in phases]
        if build["buildComplete"]:
            news.append(events.state_changed(build, place, now))
        for each in news:
            self._store.after_commit(partial(self._emit, each))

    def _change(self, place: store.Place, build_id: str, change: Change) -> None:
        """Change a build that is in progress, and emit what changed."""
        with self._store.write() as db:
            row = store.build(db, place, build_id)
            if row is None or row["status"] != store.RUNNING:
                return
            build = json.loads(row["body"])
            before = _ended(build)
            change(build, self._clock.now().timestamp())
            store.save_build(db, place, build)
            self.announce(place, build, before)


def job_of(build: store.Document, place: store.Place) -> Job:
    return Job(build["id"], KIND, {"account": place[0], "region": place[1]})


def _place(job: Job) -> store.Place:
    return job.body["account"], job.body["region"]


def _ended(build: store.Document) -> int:
    return sum("endTime" in each for each in build["phases"])


def _begin(build: store.Document, at: float, phase: str) -> None:
    builds.begin(build, phase, at)


def _fail(
    build: store.Document, at: float, status: str, contexts: Sequence[dict[str, str]]
) -> None:
    if builds.end(build, status, at, contexts) is None:
        # between two phases there is none that could say why
        builds.begin(build, "FINALIZING", at)
        builds.end(build, status, at, contexts)
    builds.complete(build, status, at)


def _apply(build: store.Document, at: float, event: Event) -> None:
    match event["type"]:
        case "source":
            build["resolvedSourceVersion"] = event["commit"]
        case "begins":
            builds.begin(build, event["phase"], at)
        case "ends" if event["status"] == "FAULT":
            said = [{**each, "message": f"{each['message']} {AGAIN}"} for each in event["contexts"]]
            builds.end(build, "FAULT", at, said)
        case "ends":
            builds.end(build, event["status"], at, event["contexts"])
        case other if other == ENDED and "fault" in event:
            context = {
                "statusCode": "INTERNAL_SERVICE_ERROR",
                "message": f"{event['fault']} {AGAIN}",
            }
            _fail(build, at, "FAULT", [context])
        case other if other == ENDED:
            builds.begin(build, "FINALIZING", at)
            build["artifacts"] = event.get("artifacts") or build["artifacts"]
            if event.get("secondaryArtifacts"):
                build["secondaryArtifacts"] = event["secondaryArtifacts"]
            if event.get("exported"):
                build["exportedEnvironmentVariables"] = [
                    {"name": name, "value": value} for name, value in event["exported"].items()
                ]
            builds.end(build, "SUCCEEDED", at)
            builds.complete(build, event["status"], at)
