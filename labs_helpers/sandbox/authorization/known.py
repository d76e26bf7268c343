"""What a decision asks of the state of moto's services; sandbox/moto/resources.py answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Known(Protocol):
    """The resources that exist at this moment."""

    def meant(self, kind: str, arn: str) -> Sequence[str] | None:
        """The ARNs of the resources that an ARN with a name, an alias or another id means.

        kind: the type of resource that the action needs. None for an ARN that is a resource's own;
        empty for a name that means nothing.
        """

    def policies(self, arn: str) -> Sequence[str]:
        """The policies on the resource with this ARN, as JSON texts."""

    def bucket(self, name: str) -> tuple[str, str | None] | None:
        """(account, policy or None) of a bucket; None where there is no bucket."""

    def key_of_upload(self, bucket: str, upload: str) -> str | None:
        """The key that an upload in parts is to; None where there is no such upload."""

    def key_of(self, ciphertext: str) -> str | None:
        """The id of the key in a text that KMS encrypted, in Base64; None for another text."""

    def stacks_of(self, account: str, region: str, change_set: str) -> Sequence[str]:
        """The ARNs of the stacks that a change set, by its name or ARN, is of."""

    def group_of(self, account: str, region: str, deployment: str) -> str:
        """The ARN of the deployment group of a deployment of CodeDeploy; empty for none."""


class Nothing:
    """`Known` where no resource exists."""

    def meant(self, kind: str, arn: str) -> Sequence[str] | None:
        return None

    def policies(self, arn: str) -> Sequence[str]:
        return ()

    def bucket(self, name: str) -> tuple[str, str | None] | None:
        return None

    def key_of_upload(self, bucket: str, upload: str) -> str | None:
        return None

    def key_of(self, ciphertext: str) -> str | None:
        return None

    def stacks_of(self, account: str, region: str, change_set: str) -> Sequence[str]:
        return ()

    def group_of(self, account: str, region: str, deployment: str) -> str:
        return ""
