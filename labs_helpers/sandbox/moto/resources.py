"""What moto's state tells a decision: which resource a name means, and the resource's policies.

Nothing of moto is imported for a service that nobody has called: a queue, a topic or a key exists
only where moto's service is loaded or has a state on disk. `MotoResources` is
`authorization.known.Known`.
"""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs_helpers.sandbox.moto.kept import state as kept


@dataclass(frozen=True)
class Arn:
    """An ARN in its parts."""

    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return self.of(self.resource)

    def of(self, resource: str) -> str:
        """The ARN of another resource in the same place."""
        return f"arn:aws:{self.service}:{self.region}:{self.account}:{resource}"

    @property
    def name(self) -> str:
        """What follows the type of the resource."""
        return self.resource.partition("/")[2]


def parsed(text: str) -> Arn | None:
    """An ARN in its parts; None for a text that is no ARN."""
    parts = text.split(":", 5)
    return Arn(*parts[2:]) if len(parts) == 6 else None


def backend(service: str, account: str, region: str) -> Any:
    """moto's backend of a service, where an account has used it; else None."""
    state = kept.current()
    if state is not None:
        state.ready_if_stored(service)
    models = sys.modules.get(f"moto.{service}.models")
    # missing while another thread is importing the module
    backends = getattr(models, f"{service}_backends", None)
    of_account = None if backends is None else dict.get(backends, account)
    found = None if of_account is None else dict.get(of_account, region)
    if state is not None and found is not None:
        state.used(service, account, region, found)
    return found


def _bucket(name: str) -> tuple[str, Any]:
    """(account, moto's bucket); an empty account where there is no bucket."""
    if (state := kept.current()) is not None:
        state.ready_if_stored("s3")
    models: Any = sys.modules.get("moto.s3.models")
    if models is None or name not in models.s3_backends.bucket_accounts:
        return "", None
    partition, account = models.s3_backends.bucket_accounts[name]
    return str(account), models.s3_backends[account][partition].buckets.get(name)


class MotoResources:
    """`Known`, over moto's backends; thread-safe."""

    def __init__(
        self,
        ours: Mapping[str, Callable[[str], Iterator[str]]] | None = None,
        group_of: Callable[[str, str, str], str] = lambda account, region, deployment: "",
    ) -> None:
        """ours: by a service of ours, the policies of the resource that an ARN names; group_of:
        `Known.group_of`, of CodeDeploy."""
        self._ours = ours or {}
        self._group_of = group_of

    def meant(self, kind: str, arn: str) -> Sequence[str] | None:
        found = parsed(arn)
        finder = None if found is None else _MEANT.get(found.service)
        return None if found is None or finder is None else finder(kind, found)

    def policies(self, arn: str) -> Sequence[str]:
        found = parsed(arn)
        if found is not None and found.service in self._ours:
            return list(self._ours[found.service](arn))
        finder = None if found is None else _POLICIES.get(found.service)
        return () if found is None or finder is None else list(filter(None, finder(found)))

    def bucket(self, name: str) -> tuple[str, str | None] | None:
        account, found = _bucket(name)
        text = None if found is None or found.policy is None else found.policy.decode()
        return (account, text) if account else None

    def key_of_upload(self, bucket: str, upload: str) -> str | None:
        _, found = _bucket(bucket)
        parts = None if found is None else found.multiparts.get(upload)
        return None if parts is None else str(parts.key_name)

    def key_of(self, ciphertext: str) -> str | None:
        # moto writes the key's id before the text (moto/kms/utils.py, _serialize_ciphertext_blob)
        try:
            return base64.b64decode(ciphertext)[:36].decode("ascii") or None
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None

    def group_of(self, account: str, region: str, deployment: str) -> str:
        return self._group_of(account, region, deployment)

    def stacks_of(self, account: str, region: str, change_set: str) -> Sequence[str]:
        stacks = backend("cloudformation", account, region)
        sets = {} if stacks is None else dict(stacks.change_sets)
        return [
            str(each.stack_id)
            for arn, each in sets.items()
            if change_set in (arn, each.change_set_name)
        ]


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
    """A pair is named by its name in an ARN, whether the request has the name or the id."""
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


_MEANT: Mapping[str, Callable[[str, Arn], list[str] | None]] = {
    "cloudformation": _meant_by_cloudformation,
    "ec2": _meant_by_ec2,
    "kms": _meant_by_kms,
    "organizations": _meant_by_organizations,
    "secretsmanager": _meant_by_secretsmanager,
}


def _of_queue(arn: Arn) -> Iterator[str | None]:
    queues = backend("sqs", arn.account, arn.region)
    queue = None if queues is None else queues.queues.get(arn.resource)
    yield None if queue is None else queue.policy


def _of_topic(arn: Arn) -> Iterator[str | None]:
    topics = backend("sns", arn.account, arn.region)
    topic = None if topics is None else topics.topics.get(str(arn))
    yield None if topic is None else topic.policy


def _of_key(arn: Arn) -> Iterator[str | None]:
    keys = backend("kms", arn.account, arn.region)
    key = None if keys is None else keys.keys.get(arn.name)
    yield None if key is None or not arn.resource.startswith("key/") else key.policy


def _of_secret(arn: Arn) -> Iterator[str | None]:
    secrets = backend("secretsmanager", arn.account, arn.region)
    for each in [] if secrets is None else list(dict.values(secrets.secrets)):
        if each.arn == str(arn):
            yield getattr(each, "policy", None)


def _of_table(arn: Arn) -> Iterator[str | None]:
    tables = backend("dynamodb", arn.account, arn.region)
    name = "/".join(arn.resource.split("/")[:2])
    policy = None if tables is None else tables.resource_policies.get(arn.of(name))
    yield None if policy is None else policy.policy_doc


_POLICIES: Mapping[str, Callable[[Arn], Iterator[str | None]]] = {
    "dynamodb": _of_table,
    "kms": _of_key,
    "secretsmanager": _of_secret,
    "sns": _of_topic,
    "sqs": _of_queue,
}
