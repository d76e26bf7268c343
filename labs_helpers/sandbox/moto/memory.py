"""Less memory: what moto loads and never releases is left out, or loaded once.

Measured with moto 5.2.5: the types of instances and their offerings take 67 MB from the first call
of EC2 on, and no instance runs here. botocore's models of services, which the sandbox has read
already, take as much again as they took the first time (EC2's 16 MB).
"""

from __future__ import annotations

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
