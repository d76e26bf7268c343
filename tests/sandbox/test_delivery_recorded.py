"""What labs 09 and 10 say of delivery today: definitions are kept, and nothing is executed."""

from __future__ import annotations

from typing import Any

import pytest

from labs_helpers.sandbox.authorization.models import model_of
from labs_helpers.sandbox.moto import refusals, table
from tests.policies import allow
from tests.sandbox.authorization.people_here import People, refusal_of
from tests.sandbox.sandbox_process import Running

ROLE = "arn:aws:iam::123456789012:role/demo-app"

EXECUTING: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "batch",
        "SubmitJob",
        {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"},
        "The sandbox starts no containers for AWS Batch.",
    ),
    ("lambda", "Invoke", {"FunctionName": "f"}, "The sandbox keeps and runs no functions."),
    (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": "arn:aws:states:us-west-2:123456789012:stateMachine:m"},
        "No state machine would run here.",
    ),
    ("inspector2", "ListFindings", {}, "Nothing would be scanned here. Lab 08 "),
    ("inspector2", "Enable", {"resourceTypes": ["ECR"]}, "Nothing would be scanned here. Lab 08 "),
    ("ssm", "SendCommand", {"DocumentName": "d"}, "No command would run here."),
    (
        "ec2",
        "RunInstances",
        {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1},
        "No virtual machine would run here.",
    ),
    ("glue", "StartJobRun", {"JobName": "j"}, "Nothing would run here"),
    ("emr", "RunJobFlow", {"Name": "n", "Instances": {}}, "Nothing would run here"),
    ("athena", "StartQueryExecution", {"QueryString": "SELECT 1"}, "Nothing would run here"),
    (
        "rds-data",
        "ExecuteStatement",
        {"resourceArn": ROLE, "secretArn": ROLE, "sql": "SELECT 1"},
        "Nothing would run here",
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "reason"), EXECUTING, ids=[each[1] for each in EXECUTING]
)
def test_what_would_execute_is_refused_in_words(
    sandbox: Running, service: str, operation: str, params: dict[str, Any], reason: str
) -> None:
    client = sandbox.client(service)
    method = {name: call for call, name in client.meta.method_to_api_mapping.items()}[operation]
    status, code, message = refusal_of(client, method, **params)
    prefix = client.meta.service_model.signing_name
    assert (status, code) == (501, "NotInSandbox")
    assert message.startswith(
        f"The sandbox does not have the operation {prefix}:{operation}; it exists on AWS. {reason}"
    )


def test_who_may_not_is_denied_before_the_sandbox_says_what_it_lacks(sandbox: Running) -> None:
    person = People(sandbox).make("looker", allow("codebuild:List*"))
    assert "codebuild:StartBuild" in person.denied("codebuild", "start_build", projectName="fails")


@pytest.mark.parametrize(
    "kind",
    ["AWS::ECS::Service", "AWS::EKS::Cluster", "AWS::EC2::Instance", "AWS::Lambda::Function"],
)
def test_a_stack_makes_nothing_that_would_have_to_run(sandbox: Running, kind: str) -> None:
    text = f'{{"Resources": {{"A": {{"Type": "{kind}"}}}}}}'
    cloudformation = sandbox.client("cloudformation")
    refused = refusal_of(cloudformation, "create_stack", StackName="s", TemplateBody=text)
    assert refused[:2] == (501, "NotInSandbox")
    assert refused[2].startswith(f"The sandbox does not have the resource type {kind};")
    assert cloudformation.list_stacks()["StackSummaries"] == []


def test_the_table_names_operations_that_there_are() -> None:
    listed = {name: row.moto | row.ours for name, row in table.services().items()}
    unknown = []
    closed = {row.service: refusals.operations(row.service) for row in refusals.rows()}
    for rows in (closed, listed):
        for service, operations in rows.items():
            model = model_of(service)
            assert model is not None, service
            unknown += [row for row in set(operations) - {"*"} if row not in model.operation_names]
    assert unknown == []
