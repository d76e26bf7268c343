"""CloudFormation's stacks: what a stack says it made is there, and what fails is taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from labs_helpers.sandbox.moto.stacks.types import types
from tests.policies import allow, policy
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import REGION, Running

ACCOUNT = "123456789012"
RULE = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3},
    "action": {"type": "expire"},
}
PULL = {"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READ = json.loads(policy(allow("s3:GetObject")))


@pytest.fixture(scope="module")
def stacks(sandbox: Running) -> Any:
    return sandbox.client("cloudformation")


@pytest.fixture(scope="module")
def ecr(sandbox: Running) -> Any:
    return sandbox.client("ecr")


def template(outputs: dict[str, Any] | None = None, **resources: Any) -> str:
    """A template; a resource is (type, properties) or (type, properties, other members)."""
    found = {
        name: {"Type": f"AWS::{kind}", "Properties": properties, **(more[0] if more else {})}
        for name, (kind, properties, *more) in resources.items()
    }
    return json.dumps({"Resources": found, **({"Outputs": outputs} if outputs else {})})


def make(stacks: Any, name: str, text: str, **more: Any) -> dict[str, Any]:
    """Create a stack; how DescribeStacks shows the stack."""
    stacks.create_stack(
        StackName=name, TemplateBody=text, Capabilities=["CAPABILITY_NAMED_IAM"], **more
    )
    (found,) = stacks.describe_stacks(StackName=name)["Stacks"]
    return dict(found)


def events(stacks: Any, name: str) -> list[tuple[str, str]]:
    """(logical id, status), the oldest first."""
    listed = stacks.describe_stack_events(StackName=name)["StackEvents"]
    return [(each["LogicalResourceId"], each["ResourceStatus"]) for each in reversed(listed)]


def reason(stacks: Any, name: str, status: str) -> str:
    """Why, of the newest event of a status."""
    listed = stacks.describe_stack_events(StackName=name)["StackEvents"]
    return str(next(e["ResourceStatusReason"] for e in listed if e["ResourceStatus"] == status))


def repository(name: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "ECR::Repository", {"RepositoryName": name, **more}


def put_image(ecr: Any, name: str) -> None:
    """An image of one layer, through the control plane."""
    blobs = []
    for content in (b"{}", b"layer"):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        part = {"partFirstByte": 0, "partLastByte": len(content) - 1, "layerPartBlob": content}
        ecr.upload_layer_part(repositoryName=name, uploadId=upload, **part)
        ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[digest])
        blobs.append({"digest": digest, "size": len(content)})
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", **blobs[0]}
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", **blobs[1]}
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}
    ecr.put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag="v1")


def names(ecr: Any) -> list[str]:
    return [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]


def test_a_repository_of_a_stack_is_one_of_ecr(stacks: Any, ecr: Any) -> None:
    """Reported as F1."""
    text = template(
        {
            "Uri": {"Value": {"Fn::GetAtt": ["App", "RepositoryUri"]}},
            "Arn": {"Value": {"Fn::Sub": "${App.Arn}"}, "Export": {"Name": "app-arn"}},
            "Name": {"Value": {"Ref": "App"}},
        },
        App=repository(
            "whole/app",
            ImageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            ImageTagMutabilityExclusionFilters=[
                {
                    "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                    "ImageTagMutabilityExclusionFilterValue": "dev-*",
                }
            ],
            ImageScanningConfiguration={"ScanOnPush": "true"},
            EncryptionConfiguration={"EncryptionType": "AES256"},
            RepositoryPolicyText={"Version": "2012-10-17", "Statement": [PULL]},
            LifecyclePolicy={"LifecyclePolicyText": json.dumps({"rules": [RULE]})},
            Tags=[{"Key": "team", "Value": "web"}],
        ),
    )
    made = make(stacks, "whole", text, Tags=[{"Key": "stage", "Value": "test"}])
    assert made["StackStatus"] == "CREATE_COMPLETE"
    (found,) = ecr.describe_repositories(repositoryNames=["whole/app"])["repositories"]
    assert {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]} == {
        "Uri": found["repositoryUri"],
        "Arn": found["repositoryArn"],
        "Name": "whole/app",
    }
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert found["imageTagMutabilityExclusionFilters"] == [
        {"filterType": "WILDCARD", "filter": "dev-*"}
    ]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    told = ecr.get_repository_policy(repositoryName="whole/app")["policyText"]
    assert json.loads(told)["Statement"] == [PULL]
    told = ecr.get_lifecycle_policy(repositoryName="whole/app")["lifecyclePolicyText"]
    assert json.loads(told) == {"rules": [RULE]}
    tags = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "web", "stage": "test"}
    assert events(stacks, "whole") == [
        ("whole", "CREATE_IN_PROGRESS"),
        ("App", "CREATE_IN_PROGRESS"),
        ("App", "CREATE_COMPLETE"),
        ("whole", "CREATE_COMPLETE"),
    ]
    (resource,) = stacks.describe_stack_resources(StackName="whole")["StackResources"]
    assert (resource["PhysicalResourceId"], resource["ResourceStatus"]) == (
        "whole/app",
        "CREATE_COMPLETE",
    )


def test_an_update_changes_the_repository_and_can_take_things_away(stacks: Any, ecr: Any) -> None:
    policies = {"RepositoryPolicyText": {"Version": "2012-10-17", "Statement": [PULL]}}
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    make(
        stacks,
        "moves",
        template(A=repository("moves", **policies, Tags=tags), B=repository("side-b")),
    )
    text = template(
        A=repository("moves", ImageTagMutability="IMMUTABLE", Tags=[{"Key": "b", "Value": "3"}]),
        C=repository("side-c"),
    )
    stacks.update_stack(StackName="moves", TemplateBody=text)
    (found,) = ecr.describe_repositories(repositoryNames=["moves"])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert refusal_of(ecr, "get_repository_policy", repositoryName="moves")[1] == (
        "RepositoryPolicyNotFoundException"
    )
    assert ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == [
        {"Key": "b", "Value": "3"}
    ]
    assert ("side-b" in names(ecr), "side-c" in names(ecr)) == (False, True)
    (stack,) = stacks.describe_stacks(StackName="moves")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert refusal_of(stacks, "update_stack", StackName="moves", TemplateBody=text) == (
        400,
        "ValidationError",
        "No updates are to be performed.",
    )


def test_a_stack_that_fails_takes_back_what_was_made(stacks: Any, ecr: Any) -> None:
    """The reason is in the events, and the stack can be described and deleted. Reported as S9."""
    bad = repository("bad", ImageTagMutability="MUTABLE_WITH_EXCLUSION")
    text = template(
        {"Uri": {"Value": {"Fn::GetAtt": ["Bad", "RepositoryUri"]}}},
        Good=repository("good"),
        Bad=(*bad, {"DependsOn": "Good"}),
    )
    made = make(stacks, "fails", text)
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Outputs" not in made
    assert not {"good", "bad"} & set(names(ecr))
    assert "imageTagMutabilityExclusionFilters" in reason(stacks, "fails", "CREATE_FAILED")
    assert reason(stacks, "fails", "ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [Bad]. Rollback requested by user."
    )
    resources = stacks.describe_stack_resources(StackName="fails")["StackResources"]
    assert {one["LogicalResourceId"]: one["ResourceStatus"] for one in resources} == {
        "Good": "DELETE_COMPLETE",
        "Bad": "CREATE_FAILED",
    }
    told = refusal_of(stacks, "update_stack", StackName="fails", TemplateBody=text)
    assert "is in ROLLBACK_COMPLETE state and can not be updated." in told[2]
    stacks.delete_stack(StackName="fails")
    assert refusal_of(stacks, "describe_stacks", StackName="fails")[1] == "ValidationError"


def test_half_a_repository_is_none(stacks: Any, ecr: Any) -> None:
    lifecycle = {"LifecyclePolicyText": "{}"}
    made = make(stacks, "half", template(A=repository("half", LifecyclePolicy=lifecycle)))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "half" not in names(ecr)


def test_an_update_that_fails_is_taken_back(stacks: Any, ecr: Any) -> None:
    make(stacks, "returns", template(A=repository("returns")))
    text = template(
        A=repository("returns", ImageTagMutability="IMMUTABLE"),
        B=("SSM::Parameter", {"Type": "String", "Name": "no"}, {"DependsOn": "A"}),
    )
    stacks.update_stack(StackName="returns", TemplateBody=text)
    (found,) = ecr.describe_repositories(repositoryNames=["returns"])["repositories"]
    assert found["imageTagMutability"] == "MUTABLE"
    (stack,) = stacks.describe_stacks(StackName="returns")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.get_template(StackName="returns")["TemplateBody"]["Resources"].keys() == {"A"}


def test_a_repository_with_images_stays_unless_the_template_empties_it(
    stacks: Any, ecr: Any
) -> None:
    text = template(
        Kept=repository("kept-images"), Emptied=repository("emptied", EmptyOnDelete=True)
    )
    make(stacks, "images", text)
    for name in ("kept-images", "emptied"):
        put_image(ecr, name)
    stacks.delete_stack(StackName="images")
    (stack,) = stacks.describe_stacks(StackName="images")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"].startswith(
        "The following resource(s) failed to delete: [Kept]."
    )
    assert "cannot be deleted because it still contains images" in reason(
        stacks, "images", "DELETE_FAILED"
    ) or "still contains images" in str(stacks.describe_stack_events(StackName="images"))
    assert ("kept-images" in names(ecr), "emptied" in names(ecr)) == (True, False)
    stacks.delete_stack(StackName="images", RetainResources=["Kept"])
    assert refusal_of(stacks, "describe_stacks", StackName="images")[1] == "ValidationError"
    assert "kept-images" in names(ecr)


def test_a_stack_has_the_rights_of_its_caller(sandbox: Running, stacks: Any, ecr: Any) -> None:
    builder = People(sandbox).make("builder", allow("cloudformation:*"))
    theirs = builder.client("cloudformation")
    text = template(
        App=repository("forbidden"), Role=("IAM::User", {"UserName": "made-by-a-stack"})
    )
    made = make(theirs, "forbidden", text)
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    why = reason(theirs, "forbidden", "CREATE_FAILED")
    assert "is not authorized to perform: " in why
    assert "HandlerErrorCode: AccessDenied" in why
    assert "forbidden" not in names(ecr)
    users = sandbox.client("iam").list_users()["Users"]
    assert "made-by-a-stack" not in [user["UserName"] for user in users]


@pytest.fixture(scope="module")
def halfway(sandbox: Running) -> Any:
    """CloudFormation's client of somebody who may make things, but not complete them."""
    denied = [
        ("ec2:ModifySubnetAttribute", "*"),
        ("kms:EnableKeyRotation", "*"),
        ("sqs:SetQueueAttributes", "arn:aws:sqs:*:*:half-second"),
        ("iam:PutUserPolicy", "arn:aws:iam::*:user/half-second"),
    ]
    statements = [
        {"Effect": "Deny", "Action": action, "Resource": resource} for action, resource in denied
    ]
    return People(sandbox).make("halfway", allow("*"), *statements).client("cloudformation")


