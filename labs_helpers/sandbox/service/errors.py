"""Errors that every service can answer; each service adds its own classes, one an AWS error.

An operation raises an error, and `protocol.error_answer` renders the error. Codes:
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from labs_helpers.files import NO_ROOM


class ServiceError(Exception):
    """A service's refusal.

    ``code`` is the name of AWS's exception, ``words`` AWS's wording with the facts' names in
    braces, ``http_status`` the status of the answer, and ``members`` what the answer holds beside
    code and message.
    """

    code = "ServerException"
    words = ""
    http_status = 400

    def __init__(self, message: str = "", /, **facts: object) -> None:
        """message: the whole message; facts: what the braces in ``words`` name instead.

        A fact that is None becomes ``null`` and a list ``[a, b]``, as Java spells them.
        """
        spelling = {name: _as_java(value) for name, value in facts.items()}
        self.message = message or self.words.format(**spelling)
        super().__init__(self.message)
        self.members: dict[str, object] = {}


class AccessDenied(ServiceError):
    """The caller may not do this; the message is IAM's sentence."""

    code = "AccessDeniedException"


class NoRoom(ServiceError):
    """The sandbox's disk is full. AWS never answers this; no SDK retries a status of 507."""

    words = NO_ROOM
    http_status = 507


class UnknownOperation(ServiceError):
    """The request's target names no operation of the service."""

    code = "UnknownOperationException"
    words = "The requested operation is not known."


class NotHere(ServiceError):
    """A service does this on AWS, and the sandbox does not.

    The code is none of AWS's, so that nobody takes this for an answer of AWS. The status is 400,
    so that botocore does not retry.
    """

    code = "NotInSandbox"


def not_here(what: str, why: str = "") -> NotHere:
    """what: an operation, or a parameter or a value of a request; why: whole sentences."""
    return NotHere(f"The sandbox does not have {what}; it exists on AWS. {why}".rstrip())


class SerializationError(ServiceError):
    """The body is not JSON, or a member has a value of another type."""

    code = "SerializationException"


class ValidationError(ServiceError):
    """A parameter breaks a constraint of the service's model."""

    code = "ValidationException"


def _as_java(value: object) -> object:
    if value is None:
        return "null"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list | tuple) else value
