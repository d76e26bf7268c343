"""The notebooks are true with version 2 of the AWS CLI as well, which conda installs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labs.commands import Commands
from tests.notebooks import aws_2, workbook
from tests.notebooks.test_sanitize import sanitised

LOCATE = 'Unable to locate credentials. You can configure credentials by running "aws {}".\n'


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Iterator[workbook.Desk]:
    command = aws_2.place(tmp_path_factory.mktemp("aws"), commands.folder / "aws")
    with workbook.desk(LABS_AWS=str(command)) as made:
        yield made


def compared(desk: workbook.Desk, number: str) -> None:
    (notebook,) = (one for one in workbook.NOTEBOOKS if one.name.startswith(number))
    run = desk.compare(notebook)
    assert run.returncode == 0, run.stdout


def test_the_lab_with_the_most_errors_is_true_with_version_2(desk: workbook.Desk) -> None:
    compared(desk, "01")


@pytest.mark.soak
@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_every_lab_is_true_with_version_2(notebook: Path, desk: workbook.Desk) -> None:
    compared(desk, notebook.name[:2])


@pytest.mark.parametrize(
    ("version_1", "version_2"),
    [
        (
            "\nAn error occurred (NoSuchEntity) when calling the GetUser operation\n",
            "\naws: [ERROR]: An error occurred (NoSuchEntity) when calling the GetUser operation\n",
        ),
        (
            'You must specify a region. You can also configure your region by running "aws".\n',
            "\naws: [ERROR]: An error occurred (NoRegion): You must specify a region. "
            'You can also configure your region by running "aws".\n',
        ),
        (
            LOCATE.format("configure"),
            f"\naws: [ERROR]: An error occurred (NoCredentials): {LOCATE.format('login')}",
        ),
        (
            "\nThe config profile (workshop) could not be found\n",
            "\naws: [ERROR]: The config profile (workshop) could not be found\n",
        ),
    ],
)
def test_an_error_is_written_as_version_2_writes_it(version_1: str, version_2: str) -> None:
    assert aws_2.errors(version_1) == version_2


def test_a_time_is_written_as_version_2_writes_it() -> None:
    assert aws_2.output('  "createdAt": 1795905999.25,\n') == (
        '  "createdAt": "2026-11-28T22:46:39.250000+00:00",\n'
    )


def test_a_first_key_gets_the_tip_of_version_2() -> None:
    question = "AWS Access Key ID [None]: "
    seen = aws_2.output(question)
    assert seen.startswith("\nTip: You can deliver")
    assert sanitised(seen) == question


def test_the_comparison_takes_the_two_versions_for_one() -> None:
    for text in (
        "\nAn error occurred (AccessDenied) when calling the GetUser operation: no\n",
        "You must specify a region.\n",
        "\nThe config profile (workshop) could not be found\n",
    ):
        assert sanitised(aws_2.errors(text)) == sanitised(text)
    assert sanitised('"2026-11-28T22:46:39.250000+00:00"') == '"<time>"'
    assert sanitised("1795905999.25") == "<time>"
