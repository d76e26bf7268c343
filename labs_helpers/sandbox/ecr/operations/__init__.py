"""The operations of ECR that the sandbox has: one function each, found by the name AWS gives it.

``(call, params) -> answer``: params are the parsed and checked members of the request, the answer
has the members of the operation's output shape (a member that is None is left out).
"""

from collections.abc import Callable
from typing import Any

from labs_helpers.sandbox.ecr.operations import (
    cache_rules,
    images,
    layers,
    policies,
    registries,
    repositories,
    scanning,
    tagging,
    templates,
    tokens,
)
from labs_helpers.sandbox.ecr.operations.call import Call

Operation = Callable[[Call, dict[str, Any]], dict[str, Any]]

OPERATIONS: dict[str, Operation] = {
    "BatchCheckLayerAvailability": layers.batch_check_layer_availability,
    "BatchDeleteImage": images.batch_delete_image,
    "BatchGetImage": images.batch_get_image,
    "BatchGetRepositoryScanningConfiguration": (
        scanning.batch_get_repository_scanning_configuration
    ),
    "CompleteLayerUpload": layers.complete_layer_upload,
    "CreatePullThroughCacheRule": cache_rules.create_pull_through_cache_rule,
    "CreateRepository": repositories.create_repository,
    "CreateRepositoryCreationTemplate": templates.create_repository_creation_template,
    "DeleteLifecyclePolicy": policies.delete_lifecycle_policy,
    "DeletePullThroughCacheRule": cache_rules.delete_pull_through_cache_rule,
    "DeleteRegistryPolicy": registries.delete_registry_policy,
    "DeleteRepository": repositories.delete_repository,
    "DeleteRepositoryCreationTemplate": templates.delete_repository_creation_template,
    "DeleteRepositoryPolicy": policies.delete_repository_policy,
    "DescribeImageScanFindings": scanning.describe_image_scan_findings,
    "DescribeImages": images.describe_images,
    "DescribePullThroughCacheRules": cache_rules.describe_pull_through_cache_rules,
    "DescribeRegistry": registries.describe_registry,
    "DescribeRepositories": repositories.describe_repositories,
    "DescribeRepositoryCreationTemplates": templates.describe_repository_creation_templates,
    "GetAccountSetting": registries.get_account_setting,
    "GetAuthorizationToken": tokens.get_authorization_token,
    "GetDownloadUrlForLayer": layers.get_download_url_for_layer,
    "GetLifecyclePolicy": policies.get_lifecycle_policy,
    "GetRegistryPolicy": registries.get_registry_policy,
    "GetRegistryScanningConfiguration": registries.get_registry_scanning_configuration,
    "GetRepositoryPolicy": policies.get_repository_policy,
    "InitiateLayerUpload": layers.initiate_layer_upload,
    "ListImageReferrers": images.list_image_referrers,
    "ListImages": images.list_images,
    "ListTagsForResource": tagging.list_tags_for_resource,
    "PutAccountSetting": registries.put_account_setting,
    "PutImage": images.put_image,
    "PutImageScanningConfiguration": repositories.put_image_scanning_configuration,
    "PutImageTagMutability": repositories.put_image_tag_mutability,
    "PutLifecyclePolicy": policies.put_lifecycle_policy,
    "PutRegistryPolicy": registries.put_registry_policy,
    "PutRegistryScanningConfiguration": registries.put_registry_scanning_configuration,
    "PutReplicationConfiguration": registries.put_replication_configuration,
    "SetRepositoryPolicy": policies.set_repository_policy,
    "StartImageScan": scanning.start_image_scan,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdatePullThroughCacheRule": cache_rules.update_pull_through_cache_rule,
    "UpdateRepositoryCreationTemplate": templates.update_repository_creation_template,
    "UploadLayerPart": layers.upload_layer_part,
}

#: What there is to say of operations that the sandbox does not have, beside that.
NOT_BUILT = {
    "StartLifecyclePolicyPreview": "Lifecycle policies are kept here and not evaluated yet.",
    "GetLifecyclePolicyPreview": "Lifecycle policies are kept here and not evaluated yet.",
    "ValidatePullThroughCacheRule": "The sandbox does not reach upstream registries.",
    "DescribeImageReplicationStatus": "Replication rules are kept here and not followed.",
}
