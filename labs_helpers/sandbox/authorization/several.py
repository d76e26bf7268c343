"""Operations that need an action of another name, or several actions, each on its own resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from labs_helpers.sandbox.authorization.arns import values
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.service.refusal import Refusal

RENAMED: Mapping[tuple[str, str], str] = {
    ("sns", "PublishBatch"): "Publish",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
}
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html"""

_WRITES = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html"""


def actions(asked: ApiRequest) -> Iterator[ApiRequest]:
    """The request once for each action that it needs, with the parameters of that action."""
    service, operation, params = asked.service, asked.operation, asked.params
    if name := RENAMED.get((service, operation)):
        yield replace(asked, operation=name)
    elif (service, operation) == ("dynamodb", "TransactGetItems"):
        yield replace(asked, operation="GetItem", params=_tables(params, "TransactItems.Get"))
    elif (service, operation) == ("dynamodb", "TransactWriteItems"):
        for kind, name in _WRITES.items():
            tables = _tables(params, f"TransactItems.{kind}")
            if tables["TableName"]:
                yield replace(asked, operation=name, params=tables)
    elif (service, operation) == ("kms", "ReEncrypt"):
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html
        source = {
            "KeyId": params.get("SourceKeyId"),
            "CiphertextBlob": params.get("CiphertextBlob"),
        }
        yield replace(asked, operation="ReEncryptFrom", params=source)
        target = {"KeyId": params.get("DestinationKeyId")}
        yield replace(asked, operation="ReEncryptTo", params=target)
    else:
        yield asked
    if (service, operation) == ("secretsmanager", "BatchGetSecretValue"):
        # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
        for secret in values(params, "SecretIdList"):
            yield replace(asked, operation="GetSecretValue", params={"SecretId": secret})
    if service == "ssm":
        for secret in _secrets(asked):
            yield ApiRequest(
                "secretsmanager", "secretsmanager", "GetSecretValue", {"SecretId": secret}
            )


_REFERENCE = "/aws/reference/secretsmanager"
_TO_SECRET = re.compile(_REFERENCE + r"/(?P<name>[^:*]+)(?::[^:/*]+)?")


def _secrets(asked: ApiRequest) -> Iterator[str]:
    """The secrets that a request of Parameter Store refers to, which need their own permission.

    Only GetParameter and GetParameters take a reference, and no other spelling of the reference;
    raises Refusal for another operation and another spelling.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
    """
    for name in ("Name", "Names", "Path", "ResourceId"):
        for given in values(asked.params, name):
            path = given.partition(":parameter")[2] if given.startswith("arn:") else given
            if f"/{path.lstrip('/')}/".startswith(f"{_REFERENCE}/"):
                found = _TO_SECRET.fullmatch(given)
                if found is None or asked.operation not in ("GetParameter", "GetParameters"):
                    words = f"'{given[:200]}' is no reference to a secret that "
                    words += f"{asked.operation} takes: give {_REFERENCE}/ and the secret's name "
                    words += "to GetParameter or GetParameters."
                    raise Refusal("ValidationException", words)
                yield found["name"]


def _tables(params: Mapping[str, Any], path: str) -> dict[str, list[str]]:
    return {"TableName": values(params, f"{path}.TableName")}
