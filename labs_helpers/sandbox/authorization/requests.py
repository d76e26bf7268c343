"""Requests to the services that are not ECR: read, decided, and handed on as they were decided."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labs_helpers.sandbox import aws_errors, sts
from labs_helpers.sandbox.authorization import actions, context, parameters
from labs_helpers.sandbox.authorization.authorizer import Authorizer, Denied
from labs_helpers.sandbox.authorization.needed import Asked
from labs_helpers.sandbox.authorization.parameters import Plain
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.sigv4 import Request

_NAME = re.compile(r"[a-z0-9-]{2,40}", re.ASCII)
_ALIASES = {"eventbridge": "events"}
"""Signing names that are another service's too."""


def service_of(name: str, region: str) -> str:
    """The service of a signature's scope; raises Refusal for what can be none.

    In lower case and without dots only: moto finds a service by host patterns, and a name made up
    for them would be one service to us and another one to moto.
    """
    if not _NAME.fullmatch(name):
        raise aws_errors.not_implemented(f"the service '{name[:60]}'")
    if not _NAME.fullmatch(region):
        raise aws_errors.not_implemented(f"the region '{region[:60]}'")
    return _ALIASES.get(name, name)


def decide(
    authorizer: Authorizer,
    request: Request,
    body: bytes,
    principal: Principal,
    service: str,
    region: str,
    environ: Mapping[str, str],
) -> tuple[Asked, Plain]:
    """What is asked, and the request to hand on; raises Refusal when it may not be."""
    asked, plain = parameters.read(request, body, service)
    directory = authorizer.directory
    action = f"{asked.prefix}:{asked.operation}"
    if asked.service in ("iam", "sts") and (no := directory.refusal(principal, action)):
        raise no
    role = asked.params.get("RoleArn")
    if (asked.service, asked.operation) == ("sts", "AssumeRole") and role:
        sts.check_role_arn(str(role))
    needed = actions.needed(asked, principal, region, directory.entity_arn)
    try:
        authorizer.check(principal, needed, context.of_request(environ, region))
    except Denied as denied:
        raise aws_errors.denied(str(denied)) from denied
    return asked, plain
