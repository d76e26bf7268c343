"""MaxResults and NextToken of Amazon EC2, which moto leaves out: every answer has everything.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.refusal import Refusal

LISTS: Mapping[str, str] = {
    "describe_instance_status": "InstanceStatuses",
    "describe_internet_gateways": "InternetGateways",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_route_tables": "RouteTables",
    "describe_security_group_rules": "SecurityGroupRules",
    "describe_security_groups": "SecurityGroups",
    "describe_subnets": "Subnets",
    "describe_tags": "Tags",
    "describe_volumes": "Volumes",
    "describe_vpcs": "Vpcs",
}
"""moto's function -> the member of the answer that comes in pages. Instances moto pages itself."""


def install(service: str) -> None:
    """Give the lists of EC2 pages."""
    if service == "ec2":
        for name, member in LISTS.items():
            _page(f"{patches.EC2}.{name}", member)


def _page(target: str, member: str) -> None:
    def describe(response: Any) -> Any:
        from moto.core.responses import ActionResult

        most, token = response._get_param("MaxResults"), response._get_param("NextToken")
        start = _start(str(token)) if token else 0
        result = dict(own(response).result)
        items = list(result[member])
        if start > len(items):
            raise _invalid(str(token))
        end = start + int(most) if most else len(items)
        result[member] = items[start:end]
        if end < len(items):
            result["NextToken"] = base64.b64encode(f"{_HEAD}{end}".encode()).decode()
        return ActionResult(result)

    own: Callable[[Any], Any] = patches.put(target, describe)


_HEAD = "from "


def _start(token: str) -> int:
    """Where a page begins; raises Refusal for what is no token of ours."""
    try:
        text = base64.b64decode(token, validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise _invalid(token) from error
    number = text.removeprefix(_HEAD)
    if number == text or not number.isdigit() or len(number) > 9:
        raise _invalid(token)
    return int(number)


def _invalid(token: str) -> Refusal:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    words = f"The specified pagination token '{token[:80]}' is not valid or is expired."
    return Refusal("InvalidPaginationToken", words)
