"""Requests to the services that are not ECR: read, decided, and handed on as they were decided."""

from __future__ import annotations

from wsgiref.types import WSGIEnvironment

from labs_helpers.sandbox.authorization import actions, context, parameters
from labs_helpers.sandbox.authorization.authorizer import Authorizer, Denied
from labs_helpers.sandbox.authorization.needed import Asked, Plain
from labs_helpers.sandbox.iam import sts
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.request_log import OPERATION
from labs_helpers.sandbox.service import aws_errors
from labs_helpers.sandbox.sigv4 import Request


def decide(
    authorizer: Authorizer,
    request: Request,
    body: bytes,
    principal: Principal,
    service: str,
    region: str,
    environ: WSGIEnvironment,
) -> tuple[Asked, Plain]:
    """What is asked, and the request to hand on; raises Refusal when it may not be."""
    asked, plain = parameters.read(request, body, service)
    directory = authorizer.directory
    environ[OPERATION] = f"{service}:{asked.operation}"
    action = f"{asked.prefix}:{asked.operation}"
    if asked.service in ("iam", "sts") and (no := directory.refusal(principal, action)):
        raise no
    role = asked.params.get("RoleArn")
    if (asked.service, asked.operation) == ("sts", "AssumeRole") and role:
        sts.check_role_arn(str(role))
    needed = actions.needed(asked, principal, region, directory)
    try:
        authorizer.check(principal, needed, context.of_request(environ, region))
    except Denied as denied:
        raise aws_errors.denied(str(denied)) from denied
    return asked, plain
