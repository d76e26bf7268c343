"""How each element of a statement must be written, whatever kind of policy it is in.

Source of the form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
of the words: what IAM answers, as its users and moto's tests record it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.policy import compare
from labs_helpers.sandbox.policy.conditions import operator
from labs_helpers.sandbox.policy.malformed import MalformedPolicy, legacy, syntax

_VENDOR = re.compile(r"[A-Za-z0-9.-]+")
_SID = re.compile(r"[0-9A-Za-z]*")
_PARTITIONS = re.compile(r"aws(-[a-z]+)*|\*")
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_IAM_RESOURCES = (
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
)
_ARN_COLONS = 5


def texts(value: Any, place: str) -> list[tuple[str, str]]:
    """(place, text) of a string or of a list of strings."""
    if isinstance(value, str):
        return [(place, value)]
    if not isinstance(value, list):
        raise syntax(place)
    for index, each in enumerate(value):
        if not isinstance(each, str):
            raise syntax(f"{place}[{index}]")
    return [(f"{place}[{index}]", each) for index, each in enumerate(value)]


def check_sid(value: Any, place: str, alphanumeric: bool) -> None:
    if not isinstance(value, str):
        raise syntax(place)
    if alphanumeric and not _SID.fullmatch(value):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies "
            "the regular expression [0-9A-Za-z]*",
            place,
        )


def check_action(action: str, place: str) -> None:
    """``*``, or a service's prefix, a colon and a name."""
    vendor, colon, name = action.partition(":")
    if action == "*":
        return
    if not colon:
        raise MalformedPolicy(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", place
        )
    if ":" in name:
        raise MalformedPolicy("Actions/Condition can contain only one colon.", place)
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicy(f"Vendor {vendor} is not valid", place)


def check_resource(resource: str, place: str) -> None:
    """``*`` or an ARN whose first parts are no patterns."""
    if resource == "*":
        return
    first, colon, rest = resource.partition(":")
    if not colon or first != "arn":
        raise MalformedPolicy(f'Resource {resource} must be in ARN format or "*".', place)
    if resource.count(":") < _ARN_COLONS:
        raise legacy(place)
    partition, service, region, _, name = rest.split(":", _ARN_COLONS - 1)
    if not _PARTITIONS.fullmatch(partition):
        raise MalformedPolicy(
            f'Partition "{partition}" is not valid for resource "{resource}".', place
        )
    if not _VENDOR.fullmatch(service):
        raise MalformedPolicy(
            "Resource vendor must be fully qualified and cannot contain regexes.", place
        )
    if service == "iam" and region:
        raise MalformedPolicy(f"IAM resource {resource} cannot contain region information.", place)
    if service == "iam" and name != "*" and not name.startswith(_IAM_RESOURCES):
        raise MalformedPolicy(
            f'IAM resource path must either be "*" or start with {", ".join(_IAM_RESOURCES)}.',
            place,
        )


def check_condition(condition: Any, place: str) -> None:
    """``{operator: {key: value or values}}`` of operators that exist."""
    if not isinstance(condition, dict):
        raise syntax(place)
    for name, keys in condition.items():
        at = f"{place}.{name}"
        if operator(name) is None or not isinstance(keys, dict):
            raise syntax(at)
        for key, value in keys.items():
            _check_key(key, f"{at}.{key}")
            for spot, each in _values(value, f"{at}.{key}"):
                if "date" in name.lower() and not compare.is_date(each):
                    raise legacy(spot)


def _check_key(key: str, place: str) -> None:
    if ":" not in key:
        raise MalformedPolicy(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", place
        )


def _values(value: Any, place: str) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        spot = f"{place}[{index}]" if isinstance(value, list) else place
        if isinstance(each, bool) or not isinstance(each, str | int | float):
            if not isinstance(each, bool):
                raise syntax(spot)
            yield spot, "true" if each else "false"
        else:
            yield spot, str(each)


def principal_entries(element: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    """(place, kind, value) of each entry of a Principal that is an object."""
    for kind, values in element.items():
        for spot, value in texts(values, f"{place}.{kind}"):
            yield spot, kind, value