def test_a_subnet_whose_setting_fails_does_not_stay(sandbox: Running, halfway: Any) -> None:
    subnet = {"VpcId": {"Ref": "Net"}, "CidrBlock": "10.77.0.0/24", "MapPublicIpOnLaunch": True}
    net = ("EC2::VPC", {"CidrBlock": "10.77.0.0/16"})
    made = make(halfway, "half-subnet", template(Net=net, Sub=("EC2::Subnet", subnet)))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    ec2 = sandbox.client("ec2")
    assert "10.77.0.0/24" not in [one["CidrBlock"] for one in ec2.describe_subnets()["Subnets"]]
    assert "10.77.0.0/16" not in [one["CidrBlock"] for one in ec2.describe_vpcs()["Vpcs"]]


def test_a_key_whose_rotation_fails_is_scheduled_for_deletion(
    sandbox: Running, halfway: Any
) -> None:
    key = {"EnableKeyRotation": True, "Description": "half a key", "PendingWindowInDays": 7}
    made = make(halfway, "half-key", template(Key=("KMS::Key", key)))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    kms = sandbox.client("kms")
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    states = [one["KeyState"] for one in keys if one["Description"] == "half a key"]
    assert states == ["PendingDeletion"]


def test_a_policy_of_two_queues_is_on_both_or_on_none(sandbox: Running, halfway: Any) -> None:
    sqs = sandbox.client("sqs")
    urls = [sqs.create_queue(QueueName=f"half-{each}")["QueueUrl"] for each in ("first", "second")]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage"}
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]}
    of_both = ("SQS::QueuePolicy", {"Queues": urls, "PolicyDocument": document})
    made = make(halfway, "half-queues", template(Both=of_both))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    for url in urls:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        assert not found.get("Attributes", {}).get("Policy")


