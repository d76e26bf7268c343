"""Amazon VPC, as far as a task on Fargate needs it: a subnet, and who may reach the task."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from labs_helpers.files import LabsError
from labs_helpers.prepare.step import Place

PORT = 80
_EVERYBODY = "0.0.0.0/0"
_PATIENCE = 30.0
"""Seconds that the network interface of a task that ended may take to go."""
_PAUSE = 5.0


def of_a_task(place: Place, group: str) -> dict[str, Any]:
    """The awsvpcConfiguration of a service on AWS whose page everybody can read.

    A task in a public subnet needs a public address to pull its image, and the default security
    group lets nobody in from outside:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html
    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html

    Raises LabsError where the account has no default network.
    """
    ec2 = place.client("ec2")
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])
    if not subnets["Subnets"]:
        raise LabsError(
            f"The account {place.account} has no default network in {place.region}, and the tasks "
            "of the labs run in its subnets. To make one again: aws ec2 create-default-vpc"
        )
    return {
        "subnets": [str(subnets["Subnets"][0]["SubnetId"])],
        "securityGroups": [open_group(place, group)],
        "assignPublicIp": "ENABLED",
    }


def open_group(place: Place, name: str) -> str:
    """The id of a security group in the default network that lets everybody in at port 80."""
    ec2 = place.client("ec2")
    found = groups(place).get(name)
    if found is None:
        made = ec2.create_security_group(
            GroupName=name, Description="Lets visitors read the page of demo-app"
        )
        found = str(made["GroupId"])
    try:
        ec2.authorize_security_group_ingress(
            GroupId=found, IpProtocol="tcp", FromPort=PORT, ToPort=PORT, CidrIp=_EVERYBODY
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise
    return found


def groups(place: Place) -> dict[str, str]:
    """name -> id of the security groups in the default network; none without such a network."""
    ec2 = place.client("ec2")
    networks = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    if not networks:
        return {}
    wanted = [{"Name": "vpc-id", "Values": [networks[0]["VpcId"]]}]
    pages = ec2.get_paginator("describe_security_groups").paginate(Filters=wanted)
    return {str(one["GroupName"]): str(one["GroupId"]) for one in pages.search("SecurityGroups[]")}


def remove_group(place: Place, name: str) -> None:
    """No such security group. The interface of a task that has just ended may still have it.

    Raises ClientError where something else has it, and leaves it then.
    """
    found, until = groups(place).get(name), time.monotonic() + _PATIENCE
    while found is not None:
        try:
            place.client("ec2").delete_security_group(GroupId=found)
        except ClientError as error:
            busy = error.response["Error"]["Code"] == "DependencyViolation"
            if not busy or time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
            continue
        place.removed.append(f"security group {name}")
        return
