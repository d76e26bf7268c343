"""Conditions and rules as answers have them.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StageConditionState.html,
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RuleExecutionDetail.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs_helpers.sandbox.codepipeline import conditions, rule_types
from labs_helpers.sandbox.codepipeline.store import at

Document = Mapping[str, Any]
Members = dict[str, Any]


def of_stage(execution: Document, stage: Document) -> Members:
    """The members of StageState that tell of conditions and retries."""
    found: Members = {}
    for kind in conditions.RESULTS:
        run = conditions.current(execution, stage["name"], kind)
        if run is not None:
            found[f"{kind}ConditionState"] = _state(run)
    counted = execution.get("retries", {}).get(stage["name"])
    if counted:
        found["retryStageMetadata"] = {
            "autoStageRetryAttempt": counted["automatic"] or None,
            "manualStageRetryAttempt": counted["manual"] or None,
            "latestRetryTrigger": counted["latest"],
        }
    return found


def _state(run: Document) -> Members:
    status = {"status": run["status"], "summary": run.get("summary")}
    return {
        "latestExecution": status,
        "conditionStates": [
            {
                "latestExecution": {**status, "lastStatusChange": at(run["updated"])},
                "ruleStates": [
                    {
                        "ruleName": rule["rule"],
                        "latestExecution": {
                            "ruleExecutionId": rule["id"],
                            "status": rule["status"],
                            "summary": rule.get("summary"),
                            "lastStatusChange": at(rule["updated"]),
                            "errorDetails": rule.get("error"),
                        },
                    }
                    for rule in run["rules"]
                ],
            }
        ],
    }


def detail(execution: Document, run: Document, rule: Document, region: str) -> Members:
    """RuleExecutionDetail of ListRuleExecutions."""
    declared = conditions.rule_of(execution, run, rule["rule"])
    given = declared.get("configuration") or {}
    return {
        "pipelineExecutionId": execution["id"],
        "ruleExecutionId": rule["id"],
        "pipelineVersion": execution["version"],
        "stageName": run["stage"],
        "ruleName": rule["rule"],
        "startTime": at(rule["started"]),
        "lastUpdateTime": at(rule["updated"]),
        "status": rule["status"],
        "input": {
            "ruleTypeId": declared["ruleTypeId"],
            "configuration": given,
            "resolvedConfiguration": rule.get("configuration", given),
            "roleArn": declared.get("roleArn"),
            "region": region,
            "inputArtifacts": [],
        },
        "output": {
            "executionResult": {
                "externalExecutionSummary": rule.get("summary", ""),
                "errorDetails": rule.get("error"),
            }
        },
    }


def types() -> list[Members]:
    """RuleType of each rule that the sandbox runs."""
    return [
        {
            "id": {"category": "Rule", "owner": "AWS", "provider": name, "version": "1"},
            "ruleConfigurationProperties": [
                {
                    "name": key,
                    "required": key in required,
                    "key": True,
                    "secret": False,
                    "queryable": False,
                    "type": "String",
                }
                for key in (*required, *optional)
            ],
            "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 0},
        }
        for name, (required, optional) in rule_types.RULES.items()
    ]