def test_a_policy_of_two_users_is_of_both_or_of_none(sandbox: Running, halfway: Any) -> None:
    iam = sandbox.client("iam")
    users = ["half-first", "half-second"]
    for user in users:
        iam.create_user(UserName=user)
    of_both = ("IAM::Policy", {"PolicyName": "p", "PolicyDocument": READ, "Users": users})
    made = make(halfway, "half-users", template(Both=of_both))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    for user in users:
        assert iam.list_user_policies(UserName=user)["PolicyNames"] == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("SNS::Topic", {"Subscription": [{"Protocol": "http", "Endpoint": "http://127.0.0.1/"}]}),
        ("SNS::Topic", {"Subscription": [{"Protocol": "lambda", "Endpoint": "arn:x"}]}),
    ],
)
def test_a_stack_subscribes_nobody_whom_sns_refuses(
    sandbox: Running, stacks: Any, kind: str, properties: dict[str, Any]
) -> None:
    name = f"loud-{properties['Subscription'][0]['Protocol']}"
    made = make(stacks, name, template(A=(kind, {"TopicName": name, **properties})))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "sns:Subscribe with Protocol=" in reason(stacks, name, "CREATE_FAILED")
    topics = [one["TopicArn"] for one in sandbox.client("sns").list_topics()["Topics"]]
    assert f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" not in topics


