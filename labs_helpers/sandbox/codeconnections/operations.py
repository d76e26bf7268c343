"""The operations of connections. A new connection is PENDING until its handshake is finished.

https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

import uuid

from labs_helpers.sandbox.codeconnections import store
from labs_helpers.sandbox.codeconnections.call import ConnectionsCall
from labs_helpers.sandbox.service.errors import ServiceError, not_here
from labs_helpers.sandbox.service.service import Members

_NO_HOST = "The stand-in GitHub needs no host of its own."
NOT_BUILT = dict.fromkeys(
    ("CreateHost", "DeleteHost", "GetHost", "ListHosts", "UpdateHost"), _NO_HOST
)


class _NotFound(ServiceError):
    code = "ResourceNotFoundException"


def create_connection(call: ConnectionsCall, params: Members) -> Members:
    provider = params.get("ProviderType", "GitHub")
    if provider != "GitHub" or params.get("HostArn"):
        raise not_here(
            f"the operation {call.service}:CreateConnection",
            f"It has a stand-in GitHub, no {provider}.",
        )
    place = call.place
    arn = f"arn:aws:{call.service}:{call.region}:{call.account}:connection/{uuid.uuid4()}"
    made = {
        "ConnectionName": params["ConnectionName"],
        "ConnectionArn": arn,
        "ProviderType": provider,
        "OwnerAccountId": call.account,
        "ConnectionStatus": store.PENDING,
        "Tags": params.get("Tags", []),
    }
    with call.store.write() as db:
        store.save(db, place, made)
    return {"ConnectionArn": arn, "Tags": made["Tags"]}


def get_connection(call: ConnectionsCall, params: Members) -> Members:
    return {"Connection": _shown(_found(call, params["ConnectionArn"]))}


def list_connections(call: ConnectionsCall, params: Members) -> Members:
    with call.store.read() as db:
        found = store.connections(db, call.place)
    wanted = params.get("ProviderTypeFilter")
    keyed = [
        ([f"{place:08d}"], _shown(each))
        for place, each in enumerate(found)
        if wanted in (None, each["ProviderType"])
    ]
    asked = {"nextToken": params.get("NextToken"), "maxResults": params.get("MaxResults")}
    part, token = call.page(keyed, asked, str(wanted))
    return {"Connections": part, "NextToken": token}


def delete_connection(call: ConnectionsCall, params: Members) -> Members:
    """Remove a connection, and end the watch over its folders."""
    arn = params["ConnectionArn"]
    _found(call, arn)
    with call.store.write() as db:
        rows = db.execute("select id from repositories where connection = ?", (arn,)).fetchall()
        for row in rows:
            call.forget(db, row["id"])
        db.execute("delete from connections where arn = ?", (arn,))
    return {}


def list_tags_for_resource(call: ConnectionsCall, params: Members) -> Members:
    return {"Tags": _found(call, params["ResourceArn"])["Tags"]}


def tag_resource(call: ConnectionsCall, params: Members) -> Members:
    found = _found(call, params["ResourceArn"])
    tags = {each["Key"]: each["Value"] for each in (*found["Tags"], *params["Tags"])}
    return _tagged(call, found, tags)


def untag_resource(call: ConnectionsCall, params: Members) -> Members:
    found = _found(call, params["ResourceArn"])
    kept = {each["Key"]: each["Value"] for each in found["Tags"]}
    return _tagged(call, found, {k: v for k, v in kept.items() if k not in params["TagKeys"]})


def _tagged(call: ConnectionsCall, found: store.Document, tags: dict[str, str]) -> Members:
    found["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    with call.store.write() as db:
        store.save(db, call.place, found)
    return {}


def _found(call: ConnectionsCall, arn: str) -> store.Document:
    with call.store.read() as db:
        found = store.connection(db, arn)
    if found is None or arn.split(":")[3:5] != [call.region, call.account]:
        raise _NotFound(f"Connection {arn} not found")
    return found


def _shown(found: store.Document) -> Members:
    return {name: value for name, value in found.items() if name != "Tags"}
