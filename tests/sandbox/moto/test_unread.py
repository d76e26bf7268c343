"""Arguments that moto leaves out are refused; a dry run makes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.moto.table import services
from labs_helpers.sandbox.moto.unread import UNREAD, check
from labs_helpers.sandbox.service.refusal import Refusal
from tests.sandbox.authorization.people_here import People, allow, refusal_of
from tests.sandbox.sandbox_process import Running

VPC = {"CidrBlock": "10.9.0.0/16"}
SECRET = "/aws/reference/secretsmanager/of-somebody"


def test_each_row_is_of_an_open_operation_that_has_the_arguments() -> None:
    for (service, operation), arguments in UNREAD.items():
        model: Any = model_of(service)
        assert operation in services()[service].moto, operation
        shape = model.operation_model(operation).input_shape
        spelled = {
            name
            for member, inner in shape.members.items()
            for name in (member, inner.serialization.get("name", member))
        }
        assert {each.parameter for each in arguments} & spelled, operation


@pytest.mark.parametrize(("service", "operation"), UNREAD)
def test_an_argument_that_moto_leaves_out_is_refused_by_name(service: str, operation: str) -> None:
    for argument in UNREAD[service, operation]:
        value = next(iter(argument.values or ["x"]))
        with pytest.raises(Refusal) as refused:
            check(ApiRequest(service, service, operation, {argument.parameter: value}))
        assert (refused.value.code, refused.value.status) == ("NotInSandbox", 501)
        assert argument.parameter in refused.value.message
        assert refused.value.message.endswith(argument.reason)


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ec2", "create_key_pair", {"KeyName": "k", "KeyFormat": "ppk"}),
        ("ec2", "delete_key_pair", {"KeyPairId": "key-0123456789abcdef0"}),
        ("ec2", "describe_key_pairs", {"KeyPairIds": ["key-0123456789abcdef0"]}),
        ("ec2", "describe_regions", {"Filters": [{"Name": "endpoint", "Values": ["x"]}]}),
        ("ec2", "create_vpc", VPC | {"Ipv4IpamPoolId": "ipam-pool-1"}),
        ("ecs", "list_task_definitions", {"sort": "DESC"}),
        ("ecs", "list_task_definition_families", {"status": "INACTIVE"}),
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
