"""What a record shows of a call's parameters and of its answer: without secrets and without files.

A member whose shape AWS's model calls sensitive is hidden, and the members of `_SECRETS` with it;
bytes are left out. CloudTrail writes names with a small first letter, and hides in these words:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore import xform_name
from botocore.model import OperationModel, Shape
from botocore.parsers import create_parser

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

_SECRETS = frozenset(
    {
        "authorization_token",
        "client_secret",
        "environment",
        "environment_variables",
        "environment_variables_override",
        "master_user_password",
        "parameter_value",
        "password",
        "plaintext",
        "plaintext_override",
        "private_key",
        "secret",
        "secret_access_key",
        "secret_binary",
        "secret_string",
        "session_token",
        "token",
        "user_data",
        "web_identity_token",
    }
)
"""Members that hold secrets although the model of some service does not say so.

parameter_value: a template may declare a parameter of a stack as NoEcho, and the call alone does
not say so. AWS does not document which of these values its record shows; here no value is shown.
"""

_LEFT_OUT = object()

_DEEPEST = 12


def parameters(params: Mapping[str, Any], operation: OperationModel) -> Any:
    """The parameters that the operation knows, by the names of the record; None without any."""
    shape = operation.input_shape
    return None if shape is None else _shown(params, shape, 0) or None


def answer(operation: OperationModel, status: int, headers: Any, body: bytes) -> Any:
    """What an answer says, read by the service's protocol; None when it says nothing."""
    shape = operation.output_shape
    if shape is None:
        return None
    parser = create_parser(operation.service_model.resolved_protocol)
    found = parser.parse({"status_code": status, "headers": dict(headers), "body": body}, shape)
    return _shown(found, shape, 0) or None


def _shown(value: Any, shape: Shape, depth: int) -> Any:
    if depth > _DEEPEST or shape.type_name == "blob":
        return _LEFT_OUT
    if getattr(shape, "metadata", {}).get("sensitive"):
        return HIDDEN
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return _members(value, shape, depth)
    if shape.type_name == "list" and isinstance(value, list):
        every = [_shown(each, shape.member, depth + 1) for each in value]
        return [each for each in every if each is not _LEFT_OUT]
    if shape.type_name == "map" and isinstance(value, Mapping):
        pairs = {str(name): _shown(each, shape.value, depth + 1) for name, each in value.items()}
        return {name: each for name, each in pairs.items() if each is not _LEFT_OUT}
    if isinstance(value, datetime):
        return value.strftime("%b %d, %Y %I:%M:%S %p")
    return value if isinstance(value, (str, int, float, bool)) else _LEFT_OUT


def _members(value: Mapping[str, Any], shape: Any, depth: int) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        names = (
            name,
            member.serialization.get("name", name),
            member.serialization.get("queryName"),
        )
        given = next((value[each] for each in names if each in value), None)
        if given is None:
            continue
        hidden = xform_name(name) in _SECRETS
        shown = HIDDEN if hidden else _shown(given, member, depth + 1)
        if shown is not _LEFT_OUT:
            small = name.lower() if name.isupper() else name[:1].lower() + name[1:]
            found[small] = shown
    return found
