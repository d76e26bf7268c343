"""Webhooks of projects: records, which a project's answers show and nothing calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codebuild import builds, projects, store, webhooks
from labs_helpers.sandbox.codebuild.call import CodeBuildCall
from labs_helpers.sandbox.codebuild.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    OAuthProviderFailed,
    no_project,
)
from labs_helpers.sandbox.codebuild.naming import dated
from labs_helpers.sandbox.iam.service_roles import RoleRefused
from labs_helpers.sandbox.service.errors import AccessDenied, NotHere
from labs_helpers.sandbox.service.service import Members

RECORDED = ("CreateWebhook", "DeleteWebhook", "UpdateWebhook")


def create_webhook(call: CodeBuildCall, params: Members) -> Members:
    """Filters are checked before the right to the repository, as AWS does."""
    with call.store.read() as db:
        project = _project(call, db, params)
    if "url" in webhooks.made(project, params, call.region, call.now):
        _check_repository(call, project)
    with call.store.write() as db:
        # another call may have changed the source meanwhile
        project = _project(call, db, params)
        if "webhook" in project:
            raise AlreadyExists(f"Webhook already exists: {project['arn']}")
        hook = webhooks.made(project, params, call.region, call.now)
        _save(call, db, project, hook)
    return _answer(hook, webhooks.new_secret(hook))


def update_webhook(call: CodeBuildCall, params: Members) -> Members:
    with call.store.write() as db:
        project = _project(call, db, params)
        before = _webhook(project)
        hook = webhooks.changed(before, params, project["source"]["type"], call.now)
        _save(call, db, project, hook)
    return _answer(hook, webhooks.new_secret(hook) if params.get("rotateSecret") else "")


def delete_webhook(call: CodeBuildCall, params: Members) -> Members:
    with call.store.write() as db:
        project = _project(call, db, params)
        _webhook(project)
        _save(call, db, project, None)
    return {}


def _project(call: CodeBuildCall, db: sqlite3.Connection, params: Members) -> store.Document:
    name = params["projectName"]
    project = store.project(db, call.place, name)
    if project is None:
        raise no_project(projects.arn(*call.place, name))
    return project


def _webhook(project: Mapping[str, Any]) -> store.Document:
    if "webhook" not in project:
        raise NotFound(f"Webhook cannot be found: {project['arn']}")
    found: store.Document = project["webhook"]
    return found


def _save(
    call: CodeBuildCall,
    db: sqlite3.Connection,
    project: Mapping[str, Any],
    hook: Mapping[str, Any] | None,
) -> None:
    """Write a project with this webhook, or with none."""
    kept = {name: value for name, value in project.items() if name != "webhook"}
    if hook is not None:
        kept["webhook"] = hook
    store.save_project(db, call.place, {**kept, "lastModified": call.now})


def _answer(hook: Mapping[str, Any], secret: str) -> Members:
    return {"webhook": dated({**hook, "secret": secret} if secret else hook)}


def _check_repository(call: CodeBuildCall, project: Mapping[str, Any]) -> None:
    """Raise unless the project's role reaches the repository, to which CodeBuild adds the hook.

    The role's rights to the connection decide, as the reports of "Access denied" say; a project
    without a connection needs source credentials of the account, and here an account has none.
    https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
    """
    auth = project["source"].get("auth") or {}
    if auth.get("type") == "SECRETS_MANAGER":
        raise NotHere(
            "The sandbox reaches no GitHub by a token in AWS Secrets Manager; AWS does. Give the "
            "source the auth type=CODECONNECTIONS,resource=<ARN of the connection>."
        )
    if auth.get("type") != "CODECONNECTIONS":
        raise NotFound("Access token not found in CodeBuild project for server type github")
    denied = f"Access denied to connection {auth.get('resource', '')}"
    if not builds.CONNECTION.fullmatch(auth.get("resource", "")):
        raise InvalidInput(denied)
    try:
        call.builds.check_connection(call.place, project)
    except RoleRefused as error:
        raise InvalidInput(str(error)) from error
    except AccessDenied as error:
        raise InvalidInput(denied) from error
    except LookupError as error:
        raise OAuthProviderFailed(
            "Failed to create webhook. Repository not found or permission denied. Please make sure "
            "the source credentials associated with your project have the permission to create "
            f"webhook. {error}"
        ) from error
