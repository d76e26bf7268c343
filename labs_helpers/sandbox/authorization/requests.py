"""Requests to the services that are not ECR: read, decided, and handed on as they were decided."""

from __future__ import annotations

from labs_helpers.sandbox.authorization import actions, context, parameters
from labs_helpers.sandbox.authorization.authorizer import Authorizer, Denied
from labs_helpers.sandbox.authorization.needed import Asked, Plain
from labs_helpers.sandbox.call import SignedCall
from labs_helpers.sandbox.iam import sts
from labs_helpers.sandbox.request_log import OPERATION
from labs_helpers.sandbox.service import aws_errors


def decide(authorizer: Authorizer, call: SignedCall) -> tuple[Asked, Plain]:
    """What is asked, and the request to hand on; raises Refusal when it may not be."""
    principal, service, region = call.principal, call.service, call.region
    asked, plain = parameters.read(call.request, call.body, service)
    directory = authorizer.directory
    call.environ[OPERATION] = f"{service}:{asked.operation}"
    action = f"{asked.prefix}:{asked.operation}"
    if asked.service in ("iam", "sts") and (no := directory.refusal(principal, action)):
        raise no
    role = asked.params.get("RoleArn")
    if (asked.service, asked.operation) == ("sts", "AssumeRole") and role:
        sts.check_role_arn(str(role))
    needed = actions.needed(asked, principal, region, directory)
    try:
        authorizer.check(principal, needed, context.of_request(call.environ, region))
    except Denied as denied:
        raise aws_errors.denied(str(denied)) from denied
    return asked, plain