MADE: dict[str, Any] = {
    "Bucket": (
        "S3::Bucket",
        {
            "BucketName": "of-a-stack",
            "VersioningConfiguration": {"Status": "Enabled"},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
            "Tags": [{"Key": "a", "Value": "b"}],
        },
    ),
    "BucketPolicy": (
        "S3::BucketPolicy",
        {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                    }
                ],
            },
        },
    ),
    "Topic": ("SNS::Topic", {"TopicName": "of-a-stack"}),
    "Queue": ("SQS::Queue", {"QueueName": "of-a-stack", "VisibilityTimeout": 7}),
    "QueuePolicy": (
        "SQS::QueuePolicy",
        {
            "Queues": [{"Ref": "Queue"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                    }
                ],
            },
        },
    ),
    "Subscription": (
        "SNS::Subscription",
        {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
        },
    ),
    "Rule": (
        "Events::Rule",
        {
            "Name": "of-a-stack",
            "EventPattern": {"source": ["aws.ecr"]},
            "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
    ),
    "Logs": ("Logs::LogGroup", {"LogGroupName": "of-a-stack", "RetentionInDays": "7"}),
    "Parameter": ("SSM::Parameter", {"Name": "/of/a/stack", "Type": "String", "Value": "x"}),
    "Secret": ("SecretsManager::Secret", {"Name": "of-a-stack", "SecretString": "x"}),
    "Table": (
        "DynamoDB::Table",
        {
            "TableName": "of-a-stack",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        },
    ),
    "Key": ("KMS::Key", {"Description": "of a stack", "EnableKeyRotation": True}),
    "Alias": ("KMS::Alias", {"AliasName": "alias/of-a-stack", "TargetKeyId": {"Ref": "Key"}}),
    "Role": (
        "IAM::Role",
        {
            "RoleName": "of-a-stack",
            "AssumeRolePolicyDocument": TRUST,
            "ManagedPolicyArns": [{"Ref": "Managed"}],
            "Policies": [{"PolicyName": "own", "PolicyDocument": READ}],
        },
    ),
    "Managed": ("IAM::ManagedPolicy", {"ManagedPolicyName": "managed", "PolicyDocument": READ}),
    "Inline": (
        "IAM::Policy",
        {"PolicyName": "in", "PolicyDocument": READ, "Roles": [{"Ref": "Role"}]},
    ),
    "Team": ("IAM::Group", {"GroupName": "of-a-stack"}),
    "Person": ("IAM::User", {"UserName": "of-a-stack", "Groups": [{"Ref": "Team"}]}),
    "Vpc": ("EC2::VPC", {"CidrBlock": "10.7.0.0/16", "EnableDnsHostnames": "true"}),
    "Gateway": ("EC2::InternetGateway", {}),
    "Attachment": (
        "EC2::VPCGatewayAttachment",
        {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
    ),
    "Subnet": (
        "EC2::Subnet",
        {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": "10.7.1.0/24",
            "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        },
    ),
    "Routes": ("EC2::RouteTable", {"VpcId": {"Ref": "Vpc"}}),
    "Route": (
        "EC2::Route",
        {
            "RouteTableId": {"Ref": "Routes"},
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": {"Ref": "Gateway"},
        },
        {"DependsOn": "Attachment"},
    ),
    "Association": (
        "EC2::SubnetRouteTableAssociation",
        {"RouteTableId": {"Ref": "Routes"}, "SubnetId": {"Ref": "Subnet"}},
    ),
    "Firewall": (
        "EC2::SecurityGroup",
        {
            "GroupDescription": "of a stack",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": "80", "CidrIp": "0.0.0.0/0"}
            ],
        },
    ),
    "Cluster": ("ECS::Cluster", {"ClusterName": "of-a-stack"}),
    "Repository": repository("of-a-stack"),
    "Registry": (
        "ECR::RegistryPolicy",
        {
            "PolicyText": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "of-a-stack",
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                        "Action": "ecr:CreateRepository",
                        "Resource": "arn:aws:ecr:us-west-2:123456789012:repository/cache/*",
                    }
                ],
            }
        },
    ),
    "Cache": (
        "ECR::PullThroughCacheRule",
        {"EcrRepositoryPrefix": "of-a-stack", "UpstreamRegistryUrl": "public.ecr.aws"},
    ),
    "Template": (
        "ECR::RepositoryCreationTemplate",
        {"Prefix": "of-a-stack", "AppliedFor": ["PULL_THROUGH_CACHE"]},
    ),
    "Scanning": (
        "ECR::RegistryScanningConfiguration",
        {
            "ScanType": "BASIC",
            "Rules": [
                {
                    "ScanFrequency": "SCAN_ON_PUSH",
                    "RepositoryFilters": [{"Filter": "of-a-stack", "FilterType": "WILDCARD"}],
                }
            ],
        },
    ),
}


