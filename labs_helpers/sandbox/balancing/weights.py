"""The weights of a listener's rule, by which a deployment moves the visitors between two groups.

ECS's own deployments and CodeDeploy's set them, each by signed calls of its role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def split(green: str, blue: str, percent: float) -> dict[str, int]:
    """Weights are whole numbers, up to 999; a percentage may have one decimal."""
    scale = 1 if float(percent).is_integer() else 10
    share = round(percent * scale)
    return {green: share, blue: 100 * scale - share}


def forward(client: Any, rule: str, listener: str, weights: Mapping[str, int]) -> None:
    """Let a rule forward by weights; listener: where the rule is the listener's default rule.

    client: of elbv2; its ClientError is raised. A default rule is changed with its listener:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html
    """
    listed = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": listed}}]
    if listener:
        client.modify_listener(ListenerArn=listener, DefaultActions=actions)
    else:
        client.modify_rule(RuleArn=rule, Actions=actions)
