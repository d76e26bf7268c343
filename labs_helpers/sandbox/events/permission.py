"""Whether a queue, a log group or a topic lets a service of AWS in: its own policy decides.

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
    """A target whose policy does not let the service in; the message says what is missing."""


@dataclass(frozen=True)
class Sender:
    """What sends: the ARN and account of a rule or a topic, and its service.

    Policies may make a condition of the ARN and the account.
    """

    rule: str
    account: str
    service: str = SERVICE

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """The condition keys of a request that the service makes for the sender."""
        return {
            "aws:sourcearn": (self.rule,),
            "aws:sourceaccount": (self.account,),
            "aws:principalservicename": (self.service,),
            "aws:principalisawsservice": ("true",),
            "aws:securetransport": ("true",),
        }


def require(sender: Sender, action: str, resource: str, policies: Sequence[str]) -> None:
    """Raises NotLetIn unless the policies on a resource let the sender's service do this for it.

    action: "sqs:SendMessage"; resource: its ARN; policies: JSON documents.
    """
    service, context = sender.service, sender.keys
    caller = Caller(account="", arn=service, principal_arn="")
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
            f"no policy on it allows {service} the action {action}"
            if not decision.matched
            else f"a policy on it denies {service} the action {action}"
        )