def registry_of(ecr: Any) -> Iterator[tuple[str, Any]]:
    """What the registry has, by the type of a stack's resource."""
    try:
        yield "registry policy", ecr.get_registry_policy()["policyText"]
    except ecr.exceptions.RegistryPolicyNotFoundException:
        yield "registry policy", None
    yield "cache", ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    yield "template", ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    yield "scanning", ecr.get_registry_scanning_configuration()["scanningConfiguration"]


def test_every_type_is_in_the_great_stack() -> None:
    assert {f"AWS::{kind}" for kind, *_ in MADE.values()} == set(types())


def test_every_type_is_made_by_its_service_and_goes_with_the_stack(
    sandbox: Running, stacks: Any
) -> None:
    made = make(stacks, "great", template(**MADE))
    assert made["StackStatus"] == "CREATE_COMPLETE", stacks.describe_stack_events(StackName="great")

    def there() -> dict[str, bool]:
        client = sandbox.client
        vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.7.0.0/16"]}])
        return {
            "bucket": "of-a-stack" in [b["Name"] for b in client("s3").list_buckets()["Buckets"]],
            "topic": "of-a-stack" in str(client("sns").list_topics()["Topics"]),
            "subscription": "of-a-stack" in str(client("sns").list_subscriptions()),
            "queue": "of-a-stack" in str(client("sqs").list_queues().get("QueueUrls")),
            "rule": "of-a-stack" in str(client("events").list_rules()["Rules"]),
            "group": "of-a-stack" in str(client("logs").describe_log_groups()["logGroups"]),
            "parameter": "/of/a/stack" in str(client("ssm").describe_parameters()["Parameters"]),
            "secret": "of-a-stack" in str(client("secretsmanager").list_secrets()["SecretList"]),
            "table": "of-a-stack" in client("dynamodb").list_tables()["TableNames"],
            "alias": "alias/of-a-stack" in str(client("kms").list_aliases()["Aliases"]),
            "role": "of-a-stack" in str(client("iam").list_roles()["Roles"]),
            "user": "of-a-stack" in str(client("iam").list_users()["Users"]),
            "policy": "/managed" in str(client("iam").list_policies(Scope="Local")["Policies"]),
            "vpc": bool(vpcs["Vpcs"]),
            "repository": "of-a-stack" in names(client("ecr")),
            **{name: "of-a-stack" in str(asked) for name, asked in registry_of(client("ecr"))},
        }

    assert set(there().values()) == {True}, there()
    iam = sandbox.client("iam")
    assert iam.list_role_policies(RoleName="of-a-stack")["PolicyNames"] == ["own", "in"]
    attached = iam.list_attached_role_policies(RoleName="of-a-stack")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["managed"]
    stacks.delete_stack(StackName="great")
    assert set(there().values()) == {False}, there()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            template(A=("SNS::Topic", {"DisplayName": {"Ref": "B"}}), B=("SNS::Topic", {})),
            None,
        ),
        (
            template(
                A=("SNS::Topic", {"DisplayName": {"Ref": "B"}}),
                B=("SNS::Topic", {"DisplayName": {"Fn::Sub": "${A}"}}),
            ),
            "Circular dependency between resources: [A, B]",
        ),
        (
            template(A=("SNS::Topic", {"DisplayName": {"Ref": "No"}})),
            "Template format error: Unresolved resource dependencies [No] in the Resources block "
            "of the template",
        ),
        (
            template({"O": {"Value": {"Ref": "No"}}}, A=("SNS::Topic", {})),
            "Template format error: Unresolved resource dependencies [No] in the Outputs block of "
            "the template",
        ),
        (
            template(A=("SNS::Topic", {"DisplayName": {"Fn::GetAtt": ["No", "Arn"]}})),
            "Template error: instance of Fn::GetAtt references undefined resource No",
        ),
        (
            template(A=("SNS::Topic", {}, {"DependsOn": "No"})),
            "Template format error: Unresolved resource dependencies [No] in the Resources block "
            "of the template",
        ),
        (
            template(A=("SNS::Topic", {"DisplayName": {"Fn::Join": "x"}})),
            "Template error: every Fn::Join object requires two parameters, (1) a string "
            "delimiter and (2) a list of strings to be joined or a function that returns a list "
            "of strings (such as Fn::GetAZs) to be joined.",
        ),
        (
            template(A=("SNS::Topic", {"DisplayName": {"Fn::FindInMap": ["M", "a", "b"]}})),
            "Template error: Mapping named 'M' is not present in the 'Mappings' section of "
            "template.",
        ),
    ],
)
def test_references_are_followed_before_anything_is_made(
    stacks: Any, text: str, words: str | None
) -> None:
    if words is None:
        stacks.validate_template(TemplateBody=text)
        return
    for call, more in (("validate_template", {}), ("create_stack", {"StackName": "circle"})):
        assert refusal_of(stacks, call, TemplateBody=text, **more) == (
            400,
            "ValidationError",
            words,
        )


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("RDS::DBInstance", {}, "the resource type AWS::RDS::DBInstance;"),
        ("ECR::ReplicationConfiguration", {}, "the resource type AWS::ECR::Replication"),
        ("CloudFormation::WaitConditionHandle", {}, "the resource type AWS::CloudFormation::Wait"),
        ("Glue::Job", {}, "the resource type AWS::Glue::Job;"),
        (
            "S3::Bucket",
            {"NotificationConfiguration": {}},
            "the property NotificationConfiguration of AWS::S3::Bucket in a stack;",
        ),
    ],
)
def test_what_a_stack_cannot_make_is_named(
    stacks: Any, kind: str, properties: dict[str, Any], named: str
) -> None:
    text = template(A=(kind, properties))
    status, code, words = refusal_of(stacks, "create_stack", StackName="no", TemplateBody=text)
    assert (status, code) == (501, "NotInSandbox")
    assert words.startswith(f"The sandbox does not have {named}")


