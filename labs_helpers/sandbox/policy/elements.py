"""The form of each element of a statement in every kind of policy, and the error for a wrong form.

Source of the form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
Source of the messages: IAM's answers, as its users and moto's tests record them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.policy.compare import is_date
from labs_helpers.sandbox.policy.conditions import operator

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


class MalformedPolicy(ValueError):
    """AWS does not accept the policy document.

    message: AWS's own words; place: where in the document, such as ``Statement[1].Effect``; code:
    the error code of IAM, MalformedPolicyDocument or, for the size, LimitExceeded:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html#API_PutUserPolicy_Errors
    """

    def __init__(self, message: str, place: str = "", code: str = "MalformedPolicyDocument"):
        super().__init__(message)
        self.message = message
        self.place = place
        self.code = code

    @property
    def located(self) -> str:
        """AWS's message and the place, which AWS leaves out."""
        return f"{self.message} ({self.place})" if self.place else self.message


def syntax(place: str = "") -> MalformedPolicy:
    return MalformedPolicy("Syntax errors in policy.", place)


def legacy(place: str) -> MalformedPolicy:
    return MalformedPolicy("The policy failed legacy parsing", place)


def no_vendor(place: str) -> MalformedPolicy:
    return MalformedPolicy(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", place
    )


def texts(value: Any, place: str) -> list[tuple[str, str]]:
    """The (place, text) of each string in an element: a string or a list of strings."""
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
    """An action is ``*``, or a service's prefix, a colon and a name."""
    vendor, colon, name = action.partition(":")
    if action == "*":
        return
    if not colon:
        raise no_vendor(place)
    if ":" in name:
        raise MalformedPolicy("Actions/Condition can contain only one colon.", place)
    if not _VENDOR.fullmatch(vendor):
        raise MalformedPolicy(f"Vendor {vendor} is not valid", place)


def check_resource(resource: str, place: str) -> None:
    """A resource is ``*`` or an ARN whose partition and service have no wildcards."""
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
    """A Condition is ``{operator: {key: value or values}}`` with known operators."""
    if not isinstance(condition, dict):
        raise syntax(place)
    for name, keys in condition.items():
        at = f"{place}.{name}"
        if operator(name) is None or not isinstance(keys, dict):
            raise syntax(at)
        for key, value in keys.items():
            if ":" not in key:
                raise no_vendor(f"{at}.{key}")
            for spot, each in _values(value, f"{at}.{key}"):
                if "date" in name.lower() and not is_date(each):
                    raise legacy(spot)


def _values(value: Any, place: str) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        spot = f"{place}[{index}]" if isinstance(value, list) else place
        if not isinstance(each, str | int | float):
            raise syntax(spot)
        yield spot, str(each)


def principal_entries(element: Mapping[str, Any], place: str) -> Iterator[tuple[str, str, str]]:
    """The (place, kind, value) of each entry of a Principal that is an object."""
    for kind, values in element.items():
        for spot, value in texts(values, f"{place}.{kind}"):
            yield spot, kind, value
