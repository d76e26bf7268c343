"""Operations on a repository's policies: who may use it, and which images expire."""

from datetime import UTC, datetime

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.lifecycle_text import check_lifecycle_policy
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import as_ecr_prints, check_repository_policy
from labs_helpers.sandbox.policy.unique_ids import saved, shown
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members

NOT_BUILT = {
    "StartLifecyclePolicyPreview": "Lifecycle policies are stored and not evaluated yet.",
    "GetLifecyclePolicyPreview": "Lifecycle policies are stored and not evaluated yet.",
}

POLICY = "repository-policy"
LIFECYCLE = "lifecycle-policy"

#: ``lastEvaluatedAt`` of a lifecycle policy that ECR has not evaluated yet.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class RepositoryPolicyNotFound(ServiceError):
    """The repository has no policy."""

    code = "RepositoryPolicyNotFoundException"
    words = (
        "Repository policy does not exist for the repository with name '{repositoryName}' in "
        "the registry with id '{registryId}'"
    )


class LifecyclePolicyNotFound(ServiceError):
    """The repository has no lifecycle policy."""

    code = "LifecyclePolicyNotFoundException"
    words = (
        "Lifecycle policy does not exist for the repository with name '{repositoryName}' in the "
        "registry with id '{registryId}'"
    )


def set_repository_policy(call: Call, params: Members) -> Members:
    """Replaces the policy that says who may use the repository."""
    repository = call.repository(params["repositoryName"])
    check_repository_policy(params["policyText"])
    text = saved(params["policyText"], call.principals.id_of)
    documents.put(call.store, repository, POLICY, as_ecr_prints(text))
    return {**repository.names, "policyText": as_ecr_prints(shown(text, call.principals.arn_of))}


def get_repository_policy(call: Call, params: Members) -> Members:
    """The repository's policy; RepositoryPolicyNotFoundException when none is set."""
    repository = call.repository(params["repositoryName"])
    missing = RepositoryPolicyNotFound(**repository.names)
    text = documents.get(call.store, repository, POLICY, missing=missing)
    return {**repository.names, "policyText": as_ecr_prints(shown(text, call.principals.arn_of))}


def delete_repository_policy(call: Call, params: Members) -> Members:
    """Removes the repository's policy and answers with it."""
    answer = get_repository_policy(call, params)
    documents.delete(call.store, call.repository(params["repositoryName"]), POLICY)
    return answer


def put_lifecycle_policy(call: Call, params: Members) -> Members:
    """Stores which images are to expire. The sandbox does not let them expire yet."""
    repository = call.repository(params["repositoryName"])
    check_lifecycle_policy(params["lifecyclePolicyText"])
    documents.put(call.store, repository, LIFECYCLE, params["lifecyclePolicyText"])
    return {**repository.names, "lifecyclePolicyText": params["lifecyclePolicyText"]}


def get_lifecycle_policy(call: Call, params: Members) -> Members:
    """The lifecycle policy; ``lastEvaluatedAt`` is 1970 for one that was never evaluated."""
    repository = call.repository(params["repositoryName"])
    missing = LifecyclePolicyNotFound(**repository.names)
    text = documents.get(call.store, repository, LIFECYCLE, missing=missing)
    return {**repository.names, "lifecyclePolicyText": text, "lastEvaluatedAt": NEVER}


def delete_lifecycle_policy(call: Call, params: Members) -> Members:
    """Removes the lifecycle policy and answers with it."""
    answer = get_lifecycle_policy(call, params)
    documents.delete(call.store, call.repository(params["repositoryName"]), LIFECYCLE)
    return answer
