"""Operations on the users and roles whose pulls do not count as pulls."""

from datetime import UTC, datetime

from labs_helpers.sandbox.ecr import documents
from labs_helpers.sandbox.ecr.errors import InvalidParameter
from labs_helpers.sandbox.ecr.operations import Call
from labs_helpers.sandbox.ecr.pull_times import EXCLUSION
from labs_helpers.sandbox.service.errors import ServiceError
from labs_helpers.sandbox.service.service import Members


class ExclusionAlreadyExists(ServiceError):
    """The user or role is excluded already; the words are those of botocore's model."""

    code = "ExclusionAlreadyExistsException"
    words = "The specified pull time update exclusion already exists for the registry."


class ExclusionNotFound(ServiceError):
    """The user or role is not excluded; the words are those of botocore's model."""

    code = "ExclusionNotFoundException"
    words = "The specified pull time update exclusion was not found."


def register_pull_time_update_exclusion(call: Call, params: Members) -> Members:
    """Excludes a user or a role: pulls by them leave ``lastRecordedPullTime`` as it was."""
    arn = params["principalArn"]
    if not call.elsewhere.principal_exists(arn):
        raise InvalidParameter.constraint("principalArn", f"'the principal {arn} does not exist'")
    if documents.get(call.store, call.registry, EXCLUSION, arn) is not None:
        raise ExclusionAlreadyExists()
    now = call.clock.now()
    documents.put(call.store, call.registry, EXCLUSION, {"createdAt": now.timestamp()}, arn)
    return {"principalArn": arn, "createdAt": datetime.fromtimestamp(now.timestamp(), UTC)}


def deregister_pull_time_update_exclusion(call: Call, params: Members) -> Members:
    """Counts the pulls of a user or a role again."""
    arn = params["principalArn"]
    if documents.delete(call.store, call.registry, EXCLUSION, arn) is None:
        raise ExclusionNotFound()
    return {"principalArn": arn}


def list_pull_time_update_exclusions(call: Call, params: Members) -> Members:
    """The ARNs of the excluded users and roles, in lexical order."""
    found = documents.list_all(call.store, call.registry, EXCLUSION)
    part, token = call.page([([arn], arn) for arn in sorted(found)], params)
    return {"pullTimeUpdateExclusions": part, "nextToken": token}
