"""The service and region that a signature's scope names."""

from __future__ import annotations

import re
from functools import cache

from labs_helpers.sandbox.service import aws_errors

_NAME = re.compile(r"[a-z0-9-]{2,40}", re.ASCII)
_ALIASES = {"eventbridge": "events"}
"""Signing names that are another service's too."""


def service_of(name: str, region: str) -> str:
    """The service of a signature's scope; raises Refusal for a service or region that is none.

    In lower case and without dots only: moto finds a service by host patterns, and a name made up
    for them would be one service to us and another one to moto.
    """
    if not _NAME.fullmatch(name):
        raise aws_errors.not_implemented(f"the service '{name[:60]}'")
    if region not in regions():
        raise aws_errors.unknown_region(name, region)
    return _ALIASES.get(name, name)


@cache
def regions() -> frozenset[str]:
    """The regions of every partition that botocore knows; `aws-global` and the like are none."""
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    names = (name for each in partitions for name in each["regions"])
    return frozenset(name for name in names if not name.endswith("-global"))
