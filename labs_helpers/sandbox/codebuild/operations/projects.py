"""Projects: made, changed, listed, deleted."""

from __future__ import annotations

import json
from typing import Any

from labs_helpers.sandbox.codebuild import projects, store
from labs_helpers.sandbox.codebuild.call import CodeBuildCall
from labs_helpers.sandbox.codebuild.errors import AlreadyExists, InvalidInput, no_project
from labs_helpers.sandbox.codebuild.naming import dated, inverted, name_of
from labs_helpers.sandbox.codebuild.owner import CODEBUILD
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "BatchGetFleets": "Builds run on this machine.",
    "CreateFleet": "Builds run on this machine.",
    "InvalidateProjectCache": "Nothing is cached here.",
    "UpdateProjectVisibility": "Nobody else can reach the sandbox.",
}


def create_project(call: CodeBuildCall, params: Members) -> Members:
    place, now = call.place, call.now
    made = projects.project(params, *place, now)
    _check_trust(call, made)
    with call.store.write() as db:
        if store.project(db, place, made["name"]) is not None:
            raise AlreadyExists(f"Project already exists: {made['arn']}")
        store.save_project(db, place, made)
    return {"project": dated(made)}


def update_project(call: CodeBuildCall, params: Members) -> Members:
    place, now = call.place, call.now
    with call.store.read() as db:
        before = store.project(db, place, params["name"])
    if before is None:
        raise no_project(projects.arn(*place, params["name"]))
    _check_trust(call, projects.changed(before, params, call.account, now))
    with call.store.write() as db:
        # what another call has changed meanwhile stays, such as the webhook
        before = store.project(db, place, params["name"])
        if before is None:
            raise no_project(projects.arn(*place, params["name"]))
        made = projects.changed(before, params, call.account, now)
        store.save_project(db, place, made)
    return {"project": dated(made)}


def batch_get_projects(call: CodeBuildCall, params: Members) -> Members:
    place = call.place
    found, missing = [], []
    with call.store.read() as db:
        for each in dict.fromkeys(params["names"]):
            document = store.project(db, place, name_of(each, "project"))
            if document is None or each not in (document["name"], document["arn"]):
                missing.append(each)
            else:
                found.append(dated(document))
    return {"projects": found, "projectsNotFound": missing}


def list_projects(call: CodeBuildCall, params: Members) -> Members:
    by, order = params.get("sortBy", "NAME"), params.get("sortOrder", "ASCENDING")
    column = {"NAME": "name", "CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}[by]
    with call.store.read() as db:
        rows = db.execute(
            "select body from projects where account = ? and region = ?",
            call.place,
        ).fetchall()
    documents = [json.loads(row["body"]) for row in rows]
    keyed = [([_key(each[column], order), each["name"]], each["name"]) for each in documents]
    names, token = call.page(sorted(keyed), params, by, order)
    return {"projects": names, "nextToken": token}


def delete_project(call: CodeBuildCall, params: Members) -> Members:
    """Deleting a project that is not there succeeds, and builds stay. The webhook goes.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteProject.html
    """
    name = name_of(params["name"], "project")
    with call.store.write() as db:
        db.execute(
            "delete from projects where account = ? and region = ? and name = ?",
            (call.account, call.region, name),
        )
    return {}


def _check_trust(call: CodeBuildCall, project: dict[str, Any]) -> None:
    """CodeBuild takes no project whose role it may not take.

    https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html#troubleshooting-assume-role
    """
    keys = {"aws:sourcearn": (project["arn"],), "aws:sourceaccount": (call.account,)}
    try:
        call.roles.check(project["serviceRole"], CODEBUILD, keys)
    except RoleRefused as error:
        raise InvalidInput(str(error)) from error


def _key(value: Any, order: str) -> str:
    text = f"{value:020.6f}" if isinstance(value, float) else str(value)
    return inverted(text) if order == "DESCENDING" else text
