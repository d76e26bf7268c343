"""A CloudFormation template is data: nothing in a template runs, and a bad one is told in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.policies import allow
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import REGION, Running

BUCKET = "templates-of-the-test"
ABSENT = f"https://{BUCKET}.s3.amazonaws.com/absent"
NOT_IN_A_STACK = "The sandbox keeps and runs no functions."


@pytest.fixture(scope="module")
def cloudformation(sandbox: Running) -> Any:
    return sandbox.client("cloudformation")


@pytest.fixture(scope="module")
def in_s3(sandbox: Running) -> Callable[[str, str], str]:
    """`in_s3(key, text)` puts a template into a bucket; its URL."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(key: str, text: str) -> str:
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        return f"https://{BUCKET}.s3.{REGION}.amazonaws.com/{key}"

    return put


CALLS: dict[str, dict[str, Any]] = {
    "create_stack": {"StackName": "one"},
    "update_stack": {"StackName": "there"},
    "validate_template": {},
    "get_template_summary": {},
    "create_change_set": {
        "StackName": "new",
        "ChangeSetName": "new",
        "ChangeSetType": "CREATE",
    },
    "create_stack_set": {"StackSetName": "many"},
    "update_stack_set": {"StackSetName": "several"},
}
GOOD = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("by_url", [False, True])
@pytest.mark.parametrize(
    "run",
    [
        'Resources: !!python/object/apply:os.system ["id > {}"]',
        "Resources: !!python/object/apply:subprocess.check_output [[touch, {}]]",
        "Resources: !!python/object/new:os.system ['id > {}']",
        'Resources:\n  A:\n    Type: !!python/object/apply:os.system ["id > {}"]',
        '!!python/object/apply:os.system ["id > {}"]',
    ],
)
def test_a_template_runs_nothing(
    cloudformation: Any,
    in_s3: Callable[[str, str], str],
    tmp_path: Path,
    call: str,
    by_url: bool,
    run: str,
) -> None:
    """Reported as D1."""
    if call == "update_stack":
        make(cloudformation, "there", GOOD)
    if call == "update_stack_set":
        make_set(cloudformation, "several")
    text = run.format(tmp_path / "ran")
    where = {"TemplateURL": in_s3("bad.yaml", text)} if by_url else {"TemplateBody": text}
    status, code, message = refusal_of(cloudformation, call, **CALLS[call], **where)
    assert not (tmp_path / "ran").exists()
    assert (status, code) == (400, "ValidationError")
    assert message.startswith("Template format error: YAML not well-formed. (line ")


def make(cloudformation: Any, name: str, text: str) -> None:
    if name not in [one["StackName"] for one in cloudformation.describe_stacks()["Stacks"]]:
        cloudformation.create_stack(StackName=name, TemplateBody=text)


def make_set(cloudformation: Any, name: str) -> None:
    if name not in [one["StackSetName"] for one in cloudformation.list_stack_sets()["Summaries"]]:
        cloudformation.create_stack_set(StackSetName=name, TemplateBody=GOOD)


