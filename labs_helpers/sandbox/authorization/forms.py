"""How a request's parameters spell the ARN of each type of resource.

Which types an action needs is AWS's table (tables/*.json); here is where their names are in a
request, by the prefix of the service's actions. How a form is read: arns.py. Closed operations have
forms too: IAM decides before the sandbox says NotInSandbox, and names the resource in a refusal.
Forms of the ARNs:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Mapping

_STACK = "stack/{StackName|StackId}/*"
_GROUP = "log-group:{logGroupName|logGroupIdentifier|resourceIdentifier|logGroupNames}"

FORMS: Mapping[str, Mapping[str, str]] = {
    "cloudformation": {
        "stack": _STACK,
        "changeset": "changeSet/{ChangeSetName}/*",
        "stackset": "stackset/{StackSetName}:*",
    },
    "codebuild": {
        "project": "project/{projectName|name|names|projectArn|id<:|ids<:}",
        "report-group": "report-group/"
        "{name|arn<:|reportArn<:|reportArns<:|reportGroupArn|reportGroupArns}",
        "fleet": "fleet/{arn|name|names}:*",
        "sandbox": "sandbox/{sandboxId|id|ids}",
    },
    "codecommit": {
        "repository": "{repositoryName|repositoryNames|resourceArn|oldName|targets.repositoryName}",
    },
    "codedeploy": {
        "application": "application:{applicationName|applicationNames}",
        "deploymentgroup": "deploymentgroup:{applicationName}/"
        "{deploymentGroupName|deploymentGroupNames|currentDeploymentGroupName}",
        "deploymentconfig": "deploymentconfig:{deploymentConfigName}",
        "instance": "instance:{instanceName|instanceNames}",
    },
    "codepipeline": {
        "pipeline": "{pipelineName|name|pipeline.name|webhook.targetPipeline}",
        "stage": "{pipelineName}/{stageName}",
        "action": "{pipelineName}/{stageName}/{actionName}",
        "actiontype": "actiontype:Custom/{category|actionTypeId.category}/"
        "{provider|actionTypeId.provider}/{version|actionTypeId.version}",
        "webhook": "webhook:{name|webhookName|webhook.name}",
    },
    "ecs": {
        "capacity-provider": "capacity-provider/{capacityProvider|name|capacityProviders}",
        "cluster": "cluster/{cluster|clusterName|clusters=default}",
        "container-instance": "container-instance/{cluster=default}/"
        "{containerInstance|containerInstances}",
        "service": "service/{cluster=default}/{service|serviceName|serviceArn|services}",
        "service-deployment": "{serviceDeploymentArn|serviceDeploymentArns}",
        "service-revision": "{serviceRevisionArns}",
        "task": "task/{cluster=default}/{task|tasks}",
        "task-definition": "task-definition/{taskDefinition|taskDefinitions|family}",
        "task-set": "task-set/{cluster=default}/{service}/{taskSet|taskSets}",
    },
    "eks": {
        "access-entry": "access-entry/{clusterName|name}/*",
        "addon": "addon/{clusterName|name}/{addonName}/*",
        "capability": "capability/{clusterName|name}/*/{capabilityName}/*",
        "cluster": "cluster/{clusterName|name}",
        "fargateprofile": "fargateprofile/{clusterName|name}/{fargateProfileName}/*",
        "identityproviderconfig": "identityproviderconfig/{clusterName|name}/*",
        "nodegroup": "nodegroup/{clusterName|name}/{nodegroupName}/*",
        "podidentityassociation": "podidentityassociation/{clusterName|name}/{associationId}",
        "eks-anywhere-subscription": "eks-anywhere-subscription/{id}",
    },
    "events": {
        "api-destination": "api-destination/{Name}",
        "archive": "archive/{ArchiveName}",
        "connection": "connection/{Name|ConnectionArn}",
        "endpoint": "endpoint/{Name}",
        "event-bus": "event-bus/{Name|EventBusName|Entries.EventBusName=default}",
        "event-source": "event-source/{Name|EventSourceName}",
        "replay": "replay/{ReplayName}",
    },
    "logs": {
        # so AWS spells them in what it refuses, and so policies end them with `:*`
        "log-group": _GROUP + ":log-stream:",
        "log-stream": _GROUP + ":log-stream:{logStreamName}",
        "destination": "destination:{destinationName|destinationArn}",
        "delivery": "delivery:{id}",
        "delivery-destination": "delivery-destination:"
        "{name|deliveryDestinationName|deliveryDestinationArn}",
        "delivery-source": "delivery-source:{name|deliverySourceName}",
        "anomaly-detector": "anomaly-detector:{anomalyDetectorArn}",
        "lookup-table": "lookup-table:{lookupTableName|lookupTableArn}",
        "scheduled-query": "scheduled-query:{name|identifier}",
    },
    "cloudtrail": {
        "channel": "channel/{ResourceIdList}",
        "dashboard": "dashboard/{ResourceIdList}",
        "eventdatastore": "eventdatastore/{EventDataStore|ResourceIdList}",
        "trail": "trail/{Name|TrailName|ResourceIdList}",
    },
    "cloudwatch": {
        "alarm": "alarm:{AlarmName|AlarmNames}",
        "dashboard": "dashboard/{DashboardName|DashboardNames}",
    },
    "dynamodb": {
        "index": "table/{TableName}/index/{IndexName}",
        "stream": "{ResourceArn}",
        "table": "table/{TableName|ResourceArn|RequestItems}",
    },
    "ec2": {
        "elastic-ip": "elastic-ip/{AllocationId|PublicIp|AssociationId}",
        "image": "image/{ImageId}",
        "instance": "instance/{InstanceId}",
        "internet-gateway": "internet-gateway/{InternetGatewayId|GatewayId}",
        "key-pair": "key-pair/{KeyName|KeyPairId}",
        "launch-template": "launch-template/{LaunchTemplateId}",
        "natgateway": "natgateway/{NatGatewayId}",
        "network-acl": "network-acl/{NetworkAclId|AssociationId}",
        "network-interface": "network-interface/{NetworkInterfaceId}",
        "prefix-list": "prefix-list/{SecurityGroupRule.SecurityGroupRule.PrefixListId}",
        "route-table": "route-table/"
        "{RouteTableId|AddRouteTableId|RemoveRouteTableId|AssociationId}",
        "security-group": "security-group/"
        "{GroupId|SecurityGroupId|GroupName|AddSecurityGroupId|RemoveSecurityGroupId}",
        "security-group-rule": "security-group-rule/"
        "{SecurityGroupRuleId|SecurityGroupRule.SecurityGroupRuleId}",
        "snapshot": "snapshot/{SnapshotId}",
        "subnet": "subnet/{SubnetId|AddSubnetId|RemoveSubnetId|AssociationId}",
        "volume": "volume/{VolumeId}",
        "vpc": "vpc/{VpcId}",
        "vpc-endpoint": "vpc-endpoint/{VpcEndpointId}",
    },
    "elasticloadbalancing": {
        "listener/app": "{ListenerArn}",
        "listener/gwy": "{ListenerArn}",
        "listener/net": "{ListenerArn}",
        "listener-rule/app": "{RuleArn|RulePriorities.RuleArn}",
        "listener-rule/net": "{RuleArn|RulePriorities.RuleArn}",
        "loadbalancer": "{LoadBalancerArn|NewLoadBalancer}",
        "loadbalancer/app/": "{LoadBalancerArn}",
        "loadbalancer/gwy/": "{LoadBalancerArn}",
        "loadbalancer/net/": "{LoadBalancerArn}",
        "targetgroup": "targetgroup/{Name|TargetGroupArn}/*",
    },
    "kms": {
        "alias": "{AliasName}",
        "key": "key/{KeyId|TargetKeyId|AliasName}",
    },
    "organizations": {
        "account": "account/*/{account}",
        "organizationalunit": "ou/*/{organizationalunit}",
        "policy": "policy/*/*/{policy}",
        "root": "root/*/{root}",
    },
    "secretsmanager": {"Secret": "secret:{SecretId|Name}"},
    "sns": {"topic": "{TopicArn|TargetArn|Name|SubscriptionArn|ResourceArn}"},
    "sqs": {"queue": "{QueueUrl|QueueName}"},
    "ssm": {"parameter": "parameter/{Name|Names|Path|ResourceId}"},
}

WITHOUT_TYPE: Mapping[tuple[str, str], str] = {
    ("eks", "CreateCluster"): "cluster/{name}",
    ("eks", "ListClusters"): "cluster/*",
    ("logs", "DescribeLogGroups"): "log-group::log-stream:",
}
"""Operations for which the reference has no type, and AWS's refusals name a resource."""

OF_ID: Mapping[str, str] = {
    "acl": "network-acl",
    "eigw": "egress-only-internet-gateway",
    "fl": "vpc-flow-log",
    "pcx": "vpc-peering-connection",
    "eipalloc": "elastic-ip",
    "dopt": "dhcp-options",
    "key": "key-pair",
    "pl": "prefix-list",
    "sgr": "security-group-rule",
    "vgw": "vpn-gateway",
    "ami": "image",
    "eni": "network-interface",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""What the ids of EC2 are of, by how they begin: CreateTags names resources of any type."""

BY_ARN = ("resourceArn", "ResourceARN", "ResourceArn", "ResourceArns")
"""The parameter of operations on whatever resource has that ARN (TagResource and its like)."""
