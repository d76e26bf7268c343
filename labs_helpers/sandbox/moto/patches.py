"""Every change that the sandbox makes to moto's own modules, each with its reason.

`PATCHES` is the list; `put` makes a change, refuses a target that is not on the list, and fails
when moto no longer has the target. tests/sandbox/moto/test_contract.py holds each target for the
pinned version.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from labs_helpers.sandbox.moto.kept.classes import SHARDS

_IAM_MODELS = "moto.iam.models"
_IAM = "moto.iam.responses:IamResponse"
_BACKENDS = "moto.core.base_backend"
EC2 = "moto.ec2.responses:EC2Response"

PATCHES: Mapping[str, str] = {
    "boto3:Session": "each of moto's sessions reads a table of 9 MB for the regions: memory.py",
    "moto.core.responses:BaseResponse.get_region_from_url": (
        "moto takes a region from any URL or user agent; the signed region counts"
    ),
    "moto.core.utils:_load_service_model": "the models are in memory already: memory.py",
    "moto.core.common_models:BaseModel.__new__": "moto keeps all that it ever made: memory.py",
    "moto.s3.models:FakeBucket.get_permission": (
        "moto asks bucket policies without principals and conditions; the door has decided"
    ),
    "moto.s3.models:FakeKey.__del__": (
        "moto's fails for a key that a refused state had begun to make; kept/restored.py"
    ),
    "moto.cloudformation.models:get_stack_from_s3_url": (
        "moto reads the URL otherwise than the decision, and fails at a missing object"
    ),
    "moto.cloudformation.responses:get_stack_from_s3_url": (
        "the same function, imported by its name a second time"
    ),
    "moto.sns.models:SNSBackend.unsubscribe": "moto does not compare the topic",
    "moto.elbv2.models:ELBv2Backend.delete_rule": "moto deletes a rule that does not exist",
    "moto.elbv2.models:ELBv2Backend.create_load_balancer": "moto makes two of one name",
    **{
        f"{EC2}.describe_{name}": "moto leaves MaxResults out; ec2_pages.py"
        for name in (
            *("instance_status", "internet_gateways", "network_interfaces", "route_tables"),
            *("security_group_rules", "security_groups", "subnets", "tags", "volumes", "vpcs"),
        )
    },
    "moto.sns.models:Topic.sent_notifications": "moto keeps each message, for its own tests",
    "moto.sns.models:Subscription.publish": "moto does not ask the queue's policy",
    "moto.sns.models:SNSBackend.create_topic": "moto sets any field; see attributes.py",
    "moto.sns.models:SNSBackend.set_topic_attribute": "the same",
    "moto.sqs.models:Queue._set_attributes": "the same; and moto forgets the policy",
    **{
        f"moto.cloudformation.models:{name}": "stacks/ makes, rolls back and tells of resources"
        for name in (
            "ChangeSet.diff",
            "CloudFormationBackend.create_stack",
            "CloudFormationBackend.delete_change_set",
            "CloudFormationBackend.describe_change_set",
            "CloudFormationBackend.execute_change_set",
            "Stack._create_resource_map",
            "Stack.create_resources",
            "Stack.exports",
            "Stack.keep_exports",
            "Stack.outputs",
            "Stack.parameter_list",
            "Stack.stack_resources",
            "Stack.tell",
            "Stack.update",
        )
    },
    **{
        f"moto.cloudformation.responses:{name}": "moto loses or ignores what stacks/ answers with"
        for name in (
            "CloudFormationResponse.create_change_set",
            "CloudFormationResponse.create_stack",
            "CloudFormationResponse.delete_stack",
            "CloudFormationResponse.list_stack_resources",
            "CloudFormationResponse.update_stack",
            "CloudFormationResponse.validate_template",
            "StackResourceDTO",
        )
    },
    "moto.ssm.models:Parameter.encrypt": "moto shows a SecureString that was not decrypted",
    "moto.ssm.models:Parameter.decrypt": "the same",
    "moto.kms.models:KmsBackend.encrypt": "moto encrypts with a disabled key",
    "moto.kms.models:KmsBackend.decrypt": "moto decrypts with a disabled key",
    "moto.kms.models:KmsBackend.enable_key": "moto enables a key that is pending deletion",
    "moto.kms.models:KmsBackend.disable_key": "moto disables a key that is pending deletion",
    "moto.kms.models:KmsBackend.schedule_key_deletion": "moto does not find a key by its ARN",
    "moto.kms.models:KmsBackend.cancel_key_deletion": "moto does not find a key by its ARN",
    "moto.kms.responses:_assert_default_policy": "the name of the policy may be left out",
    "moto.kms.responses:validate_policy": (
        "moto asks key policies without principals and conditions; the door has decided"
    ),
    "moto.kms.responses:RESERVED_ALIASE_TARGET_KEY_IDS": "moto lists aliases of keys that are not",
    "moto.kms.responses:KmsResponse.schedule_key_deletion": "moto leaves out state and days",
    "moto.logs.utils:SingleTermFilterPattern.matches": "moto finds a term inside of a word",
    **dict.fromkeys(
        (
            "moto.ec2.models.security_groups:aws_api_matches",
            "moto.s3.responses:cors_matches_origin",
            "moto.sqs.models:SQSBackend.list_queues",
        ),
        "moto matches with a caller's own regular expression, which may take years",
    ),
    "moto.sqs.models:Message.__init__": "moto has one sender for all messages",
    **dict.fromkeys(
        (
            "moto.s3.models:FakeBucket.is_versioned",
            "moto.s3.models:S3Backend.put_object",
            "moto.s3.models:S3Backend._set_delete_marker",
        ),
        "moto drops the versions of a bucket whose versioning is suspended: corrections.py",
    ),
    "moto.cloudwatch.models:Alarm.__init__": "moto calls a new alarm OK",
    "moto.cloudwatch.models:CloudWatchBackend.put_metric_data": "moto's alarms judge no metric",
    "moto.utilities.utils:load_resource": "moto loads 67 MB of instance types with EC2",
    "moto.resourcegroupstaggingapi.models:iter_taggable_backends": (
        "our repositories, rules and buses stand in the place of moto's"
    ),
    **dict.fromkeys(
        (
            "moto.resourcegroupstaggingapi.models:ResourceGroupsTaggingAPIBackend.tag_resources",
            "moto.resourcegroupstaggingapi.models:ResourceGroupsTaggingAPIBackend.untag_resources",
        ),
        "one resource that fails must not lose the others, and says why",
    ),
    f"{_BACKENDS}:BackendDict.__getitem__": "what is on disk is read first: kept/tracking.py",
    f"{_BACKENDS}:AccountSpecificBackend.__getitem__": "what is used is written: kept/tracking.py",
    **{
        f"{shard}.{name}": "what is touched is written: kept/tracking.py"
        for shards in SHARDS.values()
        for shard in shards
        for name in ("__getattribute__", "__setattr__")
    },
    "moto.sqs.models:Queue.wait_for_messages": "who waits lets others change what is kept",
    "moto.sqs.models:SQSBackend.receive_message": "a stop would last as long as somebody waits",
    f"{_IAM_MODELS}:IAMBackend._init_aws_policies": (
        "1582 policies that nobody attaches take 0.6 s and 16 MB for each account"
    ),
    f"{_IAM_MODELS}:IAMPolicyDocumentValidator": "iam/documents.py has checked the document before",
    f"{_IAM_MODELS}:IAMTrustPolicyDocumentValidator": "the same",
    f"{_IAM_MODELS}:User.__init__": "unique ids have AWS's form",
    f"{_IAM_MODELS}:Group.__init__": "the same",
    f"{_IAM_MODELS}:ManagedPolicy.__init__": "the same",
    f"{_IAM_MODELS}:InstanceProfile.__init__": "the same",
    f"{_IAM_MODELS}:User.permissions_boundary": "moto's users have no boundary",
    f"{_IAM_MODELS}:Role.assume_role_policy_document": (
        "a trust policy names users and roles by their unique ids: policy/unique_ids.py"
    ),
    "moto.s3.models:FakeBucket.policy": "a bucket policy does, too",
    f"{_IAM}.RESPONSE_KEY_PATH_TO_TRANSFORMER": "CreateUser and GetUser show the boundary",
    f"{_IAM}.call_action": "the rules of iam_rules.py hold before each operation",
    f"{_IAM}.create_user": "moto forgets the boundary",
    f"{_IAM}.put_user_permissions_boundary": "moto does not have the operation",
    f"{_IAM}.delete_user_permissions_boundary": "moto does not have the operation",
    f"{_IAM}.attach_user_policy": "moto counts a second attachment of a policy",
    f"{_IAM}.attach_role_policy": "the same",
    f"{_IAM}.attach_group_policy": "the same",
    f"{_IAM}.update_user": "moto loses the user's keys and tags",
    f"{_IAM}.update_group": "moto takes a name that another group has",
    f"{_IAM}.add_client_id_to_open_id_connect_provider": "moto does not have the operation",
    f"{_IAM}.remove_client_id_from_open_id_connect_provider": "moto does not have the operation",
}
"""target -> reason; a target is "module:name" or "module:Class.attribute"."""

NEW = frozenset(
    {
        "moto.cloudformation.models:Stack.keep_exports",
        "moto.cloudformation.models:Stack.tell",
        f"{_IAM_MODELS}:User.permissions_boundary",
        f"{_IAM_MODELS}:Role.assume_role_policy_document",
        "moto.s3.models:FakeBucket.policy",
        "moto.sns.models:Topic.sent_notifications",
        f"{_IAM}.put_user_permissions_boundary",
        f"{_IAM}.delete_user_permissions_boundary",
        f"{_IAM}.add_client_id_to_open_id_connect_provider",
        f"{_IAM}.remove_client_id_from_open_id_connect_provider",
    }
)
"""Targets that moto itself does not have."""


def put(target: str, value: Any) -> Any:
    """Put ours into the place of a target, and return moto's own (None for a target of NEW).

    A second call for a target replaces ours, and still returns moto's own.
    """
    if target not in PATCHES:
        raise KeyError(f"{target} is no row of PATCHES")
    owner, name = owner_of(target)
    own = ORIGINALS.setdefault(target, None if target in NEW else getattr(owner, name))
    setattr(owner, name, value)
    return own


ORIGINALS: dict[str, Any] = {}
"""moto's own, of each target that ours has replaced in this process."""


def owner_of(target: str) -> tuple[Any, str]:
    """The module or class that a target is an attribute of, and the attribute's name."""
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    return owner, name


def encrypt_secure_strings(kept: Callable[[str, Callable[[], bytes]], bytes]) -> None:
    """Keep the value of a SecureString encrypted, with a key that `kept` makes or finds by name.

    AWS answers with the encrypted value, too:
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    """
    from cryptography.fernet import Fernet

    key = Fernet(kept("ssm", Fernet.generate_key))

    def encrypt(parameter: Any, value: str) -> str:
        return key.encrypt(value.encode()).decode()

    def decrypt(parameter: Any, value: str) -> str:
        return key.decrypt(value).decode() if parameter.parameter_type == "SecureString" else value

    put("moto.ssm.models:Parameter.encrypt", encrypt)
    put("moto.ssm.models:Parameter.decrypt", decrypt)
