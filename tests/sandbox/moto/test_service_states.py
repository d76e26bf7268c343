"""The states of keys and alarms are acted on, on a running sandbox."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running


@pytest.fixture
def key(sandbox: Running) -> str:
    arn: str = sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


def uses(key: str, sealed: bytes) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("encrypt", {"KeyId": key, "Plaintext": b"x"}),
        ("decrypt", {"CiphertextBlob": sealed}),
        ("re_encrypt", {"CiphertextBlob": sealed, "DestinationKeyId": key}),
        ("generate_data_key", {"KeyId": key, "KeySpec": "AES_256"}),
    ]


def test_a_disabled_key_is_of_no_use_until_it_is_enabled(sandbox: Running, key: str) -> None:
    kms = sandbox.client("kms")
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    for operation, params in uses(key, sealed):
        told = refusal_of(kms, operation, **params)
        assert told == (400, "DisabledException", f"{key} is disabled."), operation
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_key_that_is_pending_deletion_is_neither_used_nor_enabled(
    sandbox: Running, key: str
) -> None:
    kms = sandbox.client("kms")
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    too_soon = refusal_of(kms, "schedule_key_deletion", KeyId=key, PendingWindowInDays=6)
    assert too_soon[:2] == (400, "ValidationException")
    given = kms.schedule_key_deletion(KeyId=key)
    assert (given["KeyId"], given["KeyState"]) == (key, "PendingDeletion")
    assert given["PendingWindowInDays"] == 30
    names = ("enable_key", "disable_key", "schedule_key_deletion")
    changes = [(name, {"KeyId": key}) for name in names]
    for operation, params in [*uses(key, sealed), *changes]:
        told = refusal_of(kms, operation, **params)
        words = f"{key} is pending deletion."
        assert told == (400, "KMSInvalidStateException", words), operation
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    again = refusal_of(kms, "cancel_key_deletion", KeyId=key)
    assert again == (400, "KMSInvalidStateException", f"{key} is not pending deletion.")
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_key_policy_needs_no_name_and_refuses_only_whom_the_policy_names(
    sandbox: Running, key: str
) -> None:
    kms = sandbox.client("kms")
    document = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    nobody = {
        "Effect": "Deny",
        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
        "Action": ["kms:DescribeKey"],
        "Resource": "*",
    }
    document["Statement"].append(nobody)
    kms.put_key_policy(KeyId=key, Policy=json.dumps(document))
    assert nobody in json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key


def test_a_new_alarm_has_no_data(sandbox: Running) -> None:
    cloudwatch = sandbox.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="new",
        Namespace="labs",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["new"])["MetricAlarms"]
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"


# (settings, values a minute apart, the state)
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
JUDGED: list[tuple[dict[str, Any], list[float], str]] = [
    ({}, [6.0], "ALARM"),
    ({}, [5.0], "OK"),
    ({"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, [5.0], "ALARM"),
    ({"ComparisonOperator": "LessThanThreshold"}, [6.0], "OK"),
    ({"EvaluationPeriods": 2}, [9.0], "INSUFFICIENT_DATA"),
    ({"EvaluationPeriods": 2}, [9.0, 9.0], "ALARM"),
    ({"EvaluationPeriods": 2}, [9.0, 1.0], "OK"),
    ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [9.0, 1.0, 9.0], "ALARM"),
    ({"EvaluationPeriods": 2, "TreatMissingData": "breaching"}, [9.0], "ALARM"),
    ({"EvaluationPeriods": 2, "TreatMissingData": "notBreaching"}, [9.0], "OK"),
    ({"Dimensions": [{"Name": "d", "Value": "other"}]}, [9.0], "INSUFFICIENT_DATA"),
]


@pytest.mark.parametrize(("settings", "values", "state"), JUDGED)
def test_an_alarm_judges_the_values_that_come(
    sandbox: Running, settings: dict[str, Any], values: list[float], state: str
) -> None:
    cloudwatch = sandbox.client("cloudwatch")
    name = uuid.uuid4().hex
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "labs",
            "MetricName": name,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            **settings,
        }
    )
    start = datetime(2026, 11, 29, 9, tzinfo=UTC)
    for minute, value in enumerate(values):
        at = start + timedelta(minutes=minute)
        metric = {"MetricName": name, "Value": value, "Timestamp": at}
        cloudwatch.put_metric_data(Namespace="labs", MetricData=[metric])
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["StateValue"] == state
    if state == "ALARM":
        assert alarm["StateReason"].startswith("Threshold Crossed: ")
