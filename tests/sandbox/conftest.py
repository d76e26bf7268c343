"""Fixtures of the sandbox's tests."""

import pytest


@pytest.fixture(autouse=True)
def moto_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back, after each test, the STS operations that the sandbox puts on moto's own class."""
    from moto.sts.responses import TokenResponse

    for name in ("get_session_token", "get_caller_identity"):
        monkeypatch.setattr(TokenResponse, name, getattr(TokenResponse, name))
