"""The errors of EventBridge.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html#API_PutRule_Errors
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class NotFound(ServiceError):
    """There is no such rule or event bus."""

    code = "ResourceNotFoundException"


class AlreadyExists(ServiceError):
    """There is an event bus of this name."""

    code = "ResourceAlreadyExistsException"


class LimitExceeded(ServiceError):
    """More than a rule or an account may have."""

    code = "LimitExceededException"
    words = "The requested resource exceeds the maximum number allowed."


class InvalidPattern(ServiceError):
    """The event pattern cannot be understood.

    reason: in the words of AWS's own matcher
    (https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/JsonRuleCompiler.java).
    """

    code = "InvalidEventPatternException"
    words = "Event pattern is not valid. Reason: {reason}"


def no_bus(name: str) -> NotFound:
    return NotFound(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> NotFound:
    return NotFound(f"Rule {name} does not exist on EventBus {bus}.")
