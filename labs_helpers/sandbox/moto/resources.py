"""What moto's state tells a decision: `MotoResources` is `authorization.known.Known`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence

from labs_helpers.sandbox.moto import backends
from labs_helpers.sandbox.moto.backends import Arn, backend, parsed
from labs_helpers.sandbox.moto.meanings import MEANT


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
        finder = None if found is None else MEANT.get(found.service)
        return None if found is None or finder is None else finder(kind, found)

    def policies(self, arn: str) -> Sequence[str]:
        found = parsed(arn)
        if found is not None and found.service in self._ours:
            return list(self._ours[found.service](arn))
        finder = None if found is None else _POLICIES.get(found.service)
        return () if found is None or finder is None else list(filter(None, finder(found)))

    def bucket(self, name: str) -> tuple[str, str | None] | None:
        account, found = backends.bucket(name)
        text = None if found is None or found.policy is None else found.policy.decode()
        return (account, text) if account else None

    def key_of_upload(self, bucket: str, upload: str) -> str | None:
        _, found = backends.bucket(bucket)
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
