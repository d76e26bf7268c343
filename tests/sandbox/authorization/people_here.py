"""Users with policies in a running sandbox, and what it says to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.policies import allow as allow  # for tests/clients too, which has it from here
from tests.policies import policy
from tests.sandbox.sandbox_process import REGION, Running, keys_of

ACCOUNT, OTHER = "123456789012", "210987654321"
DEMO = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/demo"
MANAGED = "arn:aws:iam::aws:policy"


class Nobody:
    """A directory with nobody in it, for `actions.needed`."""

    def entity_arn(self, account: str, kind: str, name: str) -> str | None:
        return None

    def boundary_of(self, arn: str) -> str | None:
        return None

    def role_of_profile(self, account: str, name: str) -> str | None:
        return None


@dataclass
class Person:
    """A user with a key; `client("ecr")` is boto3's."""

    sandbox: Running
    name: str
    key: dict[str, str]
    account: str = ACCOUNT

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:user/{self.name}"

    def client(self, service: str, **changed: Any) -> Any:
        return self.sandbox.client(service, **(self.key | changed))

    def error(self, service: str, operation: str, **params: Any) -> tuple[int, str, str]:
        """Status, code and message of a refusal, which there must be."""
        return refusal_of(self.client(service), operation, **params)

    def denied(self, service: str, operation: str, **params: Any) -> str:
        """The sentence of a refusal for want of a permission."""
        status, code, message = self.error(service, operation, **params)
        assert code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), message
        assert status in (400, 403)
        return message


def refusal_of(client: Any, operation: str, **params: Any) -> tuple[int, str, str]:
    try:
        answer = getattr(client, operation)(**params)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = error.response["Error"]
        return status, said["Code"], said["Message"]
    raise AssertionError(f"{operation} answered {answer}")


@dataclass
class People:
    """Makes users in the learner's account; a user is made anew when it was there."""

    sandbox: Running

    def make(self, name: str, *statements: dict[str, Any], managed: tuple[str, ...] = ()) -> Person:
        iam = self.sandbox.client("iam")
        iam.create_user(UserName=name)
        if statements:
            document = policy(*statements)
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        for each in managed:
            iam.attach_user_policy(UserName=name, PolicyArn=f"{MANAGED}/{each}")
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Person(self.sandbox, name, keys_of(made))

    def of_account(self, account: str) -> Person:
        """The administrator of another account."""
        status, made = self.sandbox.control("POST", "accounts", {"account": account})
        assert status == 200, made
        return Person(self.sandbox, made["user"], keys_of(made), account)


def no_policy(person: str, action: str, resource: str) -> str:
    """AWS's sentence for a permission that nothing gives."""
    return (
        f"User: {person} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
