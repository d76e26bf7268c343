"""Builds: started, looked at, listed, stopped, repeated."""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.sandbox.codebuild import builds, projects, store
from labs_helpers.sandbox.codebuild.call import CodeBuildCall
from labs_helpers.sandbox.codebuild.errors import InvalidInput, LimitExceeded, no_build, no_project
from labs_helpers.sandbox.codebuild.naming import dated, name_of
from labs_helpers.sandbox.codebuild.owner import job_of
from labs_helpers.sandbox.service import jobs
from labs_helpers.sandbox.service.service import Members

_NO_BATCH = "The sandbox runs single builds only: StartBuild."
NOT_BUILT = {
    **dict.fromkeys(
        (
            "BatchGetBuildBatches",
            "DeleteBuildBatch",
            "ListBuildBatches",
            "ListBuildBatchesForProject",
            "RetryBuildBatch",
            "StartBuildBatch",
            "StopBuildBatch",
        ),
        _NO_BATCH,
    ),
    "ListCuratedEnvironmentImages": (
        "CodeBuild's own images cannot be had: their builds run the programs of this machine."
    ),
    **dict.fromkeys(
        ("StartCommandExecution", "StartSandbox", "StartSandboxConnection"),
        "Run the commands of a buildspec with `labs build` to try them.",
    ),
}

_MOST = 60
"""Builds of an account and region at once, running and queued.

https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
"""


def start_build(call: CodeBuildCall, params: Members) -> Members:
    return _start(call, name_of(params["projectName"], "project"), params)


def retry_build(call: CodeBuildCall, params: Members) -> Members:
    """A new build of the same parameters. A build that is in progress is not repeated."""
    row = _row(call, params.get("id", ""))
    if row["status"] == store.RUNNING:
        raise InvalidInput(f"The build {row['id']} is in progress, and cannot be retried")
    return _start(call, row["project"], json.loads(row["request"]))


def batch_get_builds(call: CodeBuildCall, params: Members) -> Members:
    found, missing = [], []
    with call.store.read() as db:
        for each in dict.fromkeys(params["ids"]):
            row = store.build(db, call.place, name_of(each, "build"))
            document = None if row is None else json.loads(row["body"])
            if document is None or each not in (document["id"], document["arn"]):
                missing.append(each)
            else:
                found.append(dated(builds.shown(document)))
    return {"builds": found, "buildsNotFound": missing}


def list_builds(call: CodeBuildCall, params: Members) -> Members:
    return _listed(call, params, "")


def list_builds_for_project(call: CodeBuildCall, params: Members) -> Members:
    name = name_of(params["projectName"], "project")
    with call.store.read() as db:
        if store.project(db, call.place, name) is None:
            raise no_project(projects.arn(call.account, call.region, name))
    return _listed(call, params, name)


def stop_build(call: CodeBuildCall, params: Members) -> Members:
    """End a build. One that runs ends soon after the answer, which shows the build as it is."""
    row = _row(call, params["id"])
    place = call.place
    with call.store.write() as db:
        fresh = store.build(db, place, row["id"])
        if fresh is None:
            raise no_build(params["id"])
        build = json.loads(fresh["body"])
        if fresh["status"] == store.RUNNING and jobs.withdraw(db, build["id"]):
            call.builds.stop(db, place, build)
    if not build["buildComplete"]:
        call.desk.stop(build["id"])
    return {"build": dated(builds.shown(build))}


def batch_delete_builds(call: CodeBuildCall, params: Members) -> Members:
    """Delete builds that have ended.

    A build that is in progress is not deleted: its status code is BUILD_IN_PROGRESS, the sandbox's
    word, because no page of AWS lists the codes.
    """
    deleted, not_deleted = [], []
    place = call.place
    with call.store.write() as db:
        for each in dict.fromkeys(params["ids"]):
            row = store.build(db, place, name_of(each, "build"))
            if row is None:
                not_deleted.append({"id": each, "statusCode": "BUILD_NOT_FOUND"})
            elif row["status"] == store.RUNNING:
                not_deleted.append({"id": each, "statusCode": "BUILD_IN_PROGRESS"})
            else:
                db.execute(
                    "delete from builds where account = ? and region = ? and id = ?",
                    (*place, row["id"]),
                )
                deleted.append(json.loads(row["body"])["arn"])
    return {"buildsDeleted": deleted, "buildsNotDeleted": not_deleted}


def _start(call: CodeBuildCall, name: str, params: Members) -> Members:
    place, now = call.place, call.now
    with call.store.write() as db:
        project = store.project(db, place, name)
        if project is None:
            raise no_project(projects.arn(*place, name))
        build = builds.start(project, params, call.principal, call.region, now)
        _check_limits(call, db, project)
        build["buildNumber"] = store.next_number(db, place, name)
        store.add_build(db, place, build, params)
        jobs.submit(call.store, db, job_of(build, place))
        call.builds.announce(place, build, 0)
        call.builds.begun(place, build)
    return {"build": dated(builds.shown(build))}


def _check_limits(call: CodeBuildCall, db: Any, project: dict[str, Any]) -> None:
    """The project's limit refuses; AWS's words for a project are not public, the account's are."""
    place = call.place
    limit = project.get("concurrentBuildLimit")
    if limit and store.running(db, place, project["name"]) >= limit:
        raise LimitExceeded(
            f"Cannot have more than {limit} active builds for the project {project['name']}"
        )
    everywhere = db.execute(
        "select count(*) from builds where account = ? and region = ? and status = ?",
        (*place, store.RUNNING),
    ).fetchone()[0]
    if everywhere >= _MOST:
        raise LimitExceeded(f"Cannot have more than {_MOST} active builds for the account")


def _row(call: CodeBuildCall, build_id: str) -> Any:
    """The row of a build by id or ARN; raises NotFound."""
    with call.store.read() as db:
        row = store.build(db, call.place, name_of(build_id, "build"))
    if row is None or build_id not in (row["id"], json.loads(row["body"])["arn"]):
        arn = f"arn:aws:codebuild:{call.region}:{call.account}:build/{build_id}"
        raise no_build(build_id if build_id.startswith("arn:") else arn)
    return row


def _listed(call: CodeBuildCall, params: Members, project: str) -> Members:
    """Ids of builds, the newest first unless the request says otherwise."""
    order = params.get("sortOrder", "DESCENDING")
    where = "account = ? and region = ?" + (" and project = ?" if project else "")
    values = [call.account, call.region, *([project] if project else [])]
    with call.store.read() as db:
        rows = db.execute(f"select rowid, id from builds where {where}", values).fetchall()
    far = 10**15
    keyed = [
        ([f"{far - row['rowid'] if order == 'DESCENDING' else row['rowid']:016d}"], row["id"])
        for row in rows
    ]
    ids, token = call.page(sorted(keyed), params, project, order)
    return {"ids": ids, "nextToken": token}
