"""What CreatePipeline and UpdatePipeline refuse, in CodePipeline's codes and words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from labs_helpers.sandbox.codepipeline import definition as rules
from labs_helpers.sandbox.service.errors import ServiceError
from tests.sandbox.codepipeline.pipeline_room import (
    ACCOUNT,
    action,
    approval,
    codebuild,
    definition,
    s3_deploy,
    s3_source,
)

REGION = "us-west-2"
STRUCTURE, ACTION = "InvalidStructureException", "InvalidActionDeclarationException"


def refused(made: dict[str, Any]) -> tuple[str, str]:
    """(code, message) of a definition that is refused."""
    with pytest.raises(ServiceError) as caught:
        rules.check(rules.with_defaults(made, 1), ACCOUNT, REGION)
    return caught.value.code, caught.value.message


def git(**configuration: str) -> dict[str, Any]:
    """A source on a connection."""
    given = {
        "ConnectionArn": f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/c",
        "FullRepositoryId": "ada/app",
        "BranchName": "main",
    }
    return action(
        "Source", "CodeStarSourceConnection", {**given, **configuration}, outputs=["Source"]
    )


def ecs(minutes: str) -> dict[str, Any]:
    given = {"ClusterName": "c", "ServiceName": "s", "DeploymentTimeout": minutes}
    return action("Deploy", "ECS", given, inputs=["Source"])


def lambda_action() -> dict[str, Any]:
    return action("Invoke", "Lambda", {"FunctionName": "f"})


WRONG: list[tuple[str, Callable[[], dict[str, Any]], str, str]] = [
    ("one stage", lambda: definition("p", s3_source()), STRUCTURE,
     "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline"),
    ("no source", lambda: definition("p", approval(), s3_deploy()), STRUCTURE,
     "Pipeline should start with a stage that only contains source actions"),
    ("a late source", lambda: definition("p", s3_source(), [approval(), s3_source()]), STRUCTURE,
     "Source actions can only be in the first stage"),
    ("stages of one name", lambda: definition("p", s3_source(), approval(), approval()), STRUCTURE,
     "Stage names must be unique within a pipeline. Approval has been used more than once."),
    ("actions of one name", lambda: definition("p", s3_source(), [approval(), approval()]),
     STRUCTURE, "Action names must be unique within a stage. Approval has been used"),
    ("an artifact that nobody makes", lambda: definition("p", s3_source(), s3_deploy("Other")),
     STRUCTURE, "Input Artifact Bundle Other in action Deploy is not declared as Output Artifact "
     "Bundle in any of the preceding actions"),
    ("an artifact made in the same runOrder",
     lambda: definition("p", s3_source(), [codebuild(), s3_deploy("Built")]),
     STRUCTURE, "Input Artifact Bundle Built in action Deploy is not declared"),
    ("an artifact made twice", lambda: definition("p", [s3_source(), {**s3_source(), "name": "B"}],
                                                  approval()),
     STRUCTURE, "Output Artifact Bundle name must be unique within the pipeline. Source has been"),
    ("a provider that is none", lambda: definition("p", s3_source(), action("Build", "Maven")),
     ACTION, "ActionType (Category: 'Build', Provider: 'Maven', Owner: 'AWS', Version: '1') in "
     "action 'Build' is not available in region US_WEST_2"),
    ("no input", lambda: definition("p", s3_source(), {**s3_deploy(), "inputArtifacts": []}),
     ACTION, "Action Deploy declares 0 input artifacts which is less than the minimum count (1)"),
    ("an output too many",
     lambda: definition("p", s3_source(), {**s3_deploy(), "outputArtifacts": [{"name": "X"}]}),
     ACTION, "Action Deploy declares 1 output artifacts which is more than the maximum count (0)"),
    ("a key that misses", lambda: definition("p", action("Source", "S3", {"S3Bucket": "b"},
                                                         outputs=["X"]), approval()),
     ACTION, "is missing required configuration 'S3ObjectKey'"),
    ("a key that is none", lambda: definition("p", s3_source(), approval(Who="me")),
     ACTION, "contains unknown configuration 'Who'"),
    ("Extract of another value", lambda: definition("p", s3_source(), s3_deploy(Extract="yes")),
     ACTION, "Extract is true or false, not 'yes'"),
    ("a packed deployment without a key",
     lambda: definition("p", s3_source(), s3_deploy(Extract="false")), ACTION, "'ObjectKey'"),
    ("a namespace used twice",
     lambda: definition("p", s3_source(), {**codebuild(), "namespace": "SourceVariables"}),
     ACTION, "Namespaces must be unique across the pipeline definition. The following occur more "
     "than once in the pipeline. StageName=[Build], ActionName=[Build], "
     "Namespace=[SourceVariables]"),
    ("a namespace that nobody has",
     lambda: definition("p", s3_source(), s3_deploy(ObjectKey="#{Later.X}")),
     ACTION, "references the namespace Later"),
    ("variables of a build that are no JSON",
     lambda: definition("p", s3_source(), {**codebuild(), "configuration": {
         "ProjectName": "app", "EnvironmentVariables": "A=1"}}),
     ACTION, "EnvironmentVariables is a JSON list"),
    ("variables of V1", lambda: definition("p", s3_source(), approval(), variables=[{"name": "A"}]),
     STRUCTURE, "A pipeline of type V1 has no variables: set pipelineType to V2"),
    ("no variables of V1", lambda: definition("p", s3_source(), approval(), variables=[]),
     STRUCTURE, "A pipeline of type V1 has no variables: set pipelineType to V2"),
    ("a mode of V1", lambda: definition("p", s3_source(), approval(), executionMode="QUEUED"),
     STRUCTURE, "Execution mode QUEUED needs a pipeline of type V2"),
    ("no artifact store",
     lambda: {k: v for k, v in definition("p", s3_source(), approval()).items()
              if k != "artifactStore"}, STRUCTURE, "Pipeline must have an artifact store"),
    ("Lambda", lambda: definition("p", s3_source(), lambda_action()), "NotInSandbox",
     "The sandbox runs no functions"),
    ("CodeDeploy", lambda: definition("p", s3_source(), action("Deploy", "CodeDeploy")),
     "NotInSandbox", "the action type Deploy of CodeDeploy"),
    ("CodeDeployToECS", lambda: definition(
        "p", s3_source(), action("Deploy", "CodeDeployToECS", {"ApplicationName": "a"},
                                 inputs=["Source"])),
     ACTION, "missing required configuration 'DeploymentGroupName'"),
    ("GitHub", lambda: definition("p", action("Source", "GitHub"), approval()),
     "NotInSandbox", "the action type Source of GitHub"),
    ("a connection that is no ARN", lambda: definition("p", git(ConnectionArn="foo"), approval()),
     ACTION, "Action configuration for action 'Source': ConnectionArn is the ARN of a connection, "
     "not 'foo'"),
    ("a repository without an owner",
     lambda: definition("p", git(FullRepositoryId="x"), approval()),
     ACTION, "FullRepositoryId is owner and name, as some-user/my-repo, not 'x'"),
    ("DetectChanges of another value",
     lambda: definition("p", git(DetectChanges="banana"), approval()),
     ACTION, "DetectChanges is true or false, not 'banana'"),
    ("PollForSourceChanges of another value",
     lambda: definition("p", s3_source(PollForSourceChanges="no"), approval()),
     ACTION, "PollForSourceChanges is true or false, not 'no'"),
    ("a format that is none",
     lambda: definition("p", git(OutputArtifactFormat="TAR"), approval()),
     ACTION, "OutputArtifactFormat is CODE_ZIP or CODEBUILD_CLONE_REF, not 'TAR'"),
    ("a clone",
     lambda: definition("p", git(OutputArtifactFormat="CODEBUILD_CLONE_REF"), approval()),
     "NotInSandbox", "The sandbox hands the files of a commit on (CODE_ZIP)"),
    *((f"a deployment of {text} minutes", lambda text=text: definition("p", s3_source(), ecs(text)),
       ACTION, "DeploymentTimeout is a number of minutes from 1 to 60")
      for text in ("banana", "0", "61", "\u0666\u0660")),
    ("two inputs of a build",
     lambda: definition("p", [s3_source(), {**s3_source(), "name": "B", "namespace": "B",
                                            "outputArtifacts": [{"name": "Other"}]}],
                        {**codebuild(), "inputArtifacts": [{"name": "Source"}, {"name": "Other"}]}),
     "NotInSandbox", "one input artifact"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [row[1:] for row in WRONG],
    ids=[row[0] for row in WRONG],
)
def test_a_definition_is_refused_in_words(
    made: Callable[[], dict[str, Any]], code: str, words: str
) -> None:
    found = refused(made())
    assert found[0] == code
    assert re.search(re.escape(words), found[1]), found[1]


@pytest.mark.parametrize(
    "source",
    [
        git(),
        git(ConnectionArn=f"arn:aws-cn:codestar-connections:cn-north-1:{ACCOUNT}:connection/c"),
        git(FullRepositoryId="group/subgroup/app", DetectChanges="False"),
        git(ConnectionArn="#{variables.connection}", FullRepositoryId="#{variables.repository}"),
    ],
)
def test_values_that_are_right_or_stand_in_variables_are_taken(source: dict[str, Any]) -> None:
    made = definition("p", source, ecs("#{variables.minutes}"), pipelineType="V2")
    rules.check(rules.with_defaults(made, 1), ACCOUNT, REGION)


def test_a_definition_that_is_right_gets_its_defaults() -> None:
    made = definition(
        "p",
        s3_source(),
        [codebuild(), {**s3_deploy("Built"), "runOrder": 2}],
        pipelineType="V2",
        executionMode="PARALLEL",
        variables=[{"name": "A", "defaultValue": "a"}],
    )
    whole = rules.with_defaults(made, 3)
    rules.check(whole, ACCOUNT, REGION)
    assert whole["version"] == 3
    assert [each["runOrder"] for each in whole["stages"][1]["actions"]] == [1, 2]
    plain = rules.with_defaults(definition("q", s3_source(), approval()), 1)
    assert (plain["executionMode"], plain["pipelineType"]) == ("SUPERSEDED", "V1")
