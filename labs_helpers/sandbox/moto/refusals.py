"""What the sandbox refuses in words of its own: operations, arguments, types of resources.

An operation is refused for one of two reasons. moto would run a program or connect to another
machine, on behalf of whoever sent the request. Or moto would answer as if something had been done
that nobody did: a build that "succeeded", a scan without findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.moto.arguments import IGNORED, SYMMETRIC, Argument
from labs_helpers.sandbox.service.aws_errors import not_implemented

EVERY = "*"
"""All operations of a service."""

_NO_FUNCTION = "The sandbox keeps and runs no functions."
_NO_JOB = "The sandbox starts no containers for AWS Batch."
_NO_BUILD = (
    "No build would run here. Lab 09 runs the commands of a buildspec on this machine instead, "
    "with `labs build`."
)
_NO_STAGE = (
    "No stage would run here. Lab 09 runs the steps of a pipeline one by one: the build, the gate "
    "and the release."
)
_NO_TASK = (
    "No task would run here. Lab 10 pulls the image with docker instead, as the machine of a task "
    "would."
)
_NO_CLUSTER = (
    "No cluster and no node would run here. Lab 10 writes the manifest, and pulls the image that "
    "the manifest names as a node would."
)
_NO_DEPLOYMENT = (
    "Nothing would be deployed here. Lab 09 moves a tag to the next release instead, and back."
)
_NO_SCAN = "Nothing would be scanned here. Lab 08 scans images with Amazon ECR instead."
_NO_MACHINE = "No virtual machine would run here."
_NO_COMMAND = "No command would run here."
_NO_STATES = "No state machine would run here."
_NO_DATA = "Nothing would run here, and there are no results to answer with."

REFUSED: Mapping[str, Mapping[str, str]] = {
    # runs a function's code in Docker (moto/awslambda/models.py)
    "lambda": {EVERY: _NO_FUNCTION},
    # runs a job in Docker (moto/batch/models.py)
    "batch": {EVERY: _NO_JOB},
    # moto calls each build SUCCEEDED at once (moto/codebuild/models.py)
    "codebuild": dict.fromkeys(
        (
            "RetryBuild",
            "RetryBuildBatch",
            "StartBuild",
            "StartBuildBatch",
            "StartCommandExecution",
            "StartSandbox",
            "StartSandboxConnection",
            # moto leaves out buildsNotFound, and no build is ever there
            "BatchGetBuilds",
        ),
        _NO_BUILD,
    ),
    # moto calls each execution Succeeded at once (moto/codepipeline/models.py)
    "codepipeline": dict.fromkeys(
        (
            "OverrideStageCondition",
            "PutActionRevision",
            "PutApprovalResult",
            "PutJobFailureResult",
            "PutJobSuccessResult",
            "RetryStageExecution",
            "RollbackStage",
            "StartPipelineExecution",
            "StopPipelineExecution",
        ),
        _NO_STAGE,
    ),
    # moto cannot delete what it makes, and leaves fields empty (moto/codedeploy/responses.py)
    "codedeploy": {EVERY: _NO_DEPLOYMENT},
    # moto's tasks are RUNNING, whether their image exists or not (moto/ecs/models.py)
    "ecs": dict.fromkeys(
        (
            "CreateService",
            "CreateTaskSet",
            "ExecuteCommand",
            "DescribeTasks",
            "RunTask",
            "StartTask",
            "UpdateService",
            "UpdateServicePrimaryTaskSet",
            "UpdateTaskSet",
        ),
        _NO_TASK,
    ),
    # moto's clusters are ACTIVE (moto/eks/models.py)
    "eks": dict.fromkeys(
        (
            "CreateAddon",
            "CreateCluster",
            "CreateFargateProfile",
            "CreateNodegroup",
            "RegisterCluster",
            "UpdateClusterConfig",
            "UpdateClusterVersion",
            "UpdateNodegroupConfig",
            "UpdateNodegroupVersion",
        ),
        _NO_CLUSTER,
    ),
    # moto has no findings for whatever is there (moto/inspector2/models.py)
    "inspector2": {EVERY: _NO_SCAN},
    "elasticloadbalancing": {
        "DescribeTargetHealth": (
            "The sandbox sends no health checks, so no target is healthy or unhealthy."
        )
    },
    "iam": {
        **dict.fromkeys(
            tuple(f"{verb}ServiceLinkedRole" for verb in ("Create", "Delete")),
            "No service of the sandbox acts with a service-linked role. Create an ordinary role.",
        ),
        # moto says N/A of a key that was used a moment ago, and has a report of 2015
        **dict.fromkeys(
            ("GenerateCredentialReport", "GetAccessKeyLastUsed", "GetCredentialReport"),
            "The sandbox does not record when a key or a password was last used.",
        ),
        **dict.fromkeys(
            tuple(f"{verb}SAMLProvider" for verb in ("Create", "Delete", "Get", "Update")),
            "Nobody signs in with SAML here. Lab 09 creates an OpenID Connect provider.",
        ),
    },
    "kms": {
        **dict.fromkeys(
            ("CreateGrant", "ListGrants", "ListRetirableGrants", "RetireGrant", "RevokeGrant"),
            "A grant would give no permission here. Write the permission into the key policy.",
        ),
        # moto signs the digest of a digest, and shows an RSA key for a symmetric key
        **dict.fromkeys(("GenerateMac", "GetPublicKey", "Sign", "Verify", "VerifyMac"), SYMMETRIC),
    },
    "monitoring": {
        # moto adds up whatever metrics there are for an expression (moto/cloudwatch/models.py)
        "GetMetricData": "Read a metric with GetMetricStatistics.",
        "SetAlarmState": "An alarm here takes no action in any state.",
    },
    "autoscaling": dict.fromkeys(
        ("CreateAutoScalingGroup", "SetDesiredCapacity", "UpdateAutoScalingGroup"), _NO_MACHINE
    ),
    "ec2": {
        **dict.fromkeys(
            (
                "CreateFleet",
                "RequestSpotFleet",
                "RequestSpotInstances",
                "RunInstances",
                "RunScheduledInstances",
                "StartInstances",
            ),
            _NO_MACHINE,
        ),
        "AllocateAddress": "No address of the internet would be yours here.",
        "CreateVpcEndpoint": "No endpoint would connect here, and nobody would ask its policy.",
    },
    # moto calls each command Success at once (moto/ssm/models.py)
    "ssm": dict.fromkeys(("SendCommand", "StartAutomationExecution", "StartSession"), _NO_COMMAND),
    "states": dict.fromkeys(
        ("RedriveExecution", "StartExecution", "StartSyncExecution", "TestState"), _NO_STATES
    ),
    # jobs that are only recorded, and queries with answers made up beforehand
    "athena": dict.fromkeys(("StartCalculationExecution", "StartQueryExecution"), _NO_DATA),
    "elasticmapreduce": dict.fromkeys(("AddJobFlowSteps", "RunJobFlow"), _NO_DATA),
    "glue": dict.fromkeys(("StartCrawler", "StartJobRun"), _NO_DATA),
    "rds-data": {EVERY: _NO_DATA},
    # moto makes the resources in every account that is named, whatever that account allows
    "cloudformation": dict.fromkeys(
        ("CreateStackInstances", "UpdateStackInstances"),
        "A stack set would act in other accounts without a role of theirs.",
    ),
    # MOTO_EVENTS_INVOKE_HTTP, which is off, would send a request (moto/events/models.py)
    "events": dict.fromkeys(
        ("CreateApiDestination", "UpdateApiDestination"),
        "The sandbox connects to no other machine, so it would send no event there. It delivers "
        "events to SQS queues, SNS topics and log groups.",
    ),
}
"""service (a signing name) -> operation -> the reason, in whole sentences."""


_TO_QUEUES_ONLY = (
    "The sandbox connects to no other machine and sends no mail and no text messages. A topic "
    "delivers to SQS queues."
)

_ROLLS_BACK = "A stack that fails is rolled back here."

REFUSED_ARGUMENTS: Mapping[tuple[str, str], tuple[Argument, ...]] = {
    **IGNORED,
    # sends each message to the URL (moto/sns/models.py)
    ("sns", "Subscribe"): (
        Argument(
            "Protocol",
            _TO_QUEUES_ONLY,
            frozenset(
                {
                    "http",
                    "https",
                    "email",
                    "email-json",
                    "sms",
                    "application",
                    "lambda",
                    "firehose",
                }
            ),
        ),
    ),
    # moto would read an object of a bucket that the caller may not read
    ("cloudformation", "SetStackPolicy"): (
        Argument("StackPolicyURL", "The sandbox takes a policy in StackPolicyBody."),
    ),
    # whichever secrets the filters find, each of them would have to be decided on
    ("secretsmanager", "BatchGetSecretValue"): (
        Argument("Filters", "Name the secrets in SecretIdList."),
    ),
    # moto keeps these of a stack, and does nothing with them
    **{
        ("cloudformation", operation): (
            Argument("RoleARN", "A stack here acts with your own permissions."),
            Argument("NotificationARNs", "Its events are in `describe-stack-events`."),
            Argument("DisableRollback", _ROLLS_BACK, frozenset({"true"})),
            Argument("OnFailure", _ROLLS_BACK, frozenset({"do_nothing", "delete"})),
            Argument("OnStackFailure", _ROLLS_BACK, frozenset({"do_nothing", "delete"})),
            Argument("EnableTerminationProtection", "", frozenset({"true"})),
            Argument("RollbackConfiguration", "No alarm is watched while a stack is made."),
            Argument("ResourcesToImport", "A stack here makes its resources itself."),
        )
        for operation in ("CreateStack", "UpdateStack", "CreateChangeSet")
    },
}


REFUSED_TYPES: Mapping[str, str] = {
    "AWS::AutoScaling::": _NO_MACHINE,
    "AWS::Batch::": _NO_JOB,
    "AWS::CloudFormation::CustomResource": _NO_FUNCTION,
    "AWS::CloudFormation::Stack": (
        "Write the resources of the nested template into the template itself."
    ),
    "AWS::CodeBuild::": _NO_BUILD,
    "AWS::CodePipeline::": _NO_STAGE,
    "AWS::EC2::Instance": _NO_MACHINE,
    "AWS::ECS::Service": _NO_TASK,
    "AWS::EKS::": _NO_CLUSTER,
    "AWS::Lambda::": _NO_FUNCTION,
    "AWS::Serverless::": _NO_FUNCTION,
    "Custom::": _NO_FUNCTION,
}
"""Types of resources of a stack, by how they begin, that are refused with a reason of their own."""


TARGETS = frozenset(("logs", "sns", "sqs"))
"""Services that EventBridge's events reach here (events.py)."""


def _check_targets(targets: object) -> None:
    """Raise Refusal for a target of a rule that nothing would reach."""
    for target in targets if isinstance(targets, list) else ():
        arn = str(target.get("Arn", "")) if isinstance(target, dict) else ""
        service = (arn.split(":") + [""] * 3)[2]
        if arn.startswith("arn:") and service not in TARGETS:
            raise not_implemented(
                f"the operation events:PutTargets with a target of {service[:40]}",
                "It delivers events to SQS queues, SNS topics and log groups.",
            )


def check_arguments(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise Refusal when the tables refuse one of the arguments of an operation."""
    if (service, operation) == ("events", "PutTargets"):
        _check_targets(params.get("Targets"))
    refuse_arguments(service, operation, params, REFUSED_ARGUMENTS.get((service, operation), ()))


def refuse_arguments(
    service: str, operation: str, params: Mapping[str, Any], arguments: tuple[Argument, ...]
) -> None:
    """Raise Refusal, which names the argument, for the first of the arguments in a request."""
    for argument in arguments:
        for value in argument.refused(params):
            said = f"={value}" if argument.values or argument.form else ""
            what = f"the operation {service}:{operation} with {argument.parameter}{said}"
            raise not_implemented(what, argument.reason)
