"""The ECR API: one request in, one answer out.

The way of a request: which operation (by target), what it asks (parsed and checked by botocore's
model), may the caller (``authorize``), then the operation's own function, then its output by the
model again. Every refusal is an EcrError and is rendered here.
"""

from collections.abc import Iterator
from typing import Any

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import protocol
from labs_helpers.sandbox.ecr.errors import EcrError
from labs_helpers.sandbox.ecr.operations import NOT_BUILT, OPERATIONS
from labs_helpers.sandbox.ecr.operations.call import Call
from labs_helpers.sandbox.ecr.protocol import Answer
from labs_helpers.sandbox.ecr.repositories import Registry
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.ecr.validation import validate
from labs_helpers.sandbox.identity import NO_KEYS, Authorize, Keys, Principal

#: Where a caller finds the sandbox when nobody says.
DEFAULT_ENDPOINT = "http://127.0.0.1:4566"


class EcrService:
    """ECR for every account and region of one store."""

    def __init__(self, store: Store, clock: Clock, authorize: Authorize) -> None:
        self._store = store
        self._clock = clock
        self._authorize = authorize

    def handle(
        self,
        target: str,
        body: bytes,
        principal: Principal,
        region: str,
        endpoint: str = DEFAULT_ENDPOINT,
        keys: Keys = NO_KEYS,
    ) -> Answer:
        """The answer to one signed request; no input of a client raises.

        target: the X-Amz-Target header; body: the request's bytes, JSON.
        endpoint: the URL of the sandbox as this caller spells it (from the Host header), in which
        GetDownloadUrlForLayer answers; keys: condition keys that the request brings.
        """
        try:
            return self._answer(target, body, principal, region, endpoint, keys)
        except EcrError as error:
            return protocol.error_answer(error)

    def _answer(
        self,
        target: str,
        body: bytes,
        principal: Principal,
        region: str,
        endpoint: str,
        keys: Keys,
    ) -> Answer:
        operation = protocol.operation_of(target)
        function = OPERATIONS.get(operation.name)
        if function is None:
            raise protocol.NotInSandbox(operation.name, NOT_BUILT.get(operation.name, ""))
        params = protocol.parse(body, operation.input_shape)
        validate(params, operation.input_shape)
        registry = Registry(params.get("registryId", principal.account), region)
        call = Call(self._store, self._clock, principal, registry, endpoint.rstrip("/"))
        for action, resource in permissions(operation.name, params, call):
            self._authorize(principal, action, resource, {**keys, **_tag_keys(params)})
        return protocol.answer(function(call, params), operation)


def _tag_keys(params: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """aws:RequestTag/... and aws:TagKeys of the resource tags that a request carries.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-supported-iam-actions-tagging.html
    """
    tags = {tag["Key"]: tag["Value"] for tag in params.get("tags", ())}
    names = tuple(tags) or tuple(params.get("tagKeys", ()))
    keys: dict[str, tuple[str, ...]] = {
        f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()
    }
    return {**keys, "aws:tagkeys": names} if names else keys


def permissions(operation: str, params: dict[str, Any], call: Call) -> Iterator[tuple[str, str]]:
    """(action, resource ARN) pairs that a caller needs for one request.

    Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    """
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
    action = "ecr:BatchGetImage" if operation == "ListImageReferrers" else f"ecr:{operation}"
    if "repositoryName" in params:
        yield action, call.registry.arn(params["repositoryName"])
        if operation == "CreateRepository" and params.get("tags"):
            yield "ecr:TagResource", call.registry.arn(params["repositoryName"])
    elif "resourceArn" in params:
        yield action, params["resourceArn"]
    elif params.get("repositoryNames"):
        for name in params["repositoryNames"]:
            yield action, call.registry.arn(name)
    elif operation == "DescribeRepositories":
        yield action, call.registry.arn("*")
    else:
        yield action, "*"
