"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations


class Failure(Exception):
    """``message`` goes to stderr (nothing when it is empty), ``code`` is the exit status."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.message, self.code = message, code


class DaemonError(Failure):
    """The engine refused: its own message, and the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(f"Error response from daemon: {message}")
        self.reason, self.status = message, status
