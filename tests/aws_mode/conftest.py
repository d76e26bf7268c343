from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_mode import account
from tests.sandbox.sandbox_process import Running


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The account that the tests of a module share; each test leaves it as it was."""
    with account.account(tmp_path_factory.mktemp("account") / "h") as running:
        yield running


@pytest.fixture
def learner(tmp_path: Path, there: Running) -> Iterator[account.Learner]:
    """A learner of the account; the home is as it was when the test ends."""
    with account.learner(tmp_path, there) as made:
        before = made.files()
        yield made
        assert made.files() == before
