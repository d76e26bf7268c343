"""Arguments that moto ignores are refused in words; their other values are taken."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.moto.arguments import IGNORED
from labs_helpers.sandbox.moto.table import answerer, services
from labs_helpers.sandbox.service.refusal import Refusal

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("kms", "CreateKey", {"KeySpec": "RSA_2048"}, "KeySpec=RSA_2048"),
    ("kms", "CreateKey", {"KeyUsage": "SIGN_VERIFY"}, "KeyUsage=SIGN_VERIFY"),
    ("kms", "CreateKey", {"Origin": "EXTERNAL"}, "Origin=EXTERNAL"),
    ("kms", "CreateKey", {"MultiRegion": True}, "MultiRegion=True"),
    ("kms", "Encrypt", {"KeyId": "alias/a", "DryRun": True}, "DryRun=True"),
    ("kms", "GenerateDataKey", {"Recipient": {}}, "Recipient"),
    ("logs", "GetLogEvents", {"logGroupIdentifier": "a"}, "logGroupIdentifier"),
    ("logs", "FilterLogEvents", {"filterPattern": "{ $.a = 1 }"}, "filterPattern={ $.a = 1 }"),
    ("logs", "FilterLogEvents", {"filterPattern": "404"}, "filterPattern=404"),
    ("logs", "FilterLogEvents", {"filterPattern": "ERROR -debug"}, "filterPattern=ERROR -debug"),
    ("logs", "FilterLogEvents", {"filterPattern": '"a" "b"'}, 'filterPattern="a" "b"'),
    ("logs", "DescribeLogGroups", {"logGroupNamePattern": "a"}, "logGroupNamePattern"),
    ("monitoring", "PutMetricData",
     {"Namespace": "n", "MetricData": [{"MetricName": "m"}, {"Values": [1], "Counts": [1e12]}]},
     "MetricData.Counts"),
    ("monitoring", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
     "AlarmTypes=CompositeAlarm"),
    ("iam", "ListGroups", {"PathPrefix": "/a/"}, "PathPrefix=/a/"),
    ("iam", "ListEntitiesForPolicy", {"PolicyUsageFilter": "PermissionsBoundary"},
     "PolicyUsageFilter=PermissionsBoundary"),
    ("codepipeline", "GetPipeline", {"name": "p", "version": 1}, "version"),
]  # fmt: skip

TAKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("kms", "CreateKey",
     {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS",
      "MultiRegion": False}),
    ("kms", "Decrypt", {"EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "DryRun": "false"}),
    ("logs", "FilterLogEvents", {"filterPattern": ""}),
    ("logs", "FilterLogEvents", {"filterPattern": "ERROR push_failed"}),
    ("logs", "FilterLogEvents", {"filterPattern": '"no such image"', "interleaved": True}),
    ("monitoring", "PutMetricData", {"MetricData": [{"MetricName": "m", "Values": [1, 2]}]}),
    ("monitoring", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm"]}),
    ("iam", "ListGroups", {"PathPrefix": "/"}),
    ("iam", "ListEntitiesForPolicy", {"EntityFilter": "Role"}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "params", "named"), REFUSED)
def test_an_argument_that_moto_ignores_is_refused(
    service: str, operation: str, params: dict[str, Any], named: str
) -> None:
    with pytest.raises(Refusal) as refused:
        answerer(service, operation, params)
    assert f"{service}:{operation} with {named}; it exists on AWS." in str(refused.value)


@pytest.mark.parametrize(("service", "operation", "params"), TAKEN)
def test_what_moto_does_as_asked_is_taken(
    service: str, operation: str, params: dict[str, Any]
) -> None:
    answerer(service, operation, params)


@pytest.mark.parametrize(("service", "operation"), sorted(IGNORED))
def test_each_argument_is_one_of_an_open_operation(service: str, operation: str) -> None:
    assert operation in services()[service].moto
    model: Any = model_of(service)
    for argument in IGNORED[service, operation]:
        shape = model.operation_model(operation).input_shape
        for name in argument.parameter.split("."):
            inner = shape.member if shape.type_name == "list" else shape
            shape = inner.members[name]
        assert argument.reason.endswith(".")


@pytest.mark.parametrize(
    ("service", "operation", "reason"),
    [
        ("iam", "GetAccessKeyLastUsed", "does not record when a key"),
        ("iam", "GetCredentialReport", "does not record when a key"),
        ("iam", "CreateSAMLProvider", "Nobody signs in with SAML here."),
        ("kms", "CreateGrant", "Write the permission into the key policy."),
        ("kms", "Sign", "symmetric keys"),
        ("monitoring", "GetMetricData", "GetMetricStatistics"),
        ("codedeploy", "CreateApplication", "Nothing would be deployed here."),
    ],
)
def test_an_operation_whose_answer_moto_invents_is_refused(
    service: str, operation: str, reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        answerer(service, operation, {})
    assert reason in str(refused.value)
