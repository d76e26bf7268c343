"""What moto keeps in memory for ever, left out or loaded once.

Measured with moto 5.2.5: the types of instances and their offerings take 67 MB from the first call
of EC2 on, and no instance runs here. botocore's models of services, which the sandbox has read
already, take as much again as they took the first time (EC2's 16 MB). And moto keeps a list of
every object of each of its classes, for its own dashboard and for the reset of its tests: an object
of S3 that was overwritten stayed in memory with its content, and so did every deleted user.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.protocol import description

_TYPES = "ec2/resources/instance_type"


def install() -> None:
    """Save the memory in this process; call this before a service of moto is imported."""

    def load(resource: str) -> Any:
        if not resource.replace("\\", "/").startswith(_TYPES):
            return own(resource)
        return [] if "offerings" in resource else {}

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


def _untracked(kind: type, *arguments: Any, **named: Any) -> Any:
    """A new object of a class of moto's, which no list of the class holds."""
    return object.__new__(kind)
