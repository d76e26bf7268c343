"""Look-ups by the whole ARN, where moto uses a piece of the ARN or does not look.

EventBridge's tags go to the rule or event bus of exactly that ARN: moto takes the first rule of the
name, on whatever bus. A rule of a load balancer that does not exist cannot be deleted. PutEvents
takes no event in the name of a service of AWS.
"""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto import patches
from labs_helpers.sandbox.service.refusal import Refusal

_EVENTS = "moto.events.models:EventsBackend"


def install(service: str) -> None:
    """Replace moto's look-ups by ours; the tagging API calls EventBridge, too."""
    if service in ("events", "tagging"):
        patches.put(f"{_EVENTS}.tag_resource", _tag)
        patches.put(f"{_EVENTS}.untag_resource", _untag)
        patches.put(f"{_EVENTS}.list_tags_for_resource", _tags)
        _let_nobody_speak_for_aws()
    if service == "sns":
        patches.put("moto.sns.models:SNSBackend.unsubscribe", _unsubscribe)
    if service == "elasticloadbalancing":
        patches.put("moto.elbv2.models:ELBv2Backend.delete_rule", _delete_rule)


def _tag(backend: Any, arn: str, tags: dict[str, str]) -> None:
    _require(backend, arn)
    backend.tagger.tag_resource(arn, backend.tagger.convert_dict_to_tags_input(tags))


def _untag(backend: Any, arn: str, tag_keys: list[str]) -> None:
    _require(backend, arn)
    backend.tagger.untag_resource_using_names(arn, tag_keys)


def _tags(backend: Any, arn: str) -> Any:
    _require(backend, arn)
    return backend.tagger.list_tags_for_resource(arn)


def _require(backend: Any, arn: str) -> None:
    """Raise Refusal (ResourceNotFoundException) unless a rule or an event bus has the ARN."""
    buses = list(backend.event_buses.values())
    rules = [rule for bus in buses for rule in list(bus.rules.values())]
    if arn not in [each.arn for each in (*buses, *rules)]:
        words = f"There is no rule and no event bus with the ARN {arn[:200]}."
        raise Refusal("ResourceNotFoundException", words)


_NOT_OURS = {
    "ErrorCode": "NotAuthorizedForSourceException",
    "ErrorMessage": "Not authorized for the source.",
}
"""https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html"""


def _let_nobody_speak_for_aws() -> None:
    def put_events(backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(events) > 10:
            return list(own(backend, events))  # which refuses them all
        of_aws = [str(event.get("Source", "")).startswith("aws.") for event in events]
        rest = [event for event, is_of_aws in zip(events, of_aws, strict=True) if not is_of_aws]
        answers = iter(own(backend, rest))
        return [dict(_NOT_OURS) if is_of_aws else next(answers) for is_of_aws in of_aws]

    own = patches.put(f"{_EVENTS}.put_events", put_events)


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
