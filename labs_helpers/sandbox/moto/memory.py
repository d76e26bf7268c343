"""What moto loads into memory for ever, loaded once or when asked for.

Measured with moto 5.2.5: the offerings of instance types in all regions take 48 MB from the first
call of EC2 on, and botocore's models of services, which the sandbox has read already, as much again
(EC2's 16 MB).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.protocol import description

_OFFERINGS = "ec2/resources/instance_type_offerings/"


def install() -> None:
    """From now on in this process; before a service of moto is imported."""

    def load(resource: str) -> Any:
        return _Offerings(own, resource) if resource.startswith(_OFFERINGS) else own(resource)

    own = patches.put("moto.utilities.utils:load_resource", load)
    patches.put("moto.core.utils:_load_service_model", description)


class _Offerings(list[dict[str, Any]]):
    """The offerings of one region, read again each time that somebody goes through them."""

    def __init__(self, load: Any, resource: str) -> None:
        super().__init__()
        self._load = load
        self._resource = resource
        self._location_type = resource.removeprefix(_OFFERINGS).split("/")[0]
        self._imported = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if not self._imported:
            # moto's own loop at its import, which adds LocationType
            self._imported = True
            return iter(())
        found = self._load(self._resource)
        return iter([{**one, "LocationType": self._location_type} for one in found])
