"""Arguments that moto does not read, although they change what AWS does.

moto 5.2.5 takes each of these arguments, leaves it out, and answers as if it had been followed.
The sandbox refuses the argument in words, after IAM's decision and after the check of the model.
A dry run of Amazon EC2 has AWS's own answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from labs_helpers.sandbox.authorization.terms import ApiRequest
from labs_helpers.sandbox.moto.arguments import Argument
from labs_helpers.sandbox.moto.refused_arguments import refuse_arguments
from labs_helpers.sandbox.service.aws_errors import not_implemented
from labs_helpers.sandbox.service.refusal import Refusal

Key = tuple[str, str]


def _of(
    service: str, operations: str, parameters: str, reason: str, values: str = ""
) -> Iterator[tuple[Key, tuple[Argument, ...]]]:
    """Rows of UNREAD; the texts hold names between spaces, `values` holds them in lower case."""
    of_value = frozenset(values.split()) or None
    for operation in operations.split():
        row = tuple(Argument(each, reason, of_value) for each in parameters.split())
        yield (service, operation), row


UNREAD: Mapping[Key, tuple[Argument, ...]] = dict(
    (
        *_of(
            "ec2",
            "CreateRoute ReplaceRoute",
            "CarrierGatewayId CoreNetworkArn DestinationPrefixListId EgressOnlyInternetGatewayId "
            "InstanceId LocalGatewayId LocalTarget NatGatewayId NetworkInterfaceId "
            "TransitGatewayId VpcEndpointId VpcPeeringConnectionId",
            "A route here leads to an internet gateway: give GatewayId.",
        ),
        *_of("ec2", "AssociateRouteTable", "GatewayId", "Associate the table with a subnet."),
        *_of(
            "ec2",
            "CreateVpc CreateSubnet",
            "Ipv4IpamPoolId Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength Ipv6Pool OutpostArn",
            "Give the addresses themselves, in CidrBlock.",
        ),
        *_of(
            "ec2",
            "ModifySubnetAttribute",
            "CustomerOwnedIpv4Pool DisableLniAtDeviceIndex EnableDns64 EnableLniAtDeviceIndex "
            "EnableResourceNameDnsAAAARecordOnLaunch MapCustomerOwnedIpOnLaunch "
            "PrivateDnsHostnameTypeOnLaunch",
            "The attribute that the labs use is MapPublicIpOnLaunch.",
        ),
        *_of(
            "ec2",
            "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress "
            "RevokeSecurityGroupIngress",
            "SourceSecurityGroupName SourceSecurityGroupOwnerId",
            "Name the other group in UserIdGroupPairs of IpPermissions.",
        ),
        *_of("ec2", "DeleteKeyPair DescribeKeyPairs", "KeyPairId", "Give the name of the pair."),
        *_of("ec2", "CreateKeyPair", "KeyFormat", "The key is written in PEM.", values="ppk"),
        *_of("ec2", "DescribeRegions", "Filter", "Give RegionNames, or filter with `--query`."),
        *_of("ecs", "ListTaskDefinitions", "sort", "The oldest comes first.", values="desc"),
        *_of(
            "ecs",
            "ListTaskDefinitionFamilies",
            "status",
            "List the task definitions with a status instead.",
            values="active inactive",
        ),
        *_of("ssm", "DescribeParameters", "Filters Shared", "Filter with ParameterFilters."),
        *_of(
            "ssm",
            "PutParameter",
            "AllowedPattern KeyId Policies",
            "The sandbox checks no value, asks no key and lets no parameter expire.",
        ),
    )
)
"""(service, operation) -> arguments, spelled as a request has them."""


_OF_AWS = re.compile(r"(arn:[^/]*)?/aws/")
_NAMES = ("Name", "Names", "Path", "ResourceId")


def check(asked: ApiRequest) -> None:
    """Raise Refusal for an argument that moto would leave out, and for a dry run.

    A dry run only says whether the caller has the permission, and the caller has:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html
    """
    if asked.service == "ec2" and str(asked.params.get("DryRun", "")).lower() == "true":
        words = "Request would have succeeded, but DryRun flag is set."
        raise Refusal("DryRunOperation", words, 412)
    if asked.service == "organizations":
        # no organization can be made here, and moto answers with empty lists
        # https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
        words = "Your account is not a member of an organization."
        raise Refusal("AWSOrganizationsNotInUseException", words)
    key = (asked.service, asked.operation)
    refuse_arguments(asked.service, asked.operation, asked.params, UNREAD.get(key, ()))
    if asked.service == "ssm" and asked.operation != "PutParameter":
        _check_names(asked.operation, asked.params)


def _check_names(operation: str, params: Mapping[str, Any]) -> None:
    """Raise Refusal for parameters of AWS itself.

    moto would show secrets of Secrets Manager to a caller who may not read them, and would list
    public parameters as the caller's own.
    """
    for name in _NAMES:
        given = params.get(name, ())
        for each in given if isinstance(given, list) else [given]:
            if _OF_AWS.match(str(each)):
                raise not_implemented(
                    f"the operation ssm:{operation} with the parameter {str(each)[:80]}",
                    "The sandbox has no parameters of AWS. Read a secret with `aws secretsmanager "
                    "get-secret-value`.",
                )