def test_what_is_iams_needs_a_capability(stacks: Any) -> None:
    text = template(A=("IAM::Group", {"GroupName": "capable"}))
    for call, more in (
        ("create_stack", {}),
        ("create_change_set", {"ChangeSetName": "c", "ChangeSetType": "CREATE"}),
    ):
        assert refusal_of(stacks, call, StackName="cap", TemplateBody=text, **more) == (
            400,
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        )
    assert stacks.validate_template(TemplateBody=text)["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_a_change_set_does_nothing_until_it_is_executed(stacks: Any, ecr: Any) -> None:
    named = {"StackName": "later", "ChangeSetName": "first"}
    stacks.create_change_set(
        **named,
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(
            {
                "Parameters": {"Name": {"Type": "String", "AllowedPattern": "[a-z]+"}},
                "Resources": {
                    "A": {
                        "Type": "AWS::ECR::Repository",
                        "Properties": {"RepositoryName": {"Ref": "Name"}},
                    }
                },
            }
        ),
        Parameters=[{"ParameterKey": "Name", "ParameterValue": "later"}],
    )
    (change,) = stacks.describe_change_set(**named)["Changes"]
    assert change["ResourceChange"]["Action"] == "Add"
    assert "later" not in names(ecr)
    stacks.execute_change_set(**named)
    assert "later" in names(ecr)
    (stack,) = stacks.describe_stacks(StackName="later")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    for call in ("describe_change_set", "execute_change_set", "delete_change_set"):
        told = refusal_of(stacks, call, StackName="later", ChangeSetName="absent")
        assert told[1:] == ("ChangeSetNotFound", "ChangeSet [absent] does not exist")


def test_an_output_that_is_no_text_takes_the_stack_back(stacks: Any, ecr: Any) -> None:
    outputs = {"O": {"Value": {"Fn::Split": [",", "a,b"]}}}
    assert make(stacks, "listed", template(outputs, A=repository("listed")))["StackStatus"] == (
        "ROLLBACK_COMPLETE"
    )
    assert "listed" not in names(ecr)


def test_an_export_has_one_stack(stacks: Any, ecr: Any) -> None:
    outputs = {"O": {"Value": {"Ref": "A"}, "Export": {"Name": "only-one"}}}
    make(stacks, "exports", template(outputs, A=repository("exports")))
    again = make(stacks, "again", template(outputs, A=repository("again")))
    assert again["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "again" not in names(ecr)
    imported = repository("imports", Tags=[{"Key": "k", "Value": {"Fn::ImportValue": "only-one"}}])
    assert make(stacks, "imports", template(A=imported))["StackStatus"] == "CREATE_COMPLETE"
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/imports"
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "k", "Value": "exports"}]


