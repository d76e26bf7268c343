"""What AWS says of a policy document that it does not take."""

from __future__ import annotations


class MalformedPolicy(ValueError):
    """message: AWS's own words; place: where in the document, such as ``Statement[1].Effect``.

    code: the error code IAM gives, MalformedPolicyDocument or, for size, LimitExceeded:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html#API_PutUserPolicy_Errors
    """

    def __init__(self, message: str, place: str = "", code: str = "MalformedPolicyDocument"):
        super().__init__(message)
        self.message = message
        self.place = place
        self.code = code

    @property
    def located(self) -> str:
        """AWS's words and, which AWS leaves out, the place."""
        return f"{self.message} ({self.place})" if self.place else self.message


def syntax(place: str = "") -> MalformedPolicy:
    return MalformedPolicy("Syntax errors in policy.", place)


def legacy(place: str) -> MalformedPolicy:
    return MalformedPolicy("The policy failed legacy parsing", place)
