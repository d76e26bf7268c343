"""What makes a pipeline: the rules of CreatePipeline and UpdatePipeline.

Rules: https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-requirements.html
Sentences that users of CodePipeline quote: https://github.com/awsdocs/aws-cloudformation-user-guide/pull/941
(number of artifacts), https://github.com/aws/aws-cdk/issues/6111 (namespaces). Where no public
source has CodePipeline's sentence, the sentence is the sandbox's and the code is CodePipeline's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labs_helpers.sandbox.codepipeline import conditions, configurations, triggers
from labs_helpers.sandbox.codepipeline.errors import InvalidAction, InvalidStructure
from labs_helpers.sandbox.codepipeline.providers import ABSENT, PROVIDERS, Provider
from labs_helpers.sandbox.codepipeline.references import RESERVED, namespaces
from labs_helpers.sandbox.service.errors import NotHere, not_here

Document = dict[str, Any]


def with_defaults(given: Mapping[str, Any], version: int) -> Document:
    """A definition as GetPipeline shows it."""
    stages = [
        {
            **stage,
            "actions": [
                {
                    "runOrder": 1,
                    "configuration": {},
                    "outputArtifacts": [],
                    "inputArtifacts": [],
                    **action,
                }
                for action in stage["actions"]
            ],
        }
        for stage in given["stages"]
    ]
    return {
        "executionMode": "SUPERSEDED",
        "pipelineType": "V1",
        **given,
        "stages": stages,
        "version": version,
    }


def check(made: Mapping[str, Any], account: str, region: str) -> None:
    """Raise InvalidStructure, InvalidAction or NotHere for a definition that has its defaults."""
    _check_here(made, region)
    _check_stages(made)
    _check_type(made)
    triggers.check(made)
    conditions.check(made, region)
    for stage in made["stages"]:
        for action in stage["actions"]:
            _check_action(action, _provider(action, region))
    _check_artifacts(made["stages"])
    _check_namespaces(made["stages"])
    _check_role(made["roleArn"], account)


def _check_here(made: Mapping[str, Any], region: str) -> None:
    """What is right on AWS and would be without effect here."""
    if made.get("artifactStores"):
        others = sorted(set(made["artifactStores"]) - {region})
        if made.get("artifactStore") or region not in made["artifactStores"]:
            raise InvalidStructure(
                "Give artifactStore, or artifactStores with an entry for the pipeline's Region "
                f"{region}"
            )
        if others:
            raise NotHere(f"The sandbox runs actions in one Region only, not in {others[0]}.")
    elif not made.get("artifactStore"):
        raise InvalidStructure("Pipeline must have an artifact store: artifactStore")
    for stage in made["stages"]:
        for action in stage["actions"]:
            if action.get("region", region) != region:
                raise NotHere(
                    f"The sandbox runs actions in the pipeline's Region only: {action['name']}."
                )


def _check_stages(made: Mapping[str, Any]) -> None:
    stages = made["stages"]
    if len(stages) < 2:
        raise InvalidStructure(
            f"Pipeline has only {len(stages)} stage(s). There should be a minimum of 2 stages in a "
            "pipeline"
        )
    if double := _double([stage["name"] for stage in stages]):
        raise InvalidStructure(
            f"Stage names must be unique within a pipeline. {double} has been used more than once."
        )
    for place, stage in enumerate(stages):
        if not stage["actions"]:
            raise InvalidStructure(f"Stage {stage['name']} has no actions")
        if double := _double([action["name"] for action in stage["actions"]]):
            raise InvalidStructure(
                "Action names must be unique within a stage. "
                f"{double} has been used more than once in {stage['name']}."
            )
        for action in stage["actions"]:
            if (action["actionTypeId"]["category"] == "Source") == (place > 0):
                raise InvalidStructure(
                    "Pipeline should start with a stage that only contains source actions"
                    if place == 0
                    else "Source actions can only be in the first stage of a pipeline: "
                    f"{action['name']} is in {stage['name']}"
                )


def _check_type(made: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/pipeline-types.html"""
    if made["pipelineType"] == "V2":
        if double := _double([each["name"] for each in made.get("variables", [])]):
            raise InvalidStructure(f"Variable names must be unique: {double}")
        return
    if "variables" in made:
        raise InvalidStructure("A pipeline of type V1 has no variables: set pipelineType to V2")
    if made["executionMode"] != "SUPERSEDED":
        raise InvalidStructure(
            f"Execution mode {made['executionMode']} needs a pipeline of type V2"
        )


