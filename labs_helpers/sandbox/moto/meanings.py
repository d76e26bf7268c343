"""Which resource a name, an alias or an address in a request means at this moment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.moto.backends import Arn, backend
from labs_helpers.sandbox.moto.kept import state as kept


def _meant_by_kms(kind: str, arn: Arn) -> list[str] | None:
    """The key behind an alias, which `key/alias/name` and `alias/name` spell."""
    name = arn.resource.removeprefix("key/")
    if kind != "key" or not name.startswith("alias/"):
        return None
    keys = backend("kms", arn.account, arn.region)
    found = [] if keys is None else list(keys.keys.values())
    return [arn.of(f"key/{key.id}") for key in found if name in key.aliases]


def _meant_by_secretsmanager(kind: str, arn: Arn) -> list[str]:
    """The ARN with the six characters that AWS adds to a secret's name.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
    """
    secrets = backend("secretsmanager", arn.account, arn.region)
    name = arn.resource.removeprefix("secret:")
    found = [] if secrets is None else list(dict.values(secrets.secrets))
    if any(str(arn) == each.arn for each in found):
        return [str(arn)]
    own = [str(each.arn) for each in found if each.name == name]
    return own or [f"{arn}-??????"]


def _meant_by_ec2(kind: str, arn: Arn) -> list[str] | None:
    """The id behind a name, an address or an association."""
    state = backend("ec2", arn.account, arn.region)
    finder = _OF_EC2.get(kind)
    if finder is None or _IDS.get(kind, "\0") == arn.name.partition("-")[0]:
        return None
    return [] if state is None else [arn.of(f"{kind}/{each}") for each in finder(state, arn.name)]


def _addresses(state: Any, name: str) -> Iterator[str]:
    for each in list(state.addresses):
        if name in (each.public_ip, each.association_id) and each.allocation_id:
            yield each.allocation_id


def _groups(state: Any, name: str) -> Iterator[str]:
    for of_vpc in list(state.groups.values()):
        for group in list(of_vpc.values()):
            if group.name == name:
                yield group.id


def _keys(state: Any, name: str) -> Iterator[str]:
    """A key pair's ARN ends with the pair's name, also where the request has the id."""
    found = [each.key_name for each in list(state.key_pairs.values()) if each.id == name]
    yield from found or [name]


def _tables(state: Any, name: str) -> Iterator[str]:
    for each in list(state.route_tables.values()):
        if name in each.all_associations_ids:
            yield each.id


def _acls(state: Any, name: str) -> Iterator[str]:
    for each in list(state.network_acls.values()):
        if name in each._associations:
            yield each.id


def _subnets(state: Any, name: str) -> Iterator[str]:
    for acl in list(state.network_acls.values()):
        if name in acl._associations:
            yield acl._associations[name].subnet_id
    for table in list(state.route_tables.values()):
        if str(table._associations.get(name, "")).startswith("subnet-"):
            yield table._associations[name]


_OF_EC2: Mapping[str, Callable[[Any, str], Iterator[str]]] = {
    "elastic-ip": _addresses,
    "internet-gateway": lambda state, name: iter(()),
    "key-pair": _keys,
    "network-acl": _acls,
    "route-table": _tables,
    "security-group": _groups,
    "subnet": _subnets,
}
_IDS = {
    "elastic-ip": "eipalloc",
    "internet-gateway": "igw",
    "network-acl": "acl",
    "route-table": "rtb",
    "security-group": "sg",
    "subnet": "subnet",
}
"""How the ids of a type begin; what begins otherwise is looked up."""


def _meant_by_organizations(kind: str, arn: Arn) -> list[str]:
    """The ARN with the organization's id, which a request does not say."""
    found: list[str] = []
    if (state := kept.current()) is not None:
        state.ready_if_stored("organizations")
    models = sys.modules.get("moto.organizations.models")
    backends = getattr(models, "organizations_backends", {})
    ours = [
        each
        for of_account in list(dict.values(backends))
        for each in list(dict.values(of_account))
        if each.org is not None
    ]
    wanted = arn.resource.rpartition("/")[2]
    for each in ours:
        members = [*each.accounts, *each.ou, *each.policies]
        if each.org.master_account_id == arn.account or any(
            getattr(one, "id", None) == arn.account for one in each.accounts
        ):
            found += [str(one.arn) for one in members if getattr(one, "id", None) == wanted]
    return found or [str(arn)]


def _meant_by_cloudformation(kind: str, arn: Arn) -> list[str] | None:
    """The ARN of a stack that exists, with the id that AWS gave it."""
    stacks = backend("cloudformation", arn.account, arn.region)
    name, star = arn.resource.removeprefix("stack/").removesuffix("/*"), arn.resource.endswith("/*")
    if kind != "stack" or not star or stacks is None:
        return None
    found = [str(each.stack_id) for each in list(stacks.stacks.values()) if each.name == name]
    return found or None


MEANT: Mapping[str, Callable[[str, Arn], list[str] | None]] = {
    "cloudformation": _meant_by_cloudformation,
    "ec2": _meant_by_ec2,
    "kms": _meant_by_kms,
    "organizations": _meant_by_organizations,
    "secretsmanager": _meant_by_secretsmanager,
}
"""By service: (type of the resource, ARN as the request spells it) -> the ARNs that are meant.

None where the ARN is the resource's own.
"""
