"""Our STS in the place of moto's: methods put onto its TokenResponse, by botocore's own model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.iam.constraints import check
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.sts import SecurityTokens
from labs_helpers.sandbox.iam.web_identity import WebIdentities
from labs_helpers.sandbox.identity import Principal
from labs_helpers.sandbox.service import aws_errors

Operation = Callable[[Principal, Mapping[str, Any]], dict[str, Any]]

_SIGNED = {
    "AssumeRole": "assume_role",
    "GetAccessKeyInfo": "get_access_key_info",
    "GetCallerIdentity": "get_caller_identity",
    "GetFederationToken": "get_federation_token",
    "GetSessionToken": "get_session_token",
}

#: moto's own would hand out credentials that nobody could use.
_NOT_HERE = {"AssumeRoleWithSAML": "assume_role_with_saml"}


def install(directory: Directory, tokens: SecurityTokens, web: WebIdentities) -> None:
    """Put the operations onto moto's class; again replaces those of an earlier call."""
    from moto.core.responses import ActionResult
    from moto.core.utils import get_service_model
    from moto.sts.responses import TokenResponse

    model = get_service_model("sts")
    answers: Any = TokenResponse

    def params_of(response: Any, name: str) -> dict[str, Any]:
        shape = model.operation_model(name).input_shape
        if shape is None:
            return {}
        found = {member: response._get_param(member) for member in shape.members}
        given = {member: value for member, value in found.items() if value is not None}
        check(given, shape)
        return given

    def signed(name: str, operation: Operation) -> Callable[[Any], Any]:
        def method(response: Any) -> Any:
            credential = directory.find(response.get_access_key())
            if credential is None:
                raise aws_errors.unknown_key()
            return ActionResult(operation(credential.principal, params_of(response, name)))

        return method

    for name, method in _SIGNED.items():
        setattr(answers, method, signed(name, getattr(tokens, method)))

    def assume_role_with_web_identity(response: Any) -> Any:
        params = params_of(response, "AssumeRoleWithWebIdentity")
        return ActionResult(web.assume_role(params, response.headers.get("X-Labs-Source-Ip", "")))

    answers.assume_role_with_web_identity = assume_role_with_web_identity

    def absent(name: str) -> Callable[[Any], Any]:
        def method(response: Any) -> Any:
            raise aws_errors.not_implemented(f"the operation sts:{name}")

        return method

    for name, method in _NOT_HERE.items():
        setattr(answers, method, absent(name))
