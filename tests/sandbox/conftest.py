"""Fixtures of the sandbox's tests."""

import pytest


@pytest.fixture(autouse=True)
def moto_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back, after each test, the operations of STS that the sandbox puts on moto's class."""
    from moto.sts.responses import TokenResponse

    for name in (
        "assume_role",
        "assume_role_with_saml",
        "assume_role_with_web_identity",
        "get_access_key_info",
        "get_caller_identity",
        "get_federation_token",
        "get_session_token",
    ):
        monkeypatch.setattr(TokenResponse, name, getattr(TokenResponse, name))
