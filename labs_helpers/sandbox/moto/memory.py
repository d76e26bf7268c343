"""What moto keeps in memory for ever, left out or loaded once.

Measured with moto 5.2.5: the types of instances and their offerings take 67 MB from the first call
of EC2 on, and no instance runs here. botocore's models of services, which the sandbox has read
already, take as much again as they took the first time. botocore's table of endpoints, from which
moto takes the names of regions, takes 9 MB for each session, and moto makes four. And moto keeps a
list of every object of each of its classes, for its own dashboard and its tests' reset: an object
of S3 that was overwritten stayed in memory with its content, and so did every deleted user.
"""

from __future__ import annotations

import json
from collections import deque
from functools import cache
from importlib.resources import files
from typing import Any

from botocore.exceptions import UnknownServiceError

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.protocol import description

_TYPES = "ec2/resources/instance_type"


def install() -> None:
    """Save the memory in this process; call this before a service of moto is imported."""

    def load(resource: str) -> Any:
        if not resource.replace("\\", "/").startswith(_TYPES):
            return own(resource)
        return [] if "offerings" in resource else {}

    _know_regions()
    own = patches.put("moto.utilities.utils:load_resource", load)
    patches.put("moto.core.utils:_load_service_model", description)
    patches.put("moto.core.common_models:BaseModel.__new__", staticmethod(_untracked))


def forget_messages() -> None:
    """Topics keep no message that they have passed on; once SNS is called."""

    class Forgotten:
        def __get__(self, topic: Any, kind: type) -> deque[Any]:
            return deque(maxlen=0)

        def __set__(self, topic: Any, value: Any) -> None:
            """Nothing is kept."""

    patches.put("moto.sns.models:Topic.sent_notifications", Forgotten())


def _know_regions() -> None:
    import boto3

    class Session(boto3.Session):  # type: ignore[misc]
        """boto3's, which names partitions and regions by `_regions`."""

        def get_available_partitions(self) -> list[str]:
            return [*_regions()]

        def get_available_regions(
            self, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
        ) -> list[str]:
            if allow_non_regional:
                found: list[str] = super().get_available_regions(service_name, partition_name, True)
                return found
            try:
                prefix = description(service_name)["metadata"].get("endpointPrefix", service_name)
            except UnknownServiceError:
                return []
            return [*_regions().get(partition_name, {}).get(prefix, ())]

    patches.put("boto3:Session", Session)


@cache
def _regions() -> dict[str, dict[str, tuple[str, ...]]]:
    """Partition -> prefix of a service's endpoints -> its regions, as botocore's sessions say them.

    https://github.com/boto/botocore/blob/develop/botocore/regions.py, get_available_endpoints
    """
    names: dict[str, str] = {}

    def small(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """What is asked for, with one text for each region; all else is dropped while reading."""
        kept = ("partitions", "partition", "regions", "services", "endpoints")
        found = dict(pairs)
        if "partitions" in found or "partition" in found:
            return {name: found[name] for name in kept if name in found}
        if isinstance(found.get("endpoints"), dict):
            return {"endpoints": [names.setdefault(one, one) for one in found["endpoints"]]}
        return found

    text = files("botocore").joinpath("data/endpoints.json").read_text(encoding="utf-8")
    return {
        partition["partition"]: {
            service: tuple(one for one in found["endpoints"] if one in partition["regions"])
            for service, found in partition["services"].items()
        }
        for partition in json.loads(text, object_pairs_hook=small)["partitions"]
    }


def _untracked(kind: type, *arguments: Any, **named: Any) -> Any:
    """A new object of a class of moto's, which no list of the class holds."""
    return object.__new__(kind)
