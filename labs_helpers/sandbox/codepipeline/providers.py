"""The types of actions: how many artifacts each takes and makes, and the keys of its configuration.

Numbers of artifacts: https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
Keys: https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """inputs, outputs: (fewest, most) artifacts; required, optional: keys of the configuration."""

    inputs: tuple[int, int]
    outputs: tuple[int, int]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_BUILD = Provider(
    (1, 5),
    (0, 5),
    ("ProjectName",),
    ("PrimarySource", "EnvironmentVariables", "BatchEnabled", "CombineArtifacts"),
)

_OF_AN_IMAGE = ("ArtifactName", "ContainerName")

PROVIDERS: Mapping[tuple[str, str, str], Provider] = {
    ("Source", "AWS", "S3"): Provider(
        (0, 0),
        (1, 1),
        ("S3Bucket", "S3ObjectKey"),
        ("PollForSourceChanges", "AllowOverrideForS3ObjectKey"),
    ),
    ("Source", "AWS", "ECR"): Provider((0, 0), (1, 1), ("RepositoryName",), ("ImageTag",)),
    ("Source", "AWS", "CodeCommit"): Provider(
        (0, 0),
        (1, 1),
        ("RepositoryName", "BranchName"),
        ("PollForSourceChanges", "OutputArtifactFormat"),
    ),
    ("Source", "AWS", "CodeStarSourceConnection"): Provider(
        (0, 0),
        (1, 1),
        ("ConnectionArn", "FullRepositoryId", "BranchName"),
        ("OutputArtifactFormat", "DetectChanges"),
    ),
    ("Build", "AWS", "CodeBuild"): _BUILD,
    ("Test", "AWS", "CodeBuild"): _BUILD,
    ("Approval", "AWS", "Manual"): Provider(
        (0, 0), (0, 0), (), ("NotificationArn", "CustomData", "ExternalEntityLink")
    ),
    ("Deploy", "AWS", "S3"): Provider(
        (1, 1),
        (0, 0),
        ("BucketName", "Extract"),
        ("ObjectKey", "KMSEncryptionKeyARN", "CannedACL", "CacheControl"),
    ),
    ("Deploy", "AWS", "CodeDeployToECS"): Provider(
        (1, 5),
        (0, 0),
        (
            *("ApplicationName", "DeploymentGroupName"),
            *("TaskDefinitionTemplateArtifact", "AppSpecTemplateArtifact"),
        ),
        (
            *("TaskDefinitionTemplatePath", "AppSpecTemplatePath"),
            *(f"Image{number}{name}" for number in range(1, 5) for name in _OF_AN_IMAGE),
        ),
    ),
    ("Deploy", "AWS", "ECS"): Provider(
        (1, 1), (0, 0), ("ClusterName", "ServiceName"), ("FileName", "DeploymentTimeout")
    ),
}
"""By category, owner and provider; the version of each is 1."""

_SOURCES = "Use a connection (CodeStarSourceConnection), whose handshake labs connect finishes."
ABSENT: Mapping[tuple[str, str], str] = {
    ("Source", "GitHub"): f"The sandbox reaches no GitHub. {_SOURCES}",
    ("Deploy", "CodeDeploy"): "There are no instances to deploy to. Use CodeDeployToECS.",
    ("Deploy", "CloudFormation"): "Call CloudFormation from a build.",
    ("Invoke", "Lambda"): "The sandbox runs no functions. Use an action of CodeBuild.",
    ("Build", "ECRBuildAndPublish"): "Use an action of CodeBuild that calls docker.",
    ("Compute", "Commands"): "Use an action of CodeBuild.",
}
"""Types of AWS's that the sandbox does not have, by category and provider, and what to do."""
