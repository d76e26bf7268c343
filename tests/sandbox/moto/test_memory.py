"""What is loaded when asked for answers as what moto loads for ever."""

from __future__ import annotations

import pytest

from tests.sandbox.sandbox_process import Running


@pytest.mark.parametrize("turn", [1, 2])
def test_the_offerings_of_instance_types_are_whole_each_time(sandbox: Running, turn: int) -> None:
    ec2 = sandbox.client("ec2")
    wanted = {"Name": "instance-type", "Values": ["t3.micro"]}
    found = ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[wanted]
    )["InstanceTypeOfferings"]
    assert {one["InstanceType"] for one in found} == {"t3.micro"}
    assert {one["LocationType"] for one in found} == {"availability-zone"}
    assert "us-west-2a" in {one["Location"] for one in found}
