"""Types of EC2's network basics, and the cluster of ECS that is only a name."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto.stacks.calls import Calls
from labs_helpers.sandbox.moto.stacks.kinds import (
    Kind,
    Made,
    Properties,
    given,
    kind,
    lowered,
    tags_of,
    undone_on_failure,
)


def _tagged(calls: Calls, resource: str, properties: Properties) -> list[dict[str, Any]] | None:
    tags = tags_of(calls, properties)
    return [{"ResourceType": resource, "Tags": tags}] if tags else None


def _create_vpc(calls: Calls, name: str, properties: Properties) -> Made:
    vpc = calls(
        "ec2",
        "CreateVpc",
        **given(properties, "CidrBlock", "InstanceTenancy"),
        TagSpecifications=_tagged(calls, "vpc", properties),
    )["Vpc"]["VpcId"]
    made = Made(vpc, {"VpcId": vpc, "CidrBlock": properties.get("CidrBlock")})
    with undone_on_failure(calls, made, _delete_vpc):
        for each in ("EnableDnsSupport", "EnableDnsHostnames"):
            if each in properties:
                value = {"Value": properties[each]}
                calls("ec2", "ModifyVpcAttribute", VpcId=vpc, **{each: value})
    return made


def _delete_vpc(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteVpc", VpcId=made.physical_id)


def _create_subnet(calls: Calls, name: str, properties: Properties) -> Made:
    found = calls(
        "ec2",
        "CreateSubnet",
        **given(properties, "VpcId", "CidrBlock", "AvailabilityZone"),
        TagSpecifications=_tagged(calls, "subnet", properties),
    )["Subnet"]
    made = Made(
        found["SubnetId"],
        {"SubnetId": found["SubnetId"], "AvailabilityZone": found["AvailabilityZone"]},
    )
    public = properties.get("MapPublicIpOnLaunch")
    if public is not None:
        setting = {"MapPublicIpOnLaunch": {"Value": public}}
        with undone_on_failure(calls, made, _delete_subnet):
            calls("ec2", "ModifySubnetAttribute", SubnetId=made.physical_id, **setting)
    return made


def _delete_subnet(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteSubnet", SubnetId=made.physical_id)


def _create_gateway(calls: Calls, name: str, properties: Properties) -> Made:
    tags = _tagged(calls, "internet-gateway", properties)
    found = calls("ec2", "CreateInternetGateway", TagSpecifications=tags)["InternetGateway"]
    found_id = found["InternetGatewayId"]
    return Made(found_id, {"InternetGatewayId": found_id})


def _delete_gateway(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteInternetGateway", InternetGatewayId=made.physical_id)


def _attach(calls: Calls, name: str, properties: Properties) -> Made:
    calls("ec2", "AttachInternetGateway", **given(properties, "InternetGatewayId", "VpcId"))
    return Made(f"IGW|{properties.get('VpcId')}")


def _detach(calls: Calls, made: Made) -> None:
    calls("ec2", "DetachInternetGateway", **given(made.properties, "InternetGatewayId", "VpcId"))


def _create_table(calls: Calls, name: str, properties: Properties) -> Made:
    tags = _tagged(calls, "route-table", properties)
    vpc = given(properties, "VpcId")
    found = calls("ec2", "CreateRouteTable", **vpc, TagSpecifications=tags)["RouteTable"]
    return Made(found["RouteTableId"], {"RouteTableId": found["RouteTableId"]})


def _delete_table(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteRouteTable", RouteTableId=made.physical_id)


_ROUTE = ("RouteTableId", "DestinationCidrBlock")


def _create_route(calls: Calls, name: str, properties: Properties) -> Made:
    calls("ec2", "CreateRoute", **given(properties, *_ROUTE, "GatewayId"))
    return Made("|".join(str(properties.get(each)) for each in _ROUTE))


def _delete_route(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteRoute", **given(made.properties, *_ROUTE))


def _associate(calls: Calls, name: str, properties: Properties) -> Made:
    both = given(properties, "RouteTableId", "SubnetId")
    return Made(calls("ec2", "AssociateRouteTable", **both)["AssociationId"])


def _disassociate(calls: Calls, made: Made) -> None:
    calls("ec2", "DisassociateRouteTable", AssociationId=made.physical_id)


def _create_group(calls: Calls, name: str, properties: Properties) -> Made:
    group = calls(
        "ec2",
        "CreateSecurityGroup",
        GroupName=properties.get("GroupName", name),
        Description=properties.get("GroupDescription"),
        VpcId=properties.get("VpcId"),
        TagSpecifications=_tagged(calls, "security-group", properties),
    )["GroupId"]
    made = Made(group, {"GroupId": group})
    with undone_on_failure(calls, made, _delete_group):
        for way in ("Ingress", "Egress"):
            rules = [_permission(rule) for rule in properties.get(f"SecurityGroup{way}", ())]
            if rules:
                operation = f"AuthorizeSecurityGroup{way}"
                calls("ec2", operation, GroupId=group, IpPermissions=rules)
    return made


def _permission(rule: Properties) -> dict[str, Any]:
    """A rule of a template as EC2's calls have it."""
    described = given(rule, "Description")
    source, ranges = rule.get("SourceSecurityGroupId"), rule.get("CidrIp")
    return {
        **given(rule, "IpProtocol", "FromPort", "ToPort"),
        **({"IpRanges": [{"CidrIp": ranges, **described}]} if ranges else {}),
        **({"UserIdGroupPairs": [{"GroupId": source, **described}]} if source else {}),
    }


def _delete_group(calls: Calls, made: Made) -> None:
    calls("ec2", "DeleteSecurityGroup", GroupId=made.physical_id)


def _create_cluster(calls: Calls, name: str, properties: Properties) -> Made:
    name = str(properties.get("ClusterName", name))
    tags = lowered(tags_of(calls, properties)) or None
    found = calls("ecs", "CreateCluster", clusterName=name, tags=tags)["cluster"]
    return Made(name, {"Arn": found["clusterArn"]})


def _delete_cluster(calls: Calls, made: Made) -> None:
    calls("ecs", "DeleteCluster", cluster=made.physical_id)


KINDS: dict[str, Kind] = {
    "AWS::EC2::VPC": kind(
        "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Tags",
        _create_vpc,
        _delete_vpc,
        attributes="VpcId CidrBlock",
    ),
    "AWS::EC2::Subnet": kind(
        "AvailabilityZone CidrBlock MapPublicIpOnLaunch Tags VpcId",
        _create_subnet,
        _delete_subnet,
        attributes="SubnetId AvailabilityZone",
    ),
    "AWS::EC2::InternetGateway": kind(
        "Tags", _create_gateway, _delete_gateway, attributes="InternetGatewayId"
    ),
    "AWS::EC2::VPCGatewayAttachment": kind("InternetGatewayId VpcId", _attach, _detach),
    "AWS::EC2::RouteTable": kind(
        "Tags VpcId", _create_table, _delete_table, attributes="RouteTableId"
    ),
    "AWS::EC2::Route": kind(
        "DestinationCidrBlock GatewayId RouteTableId", _create_route, _delete_route
    ),
    "AWS::EC2::SubnetRouteTableAssociation": kind(
        "RouteTableId SubnetId", _associate, _disassociate
    ),
    "AWS::EC2::SecurityGroup": kind(
        "GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId",
        _create_group,
        _delete_group,
        attributes="GroupId",
    ),
    "AWS::ECS::Cluster": kind(
        "ClusterName Tags", _create_cluster, _delete_cluster, attributes="Arn"
    ),
}
