"""Fixtures of the sandbox's tests."""

from collections.abc import Iterator

import pytest

from tests.sandbox import sandbox_process
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One process for the tests of a module that only ask."""
    running = sandbox_process.start(tmp_path_factory.mktemp("labs"))
    yield running
    running.stop()


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
