"""Where the sandbox decides otherwise than AWS, as labs/lab02/differences.json says."""

from __future__ import annotations

import json

from tests.policies import allow, deny, policy
from tests.sandbox.authorization.people_here import ACCOUNT, People, no_policy
from tests.sandbox.sandbox_process import REGION, Running


def test_a_change_holds_at_the_next_request(people: People, sandbox: Running) -> None:
    person = people.make("quick", allow("ecr:DescribeRepositories"))
    ecr, iam = person.client("ecr"), sandbox.client("iam")
    assert ecr.describe_repositories()["repositories"] == []
    (name,) = iam.list_user_policies(UserName="quick")["PolicyNames"]
    iam.delete_user_policy(UserName="quick", PolicyName=name)
    everything = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"
    refused = no_policy(person.arn, "ecr:DescribeRepositories", everything)
    assert person.denied("ecr", "describe_repositories") == refused


def test_a_denial_ends_with_the_reason(people: People) -> None:
    person = people.make("forbidden", allow("ecr:*"), deny("ecr:DescribeRepositories"))
    said = person.denied("ecr", "describe_repositories")
    assert said.endswith("with an explicit deny in an identity-based policy")


def test_a_condition_key_of_another_service_is_never_there(people: People) -> None:
    named = {"StringEquals": {"secretsmanager:Name": "mine"}}
    person = people.make("scoped", allow("secretsmanager:*", Condition=named))
    said = person.denied("secretsmanager", "create_secret", Name="mine", SecretString="s")
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine-??????"
    assert said == no_policy(person.arn, "secretsmanager:CreateSecret", secret)


def test_every_request_counts_as_sent_over_tls(people: People) -> None:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}}
    person = people.make("plain", deny("*", Condition=plain), allow("ecr:*", Condition=here))
    assert person.client("ecr").describe_repositories()["repositories"] == []


def test_tags_of_a_cluster_are_not_seen(people: People, sandbox: Running) -> None:
    sandbox.client("ecs").create_cluster(
        clusterName="tagged", tags=[{"key": "team", "value": "red"}]
    )
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    person = people.make("red", allow("ecs:DescribeClusters", Condition=red))
    cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/tagged"
    assert person.denied("ecs", "describe_clusters", clusters=["tagged"]) == no_policy(
        person.arn, "ecs:DescribeClusters", cluster
    )


def test_nobody_reads_a_bucket_without_a_signature(people: People, sandbox: Running) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(
        Bucket="for-everybody", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    for key in ("mine", "theirs"):
        s3.put_object(Bucket="for-everybody", Key=key, Body=b"x")
    everybody = allow("s3:GetObject", on="arn:aws:s3:::for-everybody/*", Principal="*")
    s3.put_bucket_policy(Bucket="for-everybody", Policy=policy(everybody))
    assert sandbox.ask("GET", "/for-everybody/mine")[0] == 403
    person = people.make("own", allow("s3:DeleteObject", on="arn:aws:s3:::for-everybody/mine"))
    both = {"Objects": [{"Key": "mine"}, {"Key": "theirs"}]}
    assert person.denied("s3", "delete_objects", Bucket="for-everybody", Delete=both) == no_policy(
        person.arn, "s3:DeleteObject", '"arn:aws:s3:::for-everybody/theirs"'
    )
    assert len(s3.list_objects_v2(Bucket="for-everybody")["Contents"]) == 2


def test_a_stack_creates_nothing_that_its_caller_could_not(
    people: People, sandbox: Running
) -> None:
    person = people.make("stacker", allow("cloudformation:*"))
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "from-a-stack"}}
    person.client("cloudformation").create_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": {"Bucket": bucket}})
    )
    names = [bucket["Name"] for bucket in sandbox.client("s3").list_buckets()["Buckets"]]
    assert "from-a-stack" not in names
