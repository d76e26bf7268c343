"""IAM's users, groups, roles and policies as the directory reads them, and the interface for that.

IAM's records are moto's. Room moto implements `Records` and hands out the plain data of this
module; nothing in this room or in authorization touches an object of moto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from labs_helpers.sandbox.iam.credentials import Credential


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy; document: JSON text of its default version, None if the policy is gone."""

    arn: str
    name: str
    document: str | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entity:
    """What users, groups and roles share; inline: name -> JSON text."""

    account: str
    arn: str
    id: str
    name: str
    managed: tuple[ManagedPolicy, ...] = ()
    inline: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group(Entity):
    """A group."""


@dataclass(frozen=True)
class User(Entity):
    """A user, with the groups that the user is in."""

    boundary: ManagedPolicy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True)
class Role(Entity):
    """A role; trust: JSON text, principals by their unique ids; longest_session: seconds."""

    boundary: ManagedPolicy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    trust: str = ""
    longest_session: int = 3600


@dataclass(frozen=True)
class AccessKey:
    """A long-lived access key of a user."""

    id: str
    secret: str
    active: bool


@dataclass(frozen=True)
class Provider:
    """A provider of web identities; host: its URL without the scheme."""

    arn: str
    host: str
    client_ids: tuple[str, ...]


@dataclass(frozen=True)
class Administrator:
    """The first user of an account, and the user's key."""

    account: str
    name: str
    key: AccessKey


class Records(Protocol):
    """IAM's records of every account, as they are at the moment of the call; thread-safe."""

    @property
    def learner(self) -> Credential:
        """The learner's own credential."""

    @property
    def accounts(self) -> list[str]:
        """The learner's account, and each in which something was ever made, in order."""

    @property
    def notices(self) -> list[str]:
        """What was found damaged and set aside, in words."""

    def user_count(self, account: str) -> int:
        """The number of users in an account."""

    def user_of_key(self, access_key_id: str) -> tuple[User, AccessKey] | None:
        """The user who has an access key, active or not, and the key."""

    def user(self, account: str, user_id: str) -> User | None:
        """The user of a unique id."""

    def role(self, account: str, role_id: str) -> Role | None:
        """The role of a unique id."""

    def named(self, account: str, kind: str, name: str) -> Entity | ManagedPolicy | None:
        """The "user", "group", "role" or "policy" of a name."""

    def find(self, account: str, kind: str, arn: str) -> Entity | ManagedPolicy | None:
        """The "user", "group", "role" or "policy" of an ARN in an account."""

    def role_of_profile(self, account: str, name: str) -> Role | None:
        """The role in an instance profile."""

    def provider(self, account: str, host: str) -> Provider | None:
        """The provider of web identities of a host (lower case, no slash at the end)."""

    def mfa_seed(self, account: str, user_id: str, serial: str) -> str | None:
        """The base32 seed of a user's own virtual MFA device."""

    def make_administrators(self, wanted: Iterable[tuple[str, str]]) -> list[Administrator]:
        """Make (account, user) pairs, or restore them: `accounts.Accounts.make` says what.

        All are on disk, in one transaction, before this returns; raises sqlite3.Error, with
        nothing made.
        """

    def close(self) -> None:
        """Close the database."""
