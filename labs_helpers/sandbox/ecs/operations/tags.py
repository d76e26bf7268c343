"""Tags of clusters, task definitions, services and tasks; and the account's settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.ecs import store
from labs_helpers.sandbox.ecs.call import EcsCall
from labs_helpers.sandbox.ecs.errors import InvalidParameter
from labs_helpers.sandbox.ecs.naming import Document, of_definition
from labs_helpers.sandbox.service.service import Members

_DAEMONS = "Services are of REPLICA type."
_GATEWAYS = "There is no ECS Express Mode."
NOT_BUILT = {
    **dict.fromkeys(
        (
            *("CreateDaemon", "DeleteDaemon", "DeleteDaemonTaskDefinition", "DescribeDaemon"),
            *("DescribeDaemonDeployments", "DescribeDaemonRevisions", "ListDaemons"),
            *("DescribeDaemonTaskDefinition", "ListDaemonDeployments", "UpdateDaemon"),
            *("ListDaemonTaskDefinitions", "RegisterDaemonTaskDefinition"),
        ),
        _DAEMONS,
    ),
    **dict.fromkeys(
        (
            *("CreateExpressGatewayService", "DeleteExpressGatewayService"),
            *("DescribeExpressGatewayService", "UpdateExpressGatewayService"),
        ),
        _GATEWAYS,
    ),
}

_MOST = 50
Save = Callable[[sqlite3.Connection], None]


def tag_resource(call: EcsCall, params: Members) -> Members:
    with call.store.write() as db:
        document, member, save = _resource(call, db, params["resourceArn"])
        found = {each["key"]: each for each in document[member]}
        found |= {each["key"]: each for each in params["tags"]}
        if len(found) > _MOST:
            raise InvalidParameter("Too many tags: a resource has at most 50.")
        document[member] = list(found.values())
        save(db)
    return {}


def untag_resource(call: EcsCall, params: Members) -> Members:
    with call.store.write() as db:
        document, member, save = _resource(call, db, params["resourceArn"])
        gone = set(params["tagKeys"])
        document[member] = [each for each in document[member] if each["key"] not in gone]
        save(db)
    return {}


def list_tags_for_resource(call: EcsCall, params: Members) -> Members:
    with call.store.read() as db:
        document, member, _ = _resource(call, db, params["resourceArn"])
    return {"tags": document[member]}


def _resource(call: EcsCall, db: sqlite3.Connection, resource: str) -> tuple[Document, str, Save]:
    """(document, the member with its tags, what writes it); raises InvalidParameter."""
    kind, _, rest = (
        resource.rpartition(":ecs:")[2].partition(":")[2].partition(":")[2].partition("/")
    )
    parts = rest.split("/")
    document: Any = None
    place = call.place
    if kind == "cluster" and len(parts) == 1:
        document = store.cluster(db, place, parts[0])
        return _found(document, "_tags", lambda d: store.save_cluster(d, place, document))
    if kind == "task-definition" and len(parts) == 1:
        document = store.definition(db, place, *of_definition(parts[0]))
        return _found(document, "_tags", lambda d: store.save_definition(d, place, document))
    if kind == "service" and len(parts) == 2:
        document = store.service(db, place, *parts)
        return _found(document, "_tags", lambda d: store.save_service(d, place, parts[0], document))
    if kind == "task" and len(parts) == 2:
        document = store.task(db, place, parts[1])
        return _found(document, "tags", lambda d: store.save_task(d, document))
    raise InvalidParameter(
        f"Invalid resource ARN: {resource}. Give the ARN of a cluster, a service, a task or a task "
        "definition."
    )


def _found(document: Document | None, member: str, save: Save) -> tuple[Document, str, Save]:
    if document is None:
        raise InvalidParameter("The specified resource was not found.")
    return document, member, save
