"""The tables of labs in README and in notebook 00 are those of the curriculum."""

from pathlib import Path

import pytest

from labs_helpers import contents
from labs_helpers.curriculum import LABS
from labs_helpers.files import LabsError

PROJECT = Path(__file__).parents[1]


def project(folder: Path, readme: str) -> Path:
    """A project with this README, and with the notebook 00 of this one."""
    (folder / "notebooks").mkdir()
    (folder / "README.md").write_text(readme)
    start = Path("notebooks") / LABS[contents.MAP].notebook
    (folder / start).write_text((PROJECT / start).read_text())
    return folder


def test_the_tables_are_those_of_the_curriculum() -> None:
    stale = [path.name for path in contents.outdated(PROJECT)]
    assert stale == [], "labs_helpers/curriculum.py says otherwise; run: make contents"


def test_readme_has_a_row_for_every_lab() -> None:
    head, _, *rows = contents.readme_table().splitlines()
    assert head == "| lab | minutes | you will | sandbox | AWS |"
    assert [row.split(" | ")[:3] for row in rows] == [
        [f"| [{lab.number} {lab.name}](notebooks/{lab.notebook})", str(lab.minutes), lab.goal]
        for lab in LABS.values()
    ]


def test_the_map_leads_to_every_other_notebook() -> None:
    rows = contents.map_table().splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == [
        f"| [{lab.number} {lab.name}]({lab.notebook})"
        for number, lab in LABS.items()
        if number != contents.MAP
    ]


def test_only_what_stands_between_the_comments_is_replaced(tmp_path: Path) -> None:
    before = f"# Title\n\n{contents.BEGIN}\nan old table\n{contents.END}\n\n## More\n"
    found = contents.outdated(project(tmp_path, before))
    assert found == {
        tmp_path / "README.md": (
            f"# Title\n\n{contents.BEGIN}\n\n{contents.readme_table()}\n\n{contents.END}"
            "\n\n## More\n"
        )
    }


@pytest.mark.parametrize("readme", ["", contents.BEGIN, contents.END])
def test_a_file_without_the_comments_is_named(tmp_path: Path, readme: str) -> None:
    with pytest.raises(LabsError, match=r"README\.md has no place for the table of labs"):
        contents.outdated(project(tmp_path, readme))