@pytest.mark.parametrize(
    ("slot", "value", "words"),
    [
        ({"AllowedValues": ["a", "b"]}, "c", "must be one of AllowedValues [a, b]"),
        ({"AllowedPattern": "[a-z]+"}, "C", "must match pattern [a-z]+"),
        ({"MinLength": 2}, "a", "must contain at least 2 characters"),
        ({"Type": "Number", "MaxValue": 2}, "3", "must be a number not greater than 2"),
        ({"Type": "Number"}, "x", "must be a number"),
    ],
)
def test_a_parameter_that_the_template_excludes(
    stacks: Any, slot: dict[str, Any], value: str, words: str
) -> None:
    text = json.dumps(
        {
            "Parameters": {"P": {"Type": "String", **slot}},
            "Resources": {"A": {"Type": "AWS::SNS::Topic"}},
        }
    )
    given = [{"ParameterKey": "P", "ParameterValue": value}]
    told = refusal_of(stacks, "create_stack", StackName="p", TemplateBody=text, Parameters=given)
    assert told == (400, "ValidationError", f"Parameter 'P' {words}")


def test_who_policy_of_a_role_is_none_is_told_so(stacks: Any) -> None:
    text = template(
        A=(
            "IAM::Role",
            {
                "RoleName": "bad",
                "AssumeRolePolicyDocument": json.loads(policy({"Effect": "Maybe"})),
            },
        )
    )
    assert make(stacks, "bad-role", text)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "(Service: Iam, Status Code: 400" in reason(stacks, "bad-role", "CREATE_FAILED")
