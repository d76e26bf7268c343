"""Who is who, put together: state, sessions, directory, STS and the web identity provider."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.iam.credentials import Credential
from labs_helpers.sandbox.iam.directory import Directory
from labs_helpers.sandbox.iam.oidc import TokenIssuer
from labs_helpers.sandbox.iam.sessions import Sessions
from labs_helpers.sandbox.iam.state import State
from labs_helpers.sandbox.moto.identity import MotoIdentity


@dataclass
class People:
    """The rooms that know who is who; `close` at the end."""

    identity: MotoIdentity
    sessions: Sessions
    directory: Directory
    issuer: TokenIssuer
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _answering: bool = False

    def prepare(self) -> None:
        """Put our STS, and what IAM lacks, into moto's place; once, when moto is there already."""
        with self._lock:
            if self._answering:
                return
            from labs_helpers.sandbox.iam.sts import SecurityTokens
            from labs_helpers.sandbox.iam.web_identity import WebIdentities
            from labs_helpers.sandbox.moto import iam_operations, sts_operations

            tokens = SecurityTokens(self.directory, self.sessions)
            web = WebIdentities(self.directory, self.sessions, tokens, self.issuer)
            iam_operations.install(self.directory)
            sts_operations.install(self.directory, tokens, web)
            self._answering = True

    @property
    def notices(self) -> list[str]:
        """What was found damaged and set aside since the start, for people."""
        return [*self.identity.state.database.notices, *self.sessions.database.notices]

    def close(self) -> None:
        """Close the databases."""
        self.identity.state.database.close()
        self.sessions.database.close()


def build(folder: Path, learner: Credential, clock: Clock) -> People:
    """Over a folder that need not exist; raises OSError or sqlite3.Error when it is unusable."""
    identity = MotoIdentity(learner, State(folder))
    sessions = Sessions(folder, clock)
    directory = Directory(identity, sessions)
    return People(identity, sessions, directory, TokenIssuer(folder, sessions.now))
