"""Whether a queue, a log group or a topic lets EventBridge in: its own policy decides.

AWS tells nobody when it does not: the rule's metric FailedInvocations counts, and that is all.
Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labs_helpers.sandbox.policy import document
from labs_helpers.sandbox.policy.evaluate import evaluate
from labs_helpers.sandbox.policy.model import Kind, Policies, Policy
from labs_helpers.sandbox.policy.request import Caller, Request

SERVICE = "events.amazonaws.com"


class NotLetIn(Exception):
    """A target whose policy does not let EventBridge in; the message says what is missing."""


@dataclass(frozen=True)
class Sender:
    """A rule that sends: its ARN and account, which policies may make a condition of."""

    rule: str
    account: str


def require(sender: Sender, action: str, resource: str, policies: Sequence[str]) -> None:
    """Raises NotLetIn unless the policies on a resource let EventBridge do this for the rule.

    action: "sqs:SendMessage"; resource: its ARN; policies: JSON documents.
    """
    context = {
        "aws:sourcearn": (sender.rule,),
        "aws:sourceaccount": (sender.account,),
        "aws:principalservicename": (SERVICE,),
        "aws:principalisawsservice": ("true",),
        "aws:securetransport": ("true",),
    }
    caller = Caller(account="", arn=SERVICE, principal_arn="")
    try:
        found = tuple(
            Policy(Kind.RESOURCE, f"policy of {resource}", document.parse(text))
            for text in policies
        )
    except document.NotAPolicy as error:
        raise NotLetIn(f"the policy on it cannot be read: {error}") from error
    owner = resource.split(":", 5)[4]
    decision = evaluate(Request(caller, action, resource, owner, context), Policies(resource=found))
    if not decision.allowed:
        raise NotLetIn(
            f"no policy on it allows {SERVICE} the action {action}"
            if not decision.matched
            else f"a policy on it denies {SERVICE} the action {action}"
        )
