"""Arguments that moto ignores are refused in words; their other values are taken."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.moto import arguments, refusals
from labs_helpers.sandbox.moto.table import answerer, services
from labs_helpers.sandbox.service.refusal import Refusal
from tests.sandbox.authorization.people_here import People, allow, refusal_of
from tests.sandbox.sandbox_process import Running

VPC = {"CidrBlock": "10.9.0.0/16"}
SECRET = "/aws/reference/secretsmanager/of-somebody"

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


def check(service: str, operation: str, params: dict[str, Any]) -> None:
    arguments.check(ApiRequest(service, service, operation, params))


@pytest.mark.parametrize(("service", "operation", "params", "named"), REFUSED)
def test_what_moto_ignores_is_refused_by_name(
    service: str, operation: str, params: dict[str, Any], named: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check(service, operation, params)
    assert (refused.value.code, refused.value.status) == ("NotInSandbox", 501)
    assert f"{service}:{operation} with {named}; it exists on AWS." in str(refused.value)


@pytest.mark.parametrize(("service", "operation", "params"), TAKEN)
def test_what_moto_does_as_asked_is_taken(
    service: str, operation: str, params: dict[str, Any]
) -> None:
    check(service, operation, params)


ROWS = [
    pytest.param(row, id=f"{row.service} {row.operations[0]} {row.arguments[0].parameter}")
    for row in refusals.rows()
    if row.arguments
]


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_of_open_operations_that_have_the_arguments(row: refusals.Row) -> None:
    assert set(row.operations) <= services()[row.service].moto
    model: Any = model_of(row.service)
    shapes = {name: model.operation_model(name).input_shape for name in row.operations}
    has = {
        name: {each.parameter for each in row.arguments if _has(shape, each.parameter.split("."))}
        for name, shape in shapes.items()
    }
    assert all(has.values())
    assert set().union(*has.values()) == {each.parameter for each in row.arguments}


def _has(shape: Any, names: list[str]) -> bool:
    if not names:
        return True
    shape = shape.member if shape.type_name == "list" else shape
    for member, inner in shape.members.items():
        if names[0] in (member, inner.serialization.get("name", member)):
            return _has(inner, names[1:])
    return False


@pytest.mark.parametrize("row", ROWS)
def test_each_argument_of_the_table_is_refused_by_name_with_the_reason(row: refusals.Row) -> None:
    assert row.reason.endswith(".")
    for argument in row.arguments:
        name, *inner = argument.parameter.split(".")
        value: Any = "a-b" if argument.others or not argument.values else min(argument.values)
        for member in reversed(inner):
            value = {member: value}
        params = {name: [value] if inner else value}
        with pytest.raises(Refusal) as refused:
            check(row.service, row.operations[0], params)
        assert (refused.value.code, refused.value.status) == ("NotInSandbox", 501)
        assert argument.parameter in refused.value.message
        assert refused.value.message.endswith(argument.reason)


@pytest.mark.parametrize(
    ("service", "operation", "reason"),
    [
        ("iam", "GetAccessKeyLastUsed", "does not record when a key"),
        ("iam", "GetCredentialReport", "does not record when a key"),
        ("iam", "CreateSAMLProvider", "Nobody signs in with SAML here."),
        ("kms", "CreateGrant", "Write the permission into the key policy."),
        ("kms", "Sign", "symmetric keys"),
        ("monitoring", "GetMetricData", "GetMetricStatistics"),
    ],
)
def test_an_operation_whose_answer_moto_invents_is_refused(
    service: str, operation: str, reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        answerer(service, operation)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ec2", "create_key_pair", {"KeyName": "k", "KeyFormat": "ppk"}),
        ("ec2", "delete_key_pair", {"KeyPairId": "key-0123456789abcdef0"}),
        ("ec2", "describe_key_pairs", {"KeyPairIds": ["key-0123456789abcdef0"]}),
        ("ec2", "describe_regions", {"Filters": [{"Name": "endpoint", "Values": ["x"]}]}),
        ("ec2", "create_vpc", VPC | {"Ipv4IpamPoolId": "ipam-pool-1"}),
        ("ssm", "put_parameter", {"Name": "n", "Value": "v", "Type": "String", "KeyId": "k"}),
        ("ssm", "get_parameter", {"Name": SECRET, "WithDecryption": True}),
        ("ssm", "get_parameters", {"Names": ["n", SECRET]}),
        ("ssm", "get_parameters_by_path", {"Path": "/aws/service/global-infrastructure/regions"}),
    ],
)
def test_a_client_is_told(
    sandbox: Running, service: str, operation: str, params: dict[str, Any]
) -> None:
    assert refusal_of(sandbox.client(service), operation, **params)[:2] == (501, "NotInSandbox")


def test_a_dry_run_makes_nothing_and_says_whether_one_may(sandbox: Running) -> None:
    ec2 = sandbox.client("ec2")
    before = ec2.describe_vpcs()["Vpcs"]
    told = refusal_of(ec2, "create_vpc", DryRun=True, **VPC)
    assert told == (
        412,
        "DryRunOperation",
        "Request would have succeeded, but DryRun flag is set.",
    )
    assert ec2.describe_vpcs()["Vpcs"] == before
    looker = People(sandbox).make("dry", allow("ec2:Describe*"))
    assert looker.error("ec2", "create_vpc", DryRun=True, **VPC)[1] == "UnauthorizedOperation"


def test_key_pairs_are_made_and_deleted_one_after_the_other(sandbox: Running) -> None:
    ec2 = sandbox.client("ec2")
    for name in ("first", "second"):
        ec2.create_key_pair(KeyName=name, KeyType="ed25519")
    ec2.delete_key_pair(KeyName="first")
    assert [each["KeyName"] for each in ec2.describe_key_pairs()["KeyPairs"]] == ["second"]


def test_a_secure_string_is_readable_only_decrypted(sandbox: Running) -> None:
    ssm = sandbox.client("ssm")
    ssm.put_parameter(Name="/hidden", Value="of-mine", Type="SecureString")
    ssm.put_parameter(Name="/hidden", Value="of-mine-2", Overwrite=True)
    shut = ssm.get_parameter(Name="/hidden")["Parameter"]["Value"]
    assert "of-mine" not in shut
    opened = ssm.get_parameter(Name="/hidden", WithDecryption=True)["Parameter"]["Value"]
    assert opened == "of-mine-2"
    history = ssm.get_parameter_history(Name="/hidden", WithDecryption=True)["Parameters"]
    assert [each["Value"] for each in history] == ["of-mine", "of-mine-2"]


def test_a_request_that_the_model_refuses_is_refused_by_the_model_first(sandbox: Running) -> None:
    """AWS reads a request by the model before anything of the request has an effect."""
    config = Config(parameter_validation=False, retries={"max_attempts": 0})
    kms = sandbox.client("kms", config=config)
    assert refusal_of(kms, "encrypt", Plaintext=b"x", DryRun=True)[1] == "ValidationException"
    assert refusal_of(kms, "encrypt", KeyId="k", Plaintext=b"x", DryRun=True)[1] == "NotInSandbox"
