"""Operations on a repository's policies: who may use it, and which images it lets go."""

from datetime import UTC, datetime
from typing import Any

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.lifecycle_text import check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import check_repository_policy, shown
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "StartLifecyclePolicyPreview": "Lifecycle policies are kept here and not evaluated yet.",
    "GetLifecyclePolicyPreview": "Lifecycle policies are kept here and not evaluated yet.",
}

POLICY = "repository-policy"
LIFECYCLE = "lifecycle-policy"

#: What ECR says of a lifecycle policy that it has not evaluated yet.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class RepositoryPolicyNotFound(ServiceError):
    """The repository has no policy."""

    code = "RepositoryPolicyNotFoundException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"Repository policy does not exist for the repository with name '{name}' "
            f"in the registry with id '{account}'"
        )


class LifecyclePolicyNotFound(ServiceError):
    """The repository has no lifecycle policy."""

    code = "LifecyclePolicyNotFoundException"

    def __init__(self, name: str, account: str) -> None:
        super().__init__(
            f"Lifecycle policy does not exist for the repository with name '{name}' "
            f"in the registry with id '{account}'"
        )


def set_repository_policy(call: Call, params: Members) -> Members:
    """Sets who may use the repository, in place of what was set before."""
    repository = call.repository(params["repositoryName"])
    check_repository_policy(params["policyText"])
    text = shown(params["policyText"])
    documents.put(call.store, repository, POLICY, text)
    return {**_names(repository), "policyText": text}


def get_repository_policy(call: Call, params: Members) -> Members:
    """The repository's policy; RepositoryPolicyNotFoundException when none is set."""
    repository = call.repository(params["repositoryName"])
    text = documents.get(call.store, repository, POLICY)
    if text is None:
        raise RepositoryPolicyNotFound(repository.name, repository.account)
    return {**_names(repository), "policyText": text}


def delete_repository_policy(call: Call, params: Members) -> Members:
    """Removes the repository's policy and answers what it was."""
    repository = call.repository(params["repositoryName"])
    text = documents.delete(call.store, repository, POLICY)
    if text is None:
        raise RepositoryPolicyNotFound(repository.name, repository.account)
    return {**_names(repository), "policyText": text}


def put_lifecycle_policy(call: Call, params: Members) -> Members:
    """Keeps which images the repository is to let go. The sandbox does not expire them yet."""
    repository = call.repository(params["repositoryName"])
    check_lifecycle_policy(params["lifecyclePolicyText"])
    documents.put(call.store, repository, LIFECYCLE, params["lifecyclePolicyText"])
    return {**_names(repository), "lifecyclePolicyText": params["lifecyclePolicyText"]}


def get_lifecycle_policy(call: Call, params: Members) -> Members:
    """The lifecycle policy; ``lastEvaluatedAt`` is 1970 for one that was never evaluated."""
    repository = call.repository(params["repositoryName"])
    return _lifecycle(repository, documents.get(call.store, repository, LIFECYCLE))


def delete_lifecycle_policy(call: Call, params: Members) -> Members:
    """Removes the lifecycle policy and answers what it was."""
    repository = call.repository(params["repositoryName"])
    return _lifecycle(repository, documents.delete(call.store, repository, LIFECYCLE))


def _lifecycle(repository: Repository, text: str | None) -> dict[str, Any]:
    if text is None:
        raise LifecyclePolicyNotFound(repository.name, repository.account)
    return {**_names(repository), "lifecyclePolicyText": text, "lastEvaluatedAt": NEVER}


def _names(repository: Repository) -> dict[str, str]:
    return {"registryId": repository.account, "repositoryName": repository.name}
