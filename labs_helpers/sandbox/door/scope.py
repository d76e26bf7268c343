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
        raise aws_errors.not_implemented(
            f"the region '{region[:60]}'",
            "Check the spelling: `aws ec2 describe-regions` lists the regions, us-west-2 is one.",
        )
    return _ALIASES.get(name, name)


@cache
def regions() -> frozenset[str]:
    """The regions of every partition that botocore knows."""
    from botocore.loaders import Loader

    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(name for each in partitions for name in each["regions"])