def _provider(action: Mapping[str, Any], region: str) -> Provider:
    kind = action["actionTypeId"]
    category, owner, name = kind["category"], kind["owner"], kind["provider"]
    if why := ABSENT.get((category, name)):
        raise not_here(f"the action type {category} of {name}", why)
    found = PROVIDERS.get((category, owner, name))
    if found is None or kind["version"] != "1":
        where = region.upper().replace("-", "_")
        raise InvalidAction(
            f"ActionType (Category: '{category}', Provider: '{name}', Owner: '{owner}', "
            f"Version: '{kind['version']}') in action '{action['name']}' is not available in "
            f"region {where}"
        )
    return found


def _check_action(action: Mapping[str, Any], provider: Provider) -> None:
    name, given = action["name"], action["configuration"]
    for what, bounds in (("input", provider.inputs), ("output", provider.outputs)):
        count = len(action[f"{what}Artifacts"])
        if count < bounds[0]:
            raise InvalidAction(
                f"Action {name} declares {count} {what} artifacts which is less than the minimum "
                f"count ({bounds[0]})"
            )
        if count > bounds[1]:
            raise InvalidAction(
                f"Action {name} declares {count} {what} artifacts which is more than the maximum "
                f"count ({bounds[1]})"
            )
    for key in provider.required:
        if not given.get(key):
            raise InvalidAction(
                f"Action configuration for action '{name}' is missing required configuration "
                f"'{key}'"
            )
    for key in given:
        if key not in (*provider.required, *provider.optional):
            raise InvalidAction(
                f"Action configuration for action '{name}' contains unknown configuration '{key}'"
            )
    for key in ("commands", "outputVariables", "environmentVariables"):
        if action.get(key):
            raise InvalidAction(f"Action {name} is not of a type that has {key}")
    one = len(action["inputArtifacts"]) < 2 and len(action["outputArtifacts"]) < 2
    if action["actionTypeId"]["provider"] == "CodeBuild" and not one:
        raise NotHere(
            "The sandbox gives a build one input artifact and takes one output artifact: "
            f"{name} has more."
        )
    configurations.check(action, given)


def _check_artifacts(stages: Sequence[Mapping[str, Any]]) -> None:
    """Each artifact has one maker, which runs before the actions that take the artifact."""
    made: set[str] = set()
    for stage in stages:
        for _, group in groups(stage):
            for action in group:
                for each in action["inputArtifacts"]:
                    if each["name"] not in made:
                        raise InvalidStructure(
                            f"Input Artifact Bundle {each['name']} in action {action['name']} is "
                            "not declared as Output Artifact Bundle in any of the preceding actions"
                        )
            for action in group:
                for each in action["outputArtifacts"]:
                    if each["name"] in made:
                        raise InvalidStructure(
                            "Output Artifact Bundle name must be unique within the pipeline. "
                            f"{each['name']} has been used more than once."
                        )
                    made.add(each["name"])


def _check_namespaces(stages: Sequence[Mapping[str, Any]]) -> None:
    """A namespace has one action, and a reference is to an action that ran before."""
    known = set(RESERVED)
    for stage in stages:
        for _, group in groups(stage):
            for action in group:
                for name in namespaces(action["configuration"]):
                    if name not in known:
                        raise InvalidAction(
                            f"Action {action['name']} in stage {stage['name']} references the "
                            f"namespace {name}, which no preceding action has"
                        )
            for action in group:
                made: str = action.get("namespace") or ""
                if made and made in known:
                    raise InvalidAction(
                        "Namespaces must be unique across the pipeline definition. The following "
                        f"occur more than once in the pipeline. StageName=[{stage['name']}], "
                        f"ActionName=[{action['name']}], Namespace=[{made}]"
                    )
                known.add(made)


def groups(stage: Mapping[str, Any]) -> Iterator[tuple[int, list[Mapping[str, Any]]]]:
    """(runOrder, its actions) of a stage, in order."""
    for order in sorted({action["runOrder"] for action in stage["actions"]}):
        yield order, [action for action in stage["actions"] if action["runOrder"] == order]


def artifact_bucket(made: Mapping[str, Any], region: str) -> str:
    store = made.get("artifactStore") or made["artifactStores"][region]
    return str(store["location"])


def _check_role(role: str, account: str) -> None:
    if role.split(":")[4] != account:
        raise InvalidStructure(f"The role {role} is not of the pipeline's account {account}")


def _double(names: Sequence[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")
