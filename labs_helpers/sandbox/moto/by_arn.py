"""Look-ups by the whole ARN, where moto uses a piece of the ARN or does not look.

A rule of a load balancer that does not exist cannot be deleted, and a subscription ends by exactly
its ARN.
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.refusal import Refusal


def install(service: str) -> None:
    """Replace moto's look-ups by ours."""
    if service == "sns":
        patches.put("moto.sns.models:SNSBackend.unsubscribe", _unsubscribe)
    if service == "elasticloadbalancing":
        patches.put("moto.elbv2.models:ELBv2Backend.delete_rule", _delete_rule)


def _unsubscribe(backend: Any, subscription_arn: str) -> None:
    """End a subscription. One that does not exist has ended; the id with another topic is refused.

    https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
    """
    own = subscription_arn.rpartition(":")[2]
    for arn in list(backend.subscriptions):
        if arn == subscription_arn:
            del backend.subscriptions[arn]
        elif arn.rpartition(":")[2] == own:
            raise Refusal("NotFound", "Subscription does not exist", 404)


def _delete_rule(backend: Any, arn: str) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteRule.html"""
    for balancer in list(backend.load_balancers.values()):
        for listener in list(balancer.listeners.values()):
            for rule in list(listener.rules.values()):
                if rule.arn == arn:
                    listener.remove_rule(arn)
                    return
    raise Refusal("RuleNotFound", "One or more rules not found")
