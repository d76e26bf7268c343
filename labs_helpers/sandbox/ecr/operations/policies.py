"""Operations on the policy that says who may use a repository."""

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.creation import REPOSITORY_POLICY as POLICY
from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.policy_text import (
    as_ecr_prints,
    check_principals,
    check_repository_policy,
)
from labs_helpers.sandbox.ecr.repositories import Repository
from labs_helpers.sandbox.policy.unique_ids import saved, shown
from labs_helpers.sandbox.service.errors import AccessDenied, ServiceError
from labs_helpers.sandbox.service.service import Members


class RepositoryPolicyNotFound(ServiceError):
    """The repository has no policy."""

    code = "RepositoryPolicyNotFoundException"
    words = (
        "Repository policy does not exist for the repository with name '{repositoryName}' in "
        "the registry with id '{registryId}'"
    )


class LockedOut(InvalidParameter):
    """The policy would keep its author from setting another; AWS publishes no words for this."""

    words = (
        "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository "
        "policy provided' (the policy would prevent you from setting another policy: repeat the "
        "request with force, --force in the AWS CLI, if you want that)"
    )


def set_repository_policy(call: Call, params: Members) -> Members:
    """Replaces the policy that says who may use the repository.

    Without ``force``, the caller must be able to replace the new policy in turn:
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html
    """
    repository = call.repository(params["repositoryName"])
    check_repository_policy(params["policyText"])
    check_principals(params["policyText"], call.elsewhere.principal_exists)
    text = as_ecr_prints(saved(params["policyText"], call.elsewhere.principals.id_of))
    with call.store.write() as db:
        documents.put_within(db, repository, POLICY, text)
        if not params.get("force", False) and not _may_set_again(call, repository):
            raise LockedOut()
    return {**repository.names, "policyText": _shown(call, text)}


def _may_set_again(call: Call, repository: Repository) -> bool:
    """Whether the caller may set a policy under the one that this transaction has stored."""
    try:
        call.authorize(
            call.principal, "ecr:SetRepositoryPolicy", repository.arn, call.keys, tentative=True
        )
    except AccessDenied:
        return False
    return True


def get_repository_policy(call: Call, params: Members) -> Members:
    """The repository's policy; RepositoryPolicyNotFoundException when none is set."""
    repository = call.repository(params["repositoryName"])
    missing = RepositoryPolicyNotFound(**repository.names)
    text = documents.get(call.store, repository, POLICY, missing=missing)
    return {**repository.names, "policyText": _shown(call, text)}


def _shown(call: Call, text: str) -> str:
    """A stored policy as ECR shows it, with the ARNs that users and roles have now."""
    return as_ecr_prints(shown(text, call.elsewhere.principals.arn_of))


def delete_repository_policy(call: Call, params: Members) -> Members:
    """Removes the repository's policy and answers with it."""
    answer = get_repository_policy(call, params)
    documents.delete(call.store, call.repository(params["repositoryName"]), POLICY)
    return answer
