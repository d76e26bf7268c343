"""The network of a task on AWS: the default one, and a group that lets visitors in at port 80."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labs_helpers.files import LabsError
from labs_helpers.prepare import Place, networks
from labs_helpers.prepare.ecs import public_address
from labs_helpers.workspace import Workspace


@dataclass
class Pages:
    found: dict[str, Any]

    def paginate(self, **words: Any) -> Pages:
        return self

    def search(self, query: str) -> Any:
        return iter(self.found[query.removesuffix("[]")])


@dataclass
class Ec2:
    """EC2 with one network. ``busy``: how often a group cannot be deleted yet."""

    subnets: list[str]
    groups: dict[str, str] = field(default_factory=dict)
    rules: list[tuple[str, int, str]] = field(default_factory=list)
    busy: int = 0

    def describe_subnets(self, Filters: Any) -> Any:
        assert Filters == [{"Name": "default-for-az", "Values": ["true"]}]
        return {"Subnets": [{"SubnetId": one} for one in self.subnets]}

    def describe_vpcs(self, Filters: Any) -> Any:
        return {"Vpcs": [{"VpcId": "vpc-1"}] if self.subnets else []}

    def get_paginator(self, operation: str) -> Pages:
        listed = [{"GroupName": name, "GroupId": one} for name, one in self.groups.items()]
        return Pages({"SecurityGroups": listed})

    def create_security_group(self, GroupName: str, Description: str) -> Any:
        self.groups[GroupName] = "sg-1"
        return {"GroupId": "sg-1"}

    def authorize_security_group_ingress(self, **rule: Any) -> None:
        new = (rule["GroupId"], rule["FromPort"], rule["CidrIp"])
        if new in self.rules:
            raise refused("InvalidPermission.Duplicate")
        self.rules.append(new)

    def delete_security_group(self, GroupId: str) -> None:
        if self.busy:
            self.busy -= 1
            raise refused("DependencyViolation")
        self.groups = {name: one for name, one in self.groups.items() if one != GroupId}

    def describe_network_interfaces(self, NetworkInterfaceIds: list[str]) -> Any:
        found = {"eni-1": {"Association": {"PublicIp": "198.51.100.7"}}, "eni-2": {}}
        return {"NetworkInterfaces": [found[one] for one in NetworkInterfaceIds]}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "AnOperation")


class There(Place):
    ec2: Ec2

    def client(self, service: str, region: str | None = None) -> Any:
        return self.ec2


def place(tmp_path: Any, ec2: Ec2) -> There:
    made = There(Workspace(tmp_path), "aws", "444455556666", "eu-central-1")
    object.__setattr__(made, "ec2", ec2)
    return made


def test_everybody_may_read_the_page_and_nothing_else(tmp_path: Any) -> None:
    ec2 = Ec2(["subnet-1", "subnet-2"])
    for _ in range(2):  # the second time finds the group
        assert networks.of_a_task(place(tmp_path, ec2), "web") == {
            "subnets": ["subnet-1"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "ENABLED",
        }
    assert ec2.rules == [("sg-1", 80, "0.0.0.0/0")]


def test_an_account_without_a_default_network_is_told_how_to_make_one(tmp_path: Any) -> None:
    with pytest.raises(LabsError, match="aws ec2 create-default-vpc"):
        networks.of_a_task(place(tmp_path, Ec2([])), "web")


def test_a_group_that_a_task_still_has_goes_when_the_task_has_gone(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "_PAUSE", 0)
    made = place(tmp_path, Ec2(["subnet-1"], {"web": "sg-1", "mine": "sg-2"}, busy=3))
    networks.remove_group(made, "web")
    assert made.ec2.groups == {"mine": "sg-2"}
    assert made.removed == ["security group web"]


def test_a_group_that_something_else_has_stays(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "_PATIENCE", 0)
    made = place(tmp_path, Ec2(["subnet-1"], {"web": "sg-1"}, busy=9))
    with pytest.raises(ClientError, match="DependencyViolation"):
        networks.remove_group(made, "web")
    assert made.ec2.groups == {"web": "sg-1"}


def test_no_group_is_no_error(tmp_path: Any) -> None:
    networks.remove_group(place(tmp_path, Ec2(["subnet-1"])), "web")


@pytest.mark.parametrize(("interface", "address"), [("eni-1", "198.51.100.7"), ("eni-2", "")])
def test_the_address_of_a_task_is_its_interface_s(interface: str, address: str) -> None:
    details = [
        {"name": "subnetId", "value": "subnet-1"},
        {"name": "networkInterfaceId", "value": interface},
    ]
    task = {"attachments": [{"type": "ElasticNetworkInterface", "details": details}]}
    assert public_address(Ec2(["subnet-1"]), task) == address


def test_a_task_without_an_interface_has_no_address() -> None:
    assert public_address(Ec2([]), {"attachments": []}) == ""
