"""Arguments that moto ignores, for which an operation is refused in words.

moto would answer as if the argument had not been given: a list without its filter, a key of another
kind, a request that should only be tried. What moto ignores was read in moto 5.2.5
(moto/<service>/responses.py and models.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Argument:
    """A value of one parameter for which an operation is refused.

    parameter: a name, or names with dots between them, of which the last is in the structures (or
    lists of structures) of the others; values: every value that is refused, in small letters; form:
    the form of the values that are taken, in whichever case. Without either any value is refused.
    """

    parameter: str
    reason: str
    values: frozenset[str] | None = None
    form: str = ""

    def refused(self, params: Mapping[str, Any]) -> Iterator[str]:
        """The values of a request that are refused."""
        for given in _given(params, self.parameter.split(".")):
            said = str(given)
            if self.values is not None and said.lower() not in self.values:
                continue
            if self.form and re.fullmatch(self.form, said, re.IGNORECASE):
                continue
            yield said


def _given(value: Any, names: list[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _given(each, names)
    elif not names:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        yield from _given(value.get(names[0]), names[1:])


SYMMETRIC = "The keys of the sandbox are symmetric keys, which encrypt and decrypt."

_TRUE = frozenset({"true"})
_ONE_ACCOUNT = "The sandbox lists what is in the account of the caller."
_BY_NAME = "Name the log group in logGroupName."
_NO_FILTER = "Leave the argument out, and choose with --query."
_NO_ENCLAVE = "The sandbox has no enclave to encrypt an answer for."
_NOTHING_ACTS = "The sandbox does not evaluate an alarm."
_ALL_POLICIES = "A resource policy here is one of the account."

_DRY_RUN = Argument("DryRun", "The sandbox would carry the request out.", _TRUE)
_SYMMETRIC = Argument("EncryptionAlgorithm", SYMMETRIC, form="symmetric_default")
_RECIPIENT = Argument("Recipient", _NO_ENCLAVE)
_LOG_GROUP = Argument("logGroupIdentifier", _BY_NAME)
_UNMASK = Argument("unmask", "The sandbox masks nothing in a log.", _TRUE)

_KMS: Mapping[str, tuple[Argument, ...]] = {
    "CreateKey": (
        Argument("KeySpec", SYMMETRIC, form="symmetric_default"),
        Argument("CustomerMasterKeySpec", SYMMETRIC, form="symmetric_default"),
        Argument("KeyUsage", SYMMETRIC, form="encrypt_decrypt"),
        Argument("Origin", "The sandbox creates the material of each key.", form="aws_kms"),
        Argument("MultiRegion", "A key of the sandbox is in one region.", _TRUE),
        Argument("CustomKeyStoreId", "The sandbox has no custom key stores."),
        Argument("XksKeyId", "The sandbox has no external key stores."),
    ),
    "Decrypt": (_DRY_RUN, _SYMMETRIC, _RECIPIENT),
    "Encrypt": (_DRY_RUN, _SYMMETRIC),
    "EnableKeyRotation": (Argument("RotationPeriodInDays", "The sandbox rotates no key."),),
    "GenerateDataKey": (_DRY_RUN, _RECIPIENT),
    "GenerateDataKeyWithoutPlaintext": (_DRY_RUN,),
    "GenerateRandom": (
        Argument("CustomKeyStoreId", "The sandbox has no custom key stores."),
        _RECIPIENT,
    ),
    "ReEncrypt": (
        _DRY_RUN,
        Argument("SourceEncryptionAlgorithm", SYMMETRIC, form="symmetric_default"),
        Argument("DestinationEncryptionAlgorithm", SYMMETRIC, form="symmetric_default"),
        Argument("SourceKeyId", "The ciphertext says which key encrypted it."),
    ),
}

_LOGS: Mapping[str, tuple[Argument, ...]] = {
    "CreateLogGroup": (
        Argument("logGroupClass", "Each log group here is of class STANDARD.", form="standard"),
        Argument("deletionProtectionEnabled", "Each log group here can be deleted.", _TRUE),
    ),
    "DeleteResourcePolicy": (
        Argument("resourceArn", _ALL_POLICIES),
        Argument("expectedRevisionId", _ALL_POLICIES),
    ),
    "DescribeLogGroups": (
        Argument("accountIdentifiers", _ONE_ACCOUNT),
        Argument("includeLinkedAccounts", _ONE_ACCOUNT, _TRUE),
        Argument("logGroupClass", _NO_FILTER, form="standard"),
        Argument("logGroupIdentifiers", "Begin the names with logGroupNamePrefix."),
        Argument("logGroupNamePattern", "Begin the names with logGroupNamePrefix."),
    ),
    # moto takes the last group for whichever is meant (LogsBackend._find_log_group)
    "DescribeLogStreams": (_LOG_GROUP,),
    "DescribeResourcePolicies": (
        Argument("policyScope", _ALL_POLICIES, form="account"),
        Argument("resourceArn", _ALL_POLICIES),
    ),
    # every event matches a pattern that moto does not know (moto/logs/utils.py)
    "FilterLogEvents": (
        Argument(
            "filterPattern",
            "A pattern here has words of letters, digits and underscores, of which the first "
            "begins with a letter, or one phrase in double quotes.",
            form=r'\s*|[a-z]\w*( \w+)*|"[^"]*"',
        ),
        _LOG_GROUP,
        Argument("logStreamNamePrefix", "Name the streams in logStreamNames."),
        Argument("startFromHead", "Events come with the earliest first.", frozenset({"false"})),
        _UNMASK,
    ),
    "GetLogEvents": (_LOG_GROUP, _UNMASK),
    "PutResourcePolicy": (
        Argument("resourceArn", _ALL_POLICIES),
        Argument("expectedRevisionId", _ALL_POLICIES),
    ),
}

_MONITORING: Mapping[str, tuple[Argument, ...]] = {
    "DescribeAlarms": (
        Argument("AlarmTypes", "The sandbox has no composite alarms.", form="metricalarm"),
        Argument("ChildrenOfAlarmName", "The sandbox has no composite alarms."),
        Argument("ParentsOfAlarmName", "The sandbox has no composite alarms."),
    ),
    "GetMetricStatistics": (
        Argument("ExtendedStatistics", "The sandbox computes no percentiles. Use Statistics."),
    ),
    "ListMetrics": (
        Argument("IncludeLinkedAccounts", _ONE_ACCOUNT, _TRUE),
        Argument("OwningAccount", _ONE_ACCOUNT),
    ),
    "PutMetricAlarm": tuple(
        Argument(each, _NOTHING_ACTS)
        for each in (
            "ActionConfiguration",
            "EvaluationCriteria",
            "EvaluationInterval",
            "EvaluationWindow",
            "WarmUpConfiguration",
        )
    ),
    "PutMetricData": (
        # moto keeps as many values as a count says, and a count has no limit
        Argument("MetricData.Counts", "Write a value as often as it was measured in Values."),
        Argument("EntityMetricData", "Put the metrics into MetricData."),
    ),
}

_IAM: Mapping[str, tuple[Argument, ...]] = {
    "CreateLoginProfile": (
        Argument("PasswordResetRequired", "Nobody signs in to a console here.", _TRUE),
    ),
    "CreateVirtualMFADevice": (Argument("Tags", "The sandbox keeps no tags of a device."),),
    # moto cuts the lists before it looks for the policy, and does not say that it did
    "ListEntitiesForPolicy": (
        Argument("EntityFilter", _NO_FILTER, form="user|role|group"),
        Argument("Marker", "The sandbox lists everybody at once."),
        Argument("MaxItems", "The sandbox lists everybody at once."),
        Argument("PathPrefix", _NO_FILTER),
        Argument("PolicyUsageFilter", _NO_FILTER, form="permissionspolicy"),
    ),
    "ListGroups": (Argument("PathPrefix", _NO_FILTER, form="/"),),
    "ListInstanceProfiles": (Argument("PathPrefix", _NO_FILTER, form="/"),),
    "ListPolicies": (Argument("PolicyUsageFilter", _NO_FILTER, form="permissionspolicy"),),
}

IGNORED: Mapping[tuple[str, str], tuple[Argument, ...]] = {
    (service, operation): arguments
    for service, rows in (
        ("codepipeline", {"GetPipeline": (Argument("version", "Only the newest is kept."),)}),
        ("iam", _IAM),
        ("kms", _KMS),
        ("logs", _LOGS),
        ("monitoring", _MONITORING),
    )
    for operation, arguments in rows.items()
}
"""(signing name of a service, operation) -> its arguments that are refused."""
