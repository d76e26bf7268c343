"""AppSpec files for Amazon ECS: both spellings, and what is wrong with one."""

from __future__ import annotations

import json

import pytest
import yaml

from labs_helpers.sandbox.codedeploy import appspec
from labs_helpers.sandbox.service.errors import NotHere
from tests.sandbox.codedeploy.deploy_room import spec


def test_an_appspec_file_is_read_as_yaml_and_as_json_in_either_spelling() -> None:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-example.html"""
    whole = json.loads(spec("web:1"))
    inner = whole["Resources"][0]["TargetService"]["Properties"]
    inner["NetworkConfiguration"] = {
        "AwsvpcConfiguration": {
            "Subnets": ["s-1"],
            "SecurityGroups": ["g"],
            "AssignPublicIp": "ENABLED",
        }
    }
    inner["PlatformVersion"] = "LATEST"
    found = appspec.read(yaml.safe_dump(whole))
    assert found["network"]["awsvpcConfiguration"] == {
        "subnets": ["s-1"], "securityGroups": ["g"], "assignPublicIp": "ENABLED",
    }  # fmt: skip
    assert appspec.read(json.dumps(whole)) == found
    small = json.dumps(whole)
    for name in ("Resources", "TaskDefinition", "ContainerName"):
        small = small.replace(name, name[0].lower() + name[1:])
    assert appspec.read(small) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # https://github.com/aws/aws-cli/issues/6267
        ("version: 0.0 Resources: - a", "The input AppSpec file is a not well-formed yaml. The "
         "template cannot be parsed."),
        ("[]", "The AppSpec file must be a mapping"),
        ("version: 0.0", "exactly one service"),
        ("version: 2\nResources: []", "version of the AppSpec file must be 0.0"),
        ("version: 0.0\nos: linux", "sections of no ECS deployment: ['os']"),
        (spec("web:1").replace("ECS::Service", "Lambda::Function"), "must be AWS::ECS::Service"),
        (spec(""), "TaskDefinition must be the ARN"),
        (spec("web:1").replace("8080", '"web"'), "ContainerPort of LoadBalancerInfo"),
        (spec("web:1").replace("LoadBalancerInfo", "Balancer"), "names of no ECS service"),
    ],
)  # fmt: skip
def test_an_appspec_file_that_is_wrong_says_what(text: str, words: str) -> None:
    with pytest.raises(appspec.Invalid) as raised:
        appspec.read(text)
    assert str(raised.value).startswith(
        "The deployment failed because the AppSpec file that specifies the deployment "
        "configuration is missing or has an invalid configuration. "
    )
    assert words in str(raised.value)


def test_a_hook_is_refused_in_words() -> None:
    with pytest.raises(NotHere, match="test on the test listener"):
        appspec.read(spec("web:1", Hooks=[{"AfterAllowTestTraffic": "check"}]))
