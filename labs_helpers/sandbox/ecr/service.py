"""The ECR API: the kit's service over ECR's store and the operations of `operations/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr import operations
from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.ecr.validation import in_ecrs_words
from labs_helpers.sandbox.identity import NOBODY_KNOWN, Authorize, Principal, Principals
from labs_helpers.sandbox.service.service import Members, Service
from labs_helpers.sandbox.service.validation import Invalid


class EcrService(Service[Call]):
    """ECR for every account and region."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        authorize: Authorize,
        principals: Principals = NOBODY_KNOWN,
    ) -> None:
        """principals: the users and roles that the policies of repositories name."""
        call = partial(Call, principals=principals)
        super().__init__("ecr", operations, call, store, clock, authorize)

    def account(self, principal: Principal, params: Members) -> str:
        """The registry's account: ``registryId``, or the caller's."""
        return str(params.get("registryId", principal.account))

    def permissions(self, call: Call, params: Members) -> Iterator[tuple[str, str]]:
        """(action, resource ARN) pairs that the caller needs.

        Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
        """
        action = f"ecr:{call.operation}"
        if call.operation == "ListImageReferrers":
            # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html
            action = "ecr:BatchGetImage"
        if "repositoryName" in params:
            yield action, call.registry.arn(params["repositoryName"])
            if call.operation == "CreateRepository" and params.get("tags"):
                yield "ecr:TagResource", call.registry.arn(params["repositoryName"])
        elif "resourceArn" in params:
            yield action, params["resourceArn"]
        elif params.get("repositoryNames"):
            for name in params["repositoryNames"]:
                yield action, call.registry.arn(name)
        elif call.operation == "DescribeRepositories":
            yield action, call.registry.arn("*")
        else:
            yield action, "*"

    def condition_keys(self, params: Members) -> Mapping[str, tuple[str, ...]]:
        """aws:RequestTag/... and aws:TagKeys of the resource tags in a request.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-supported-iam-actions-tagging.html
        """
        tags = {tag["Key"]: tag["Value"] for tag in params.get("tags", ())}
        names = tuple(tags) or tuple(params.get("tagKeys", ()))
        keys: dict[str, tuple[str, ...]] = {
            f"aws:requesttag/{key.lower()}": (value,) for key, value in tags.items()
        }
        return {**keys, "aws:tagkeys": names} if names else keys

    def invalid(self, error: Invalid) -> InvalidParameter:
        """ECR names the first problem only."""
        return in_ecrs_words(error.problems[0])
