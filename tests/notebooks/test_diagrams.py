"""Each diagram says in words what it shows: JupyterLab reads this to who cannot see the diagram."""

import re
from pathlib import Path

import pytest

from tests.notebooks import workbook

DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("notebook", workbook.NOTEBOOKS, ids=lambda path: path.stem)
def test_each_diagram_has_a_title_for_screen_readers(notebook: Path) -> None:
    texts = [cell.source for cell in workbook.read(notebook).cells if cell.cell_type == "markdown"]
    diagrams = [found for text in texts for found in DIAGRAM.findall(text)]
    # https://mermaid.js.org/config/accessibility.html
    assert [one for one in diagrams if not re.search(r"\n +accTitle: [^;#\n]{20,}\n", one)] == []
