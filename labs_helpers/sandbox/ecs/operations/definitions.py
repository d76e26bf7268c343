"""Task definitions: registered, described, listed, deregistered, deleted."""

from __future__ import annotations

from labs_helpers.sandbox.ecs import definitions, store
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import Refused
from labs_helpers.sandbox.ecs.naming import Document, last, of_definition, shown
from labs_helpers.sandbox.service.service import Members

_NOT_DESCRIBED = "Unable to describe task definition."
_DELETING = "DELETE_IN_PROGRESS"
_NO_IDENTIFIER = (
    "The specified task definition identifier is invalid. Specify a valid name or ARN and try "
    "again."
)
_NOT_THERE = (
    "The specified task definition does not exist. Specify a valid account, family, revision and "
    "try again."
)
_STILL_ACTIVE = (
    "The specified task definition is still in ACTIVE status. Please deregister the target and try "
    "again."
)


def register_task_definition(call: EcsCall, params: Members) -> Members:
    definitions.check_platform(params)
    by = call.principal.arn
    with call.store.write() as db:
        revision = store.next_revision(db, call.place, params["family"])
        made = definitions.register(params, revision, call.place, by, call.now)
        store.save_definition(db, call.place, made)
    return {"taskDefinition": shown(made), "tags": made["_tags"]}


def describe_task_definition(call: EcsCall, params: Members) -> Members:
    with call.store.read() as db:
        found = store.definition(db, call.place, *of_definition(params["taskDefinition"]))
    if found is None:
        raise Refused(_NOT_DESCRIBED)
    tags = found["_tags"] if "TAGS" in (params.get("include") or []) else []
    return {"taskDefinition": shown(found), "tags": tags}


def deregister_task_definition(call: EcsCall, params: Members) -> Members:
    """The revision is INACTIVE: what runs goes on, and nothing new starts.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html
    """
    family, revision = of_definition(params["taskDefinition"])
    if revision is None:
        _, colon, given = last(params["taskDefinition"]).partition(":")
        raise Refused(
            f"Invalid revision number. Number: {given}" if colon else "Revision is missing."
        )
    with call.store.write() as db:
        found = store.definition(db, call.place, family, revision)
        if found is None or found["status"] == _DELETING:
            raise Refused(_NOT_DESCRIBED)
        if found["status"] == store.ACTIVE:
            found |= {"status": store.INACTIVE, "deregisteredAt": call.now}
            store.save_definition(db, call.place, found)
    return {"taskDefinition": shown(found)}


def delete_task_definitions(call: EcsCall, params: Members) -> Members:
    """INACTIVE revisions are gone for new uses, and keep the status DELETE_IN_PROGRESS.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html
    """
    deleted, failures = [], []
    with call.store.write() as db:
        for each in params["taskDefinitions"]:
            family, revision = of_definition(each)
            found = store.definition(db, call.place, family, revision) if revision else None
            if revision is None:
                failures.append(_failure(each, _NO_IDENTIFIER))
            elif found is None:
                failures.append(_failure(each, _NOT_THERE))
            elif found["status"] == store.ACTIVE:
                failures.append(_failure(found["taskDefinitionArn"], _STILL_ACTIVE))
            else:
                found |= {"status": _DELETING, "deleteRequestedAt": call.now}
                store.save_definition(db, call.place, found)
                deleted.append(shown(found))
    return {"taskDefinitions": deleted, "failures": failures}


def list_task_definitions(call: EcsCall, params: Members) -> Members:
    """ARNs by family and revision, the newest revision last unless `sort` is DESC."""
    status, prefix = params.get("status") or store.ACTIVE, params.get("familyPrefix")
    found = [
        each for each in _all(call) if each["status"] == status and prefix in (None, each["family"])
    ]
    order = params.get("sort") or "ASC"
    found = found[::-1] if order == "DESC" else found
    keyed = [([f"{at:09d}"], each["taskDefinitionArn"]) for at, each in enumerate(found)]
    arns, token = call.page(keyed, params, status, prefix or "", order)
    return {"taskDefinitionArns": arns, "nextToken": token}


def list_task_definition_families(call: EcsCall, params: Members) -> Members:
    status, prefix = params.get("status") or "ALL", params.get("familyPrefix") or ""
    active: set[str] = set()
    inactive: set[str] = set()
    for each in _all(call):
        (active if each["status"] == store.ACTIVE else inactive).add(each["family"])
    chosen = {"ACTIVE": active, "INACTIVE": inactive - active}.get(status, active | inactive)
    keyed = [([each], each) for each in sorted(chosen) if each.startswith(prefix)]
    families, token = call.page(keyed, params, status, prefix)
    return {"families": families, "nextToken": token}


def _all(call: EcsCall) -> list[Document]:
    with call.store.read() as db:
        return store.definitions(db, call.place)


def _failure(where: str, reason: str) -> dict[str, str]:
    return {"arn": where, "reason": reason}
