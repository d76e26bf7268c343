"""What the sandbox refuses in words of its own: operations, and types of resources.

An operation is refused for one of two reasons. moto would run a program or connect to another
machine, on behalf of whoever sent the request. Or moto would answer as if something had been done
that nobody did: a build that "succeeded", a scan without findings.
"""

from __future__ import annotations

from collections.abc import Mapping

from labs_helpers.sandbox.moto.arguments import SYMMETRIC

EVERY = "*"
"""All operations of a service."""

_NO_FUNCTION = "The sandbox keeps and runs no functions."
_NO_JOB = "The sandbox starts no containers for AWS Batch."
_NO_BUILD = "A stack here makes no build projects. `aws codebuild create-project` does."
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
NO_ACLS = "A new bucket on AWS has no access control lists either. Write a bucket policy."
_NO_EVENTS = "A bucket here sends no events. Repositories of Amazon ECR do."
NO_LOCK = "The sandbox locks no objects."
_NO_DATA = "Nothing would run here, and there are no results to answer with."

REFUSED: Mapping[str, Mapping[str, str]] = {
    # runs a function's code in Docker (moto/awslambda/models.py)
    "lambda": {EVERY: _NO_FUNCTION},
    # runs a job in Docker (moto/batch/models.py)
    "batch": {EVERY: _NO_JOB},
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
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    "s3": {
        "PutBucketAcl": NO_ACLS,
        "PutObjectAcl": NO_ACLS,
        "PutBucketNotification": _NO_EVENTS,
        "PutBucketNotificationConfiguration": _NO_EVENTS,
        # moto invents who began an upload, and when
        "ListMultipartUploads": "Give the id of your upload, which CreateMultipartUpload returned.",
        # moto shortens any lock for whoever asks
        "PutObjectLegalHold": NO_LOCK,
        "PutObjectLockConfiguration": NO_LOCK,
        "PutObjectRetention": NO_LOCK,
    },
    # moto invents the dates of versions, and reads the old value after a label has moved
    "secretsmanager": {
        "ListSecretVersionIds": "DescribeSecret lists the versions of a secret.",
        "UpdateSecretVersionStage": "Put the earlier value again, with PutSecretValue.",
    },
    "sns": {"ConfirmSubscription": "The subscription of a queue here needs no confirmation."},
    # MOTO_EVENTS_INVOKE_HTTP, which is off, would send a request (moto/events/models.py)
    "events": dict.fromkeys(
        ("CreateApiDestination", "UpdateApiDestination"),
        "The sandbox connects to no other machine, so it would send no event there. It delivers "
        "events to SQS queues, SNS topics and log groups.",
    ),
}
"""service (a signing name) -> operation -> the reason, in whole sentences."""


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
