"""The actions of Amazon ECR that a policy can name, by access level, the riskiest level first.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
A test holds this list equal to AWS's own, so that a check tries every action there is.
"""

from __future__ import annotations

LEVELS = {
    "Permissions management": """
        DeleteRegistryPolicy DeleteRepositoryPolicy PutRegistryPolicy SetRepositoryPolicy
    """,
    "Write": """
        BatchDeleteImage DeleteRepository CreateRepository PutImage BatchImportUpstreamImage
        CompleteLayerUpload CreatePullThroughCacheRule CreateRepositoryCreationTemplate
        DeleteLifecyclePolicy DeletePullThroughCacheRule DeleteRepositoryCreationTemplate
        DeleteSigningConfiguration DeregisterPullTimeUpdateExclusion InitiateLayerUpload
        PutAccountSetting PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy
        PutRegistryScanningConfiguration PutReplicationConfiguration PutSigningConfiguration
        RegisterPullTimeUpdateExclusion ReplicateImage StartImageScan StartLifecyclePolicyPreview
        StartReplicationBackfill StopReplicationBackfill UpdateImageStorageClass
        UpdatePullThroughCacheRule UpdateRepositoryCreationTemplate UploadLayerPart
    """,
    "Tagging": "TagResource UntagResource",
    "Read": """
        BatchCheckLayerAvailability BatchGetImage BatchGetRepositoryScanningConfiguration
        DescribeImageReplicationStatus DescribeImageScanFindings DescribeImageSigningStatus
        DescribeRegistry DescribeReplicationBackfillResults DescribeRepositories
        DescribeRepositoryCreationTemplates GetAccountSetting GetAuthorizationToken
        GetDownloadUrlForLayer GetImageCopyStatus GetLifecyclePolicy GetLifecyclePolicyPreview
        GetRegistryPolicy GetRegistryScanningConfiguration GetRepositoryPolicy
        GetSigningConfiguration ListTagsForResource ValidatePullThroughCacheRule
    """,
    "List": """
        DescribeImages DescribePullThroughCacheRules ListImages ListPullTimeUpdateExclusions
        ListReplicationBackfills
    """,
}
"""Access level -> the names of its actions, separated by white space."""

ALL = tuple(name for names in LEVELS.values() for name in names.split())
CHANGES = tuple(
    name
    for level in ("Permissions management", "Write", "Tagging")
    for name in LEVELS[level].split()
)
"""The actions that change something."""
LOGIN = "GetAuthorizationToken"
"""The action of a login. A token is for no repository, so the action's only resource is ``*``."""
PUSH = (
    "BatchCheckLayerAvailability",
    "InitiateLayerUpload",
    "UploadLayerPart",
    "CompleteLayerUpload",
    "PutImage",
)
"""https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"""
PULL = ("BatchGetImage", "GetDownloadUrlForLayer")
"""What a pull asks for; a policy for pulls mostly allows BatchCheckLayerAvailability as well."""

_OF_THE_REGISTRY = """
    CreatePullThroughCacheRule CreateRepositoryCreationTemplate DeletePullThroughCacheRule
    DeleteRegistryPolicy DeleteRepositoryCreationTemplate DeleteSigningConfiguration
    DeregisterPullTimeUpdateExclusion DescribePullThroughCacheRules DescribeRegistry
    DescribeReplicationBackfillResults DescribeRepositoryCreationTemplates GetAccountSetting
    GetAuthorizationToken GetRegistryPolicy GetRegistryScanningConfiguration
    GetSigningConfiguration ListPullTimeUpdateExclusions ListReplicationBackfills
    PutAccountSetting PutRegistryPolicy PutRegistryScanningConfiguration
    PutReplicationConfiguration PutSigningConfiguration RegisterPullTimeUpdateExclusion
    StartReplicationBackfill StopReplicationBackfill UpdatePullThroughCacheRule
    UpdateRepositoryCreationTemplate ValidatePullThroughCacheRule
"""
OF_THE_REGISTRY = frozenset(_OF_THE_REGISTRY.split())
"""Actions on no repository: a statement grants them when its resource is ``*``, and only then."""