def test_short_forms_mean_what_cloudformation_says(sandbox: Running, cloudformation: Any) -> None:
    cloudformation.create_stack(
        StackName="short",
        Parameters=[{"ParameterKey": "Name", "ParameterValue": "short-forms"}],
        TemplateBody="""
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Name: {Type: String}
Conditions:
  IsShort: !Equals [!Ref Name, short-forms]
  IsLong: !Not [!Condition IsShort]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: IsShort
    Properties:
      QueueName: !Join ["-", [!Ref Name, !Select [1, [a, b]]]]
  Absent:
    Type: AWS::SQS::Queue
    Condition: IsLong
    Properties: {QueueName: absent}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}-${AWS::Region}"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: !Join [".", [ecs-tasks, amazonaws.com]]}
            Action: sts:AssumeRole
Outputs:
  Arn:
    Value: !GetAtt Queue.Arn
""",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName="short")["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert outputs == {"Arn": f"arn:aws:sqs:{REGION}:123456789012:short-forms-b"}
    queues = sandbox.client("sqs").list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in queues] == ["short-forms-b"]
    role = sandbox.client("iam").get_role(RoleName=f"short-forms-{REGION}")["Role"]
    document = role["AssumeRolePolicyDocument"]
    assert document["Version"] == "2012-10-17"
    assert document["Statement"][0]["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}


TOPIC = "Resources: {A: {Type: 'AWS::SNS::Topic'}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "Template format error: unsupported structure."),
        ("[]", "Template format error: unsupported structure."),
        ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
        (
            '{"Resources": ' + '{"A": ' * 200 + "1" + "}" * 201,
            "Template format error: unsupported structure.",
        ),
        ("a: b: c", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ("a: !Unknown b", "Template format error: YAML not well-formed. (line 1, column 4)"),
        ("[" * 2000, "Template format error: YAML not well-formed."),
        ("---\na: 1\n---\nb: 1", "Template format error: YAML not well-formed. (line 3, column 1)"),
        (
            "a: &x 1\nb: *x",
            "Template error: YAML aliases are not allowed in CloudFormation templates",
        ),
        ("Description: x", "Template format error: At least one Resources member must be defined."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        ("Resources: []", "Template format error: At least one Resources member must be defined."),
        ("Resources: [1]", "Template format error: unsupported structure."),
        (
            "Resources: {Type: 'AWS::S3::Bucket'}",
            "Template format error: [/Resources/Type] resource definition is malformed",
        ),
        (
            "Resources: {A: {}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type "
            "member.",
        ),
        (
            "Resources: {A: {Type: 'AWS::SNS::Topic', Properties: {TopicName: }}}",
            "[/Resources/A/Type/TopicName] 'null' values are not allowed in templates",
        ),
        ("Colour: red\n" + TOPIC, "Invalid template property or properties [Colour]"),
        (
            "AWSTemplateFormatVersion: 2026-01-01\n" + TOPIC,
            "Template format error: unsupported value for AWSTemplateFormatVersion.",
        ),
        (
            TOPIC + "Outputs: {A: {}}",
            "Template format error: [/Outputs/A] Every Outputs member must contain a Value object",
        ),
        (
            TOPIC + "Parameters: {A: {}}",
            "Template format error: [/Parameters/A] Every Parameters object must contain a Type "
            "member.",
        ),
    ],
)
def test_a_bad_template_is_told_in_cloudformations_words(
    cloudformation: Any, text: str, message: str
) -> None:
    for call in ("create_stack", "validate_template", "get_template_summary"):
        found = refusal_of(cloudformation, call, **CALLS[call], TemplateBody=text)
        assert found == (400, "ValidationError", message)


def test_a_call_without_a_template_is_told_so(cloudformation: Any) -> None:
    assert refusal_of(cloudformation, "create_stack", StackName="none") == (
        400,
        "ValidationError",
        "Either Template URL or Template Body must be specified.",
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (ABSENT, "S3 error: The specified key does not exist."),
        ("https://s3.amazonaws.com/absent-bucket/x", "S3 error: The specified bucket does not"),
        ("https://example.com/x.yaml", "TemplateURL must reference a valid S3 object"),
        ("file:///etc/passwd", "TemplateURL must reference a valid S3 object"),
        (f"https://{BUCKET}.s3.amazonaws.com", "TemplateURL must reference a valid S3 object"),
    ],
)
def test_a_url_that_leads_to_no_template(
    cloudformation: Any, in_s3: Callable[[str, str], str], url: str, message: str
) -> None:
    status, code, told = refusal_of(cloudformation, "validate_template", TemplateURL=url)
    assert (status, code) == (400, "ValidationError")
    assert told.startswith(message)


def test_a_template_in_s3_is_read_with_the_callers_permission(
    sandbox: Running, in_s3: Callable[[str, str], str]
) -> None:
    people = People(sandbox)
    stacks, reads = allow("cloudformation:*"), allow("s3:GetObject", on=f"arn:aws:s3:::{BUCKET}/*")
    url = in_s3("good.json", GOOD)
    refused = people.make("unread", stacks).denied(
        "cloudformation", "get_template_summary", TemplateURL=url
    )
    assert f's3:GetObject on resource: "arn:aws:s3:::{BUCKET}/good.json"' in refused
    reader = people.make("reader", stacks, reads).client("cloudformation")
    found = reader.get_template_summary(TemplateURL=url)
    assert found["ResourceTypes"] == ["AWS::SNS::Topic"]
    reader.create_stack(StackName="from-s3", TemplateURL=url)


@pytest.mark.parametrize(
    "kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource", "AWS::Lambda::Function"]
)
def test_what_a_function_would_make_is_refused(cloudformation: Any, kind: str) -> None:
    text = json.dumps({"Resources": {"A": {"Type": kind, "Properties": {"ServiceToken": "x"}}}})
    status, code, message = refusal_of(
        cloudformation, "create_stack", StackName="custom", TemplateBody=text
    )
    assert (status, code) == (501, "NotInSandbox")
    assert message == f"The sandbox does not have the resource type {kind}; it exists on AWS. " + (
        NOT_IN_A_STACK
    )


@pytest.mark.parametrize(
    "template",
    [
        {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack"}}},
        {
            "Mappings": {"M": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}}},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        },
    ],
)
def test_what_reads_a_file_of_any_account_is_refused(
    cloudformation: Any, template: dict[str, Any]
) -> None:
    text = json.dumps(template)
    _, code, _ = refusal_of(cloudformation, "create_stack", StackName="x", TemplateBody=text)
    assert code == "NotInSandbox"


def test_a_stack_set_makes_nothing_in_another_account(cloudformation: Any) -> None:
    where = {"Accounts": ["210987654321"], "Regions": ["us-west-2"]}
    make_set(cloudformation, "elsewhere")
    _, code, _ = refusal_of(
        cloudformation, "create_stack_instances", StackSetName="elsewhere", **where
    )
    assert code == "NotInSandbox"
