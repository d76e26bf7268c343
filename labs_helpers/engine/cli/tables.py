"""Tables, and what --format makes of their rows.

Source: https://pkg.go.dev/text/tabwriter
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .client import Failure
from .gofunctions import Row, TemplateError, go_json
from .gotemplate import Template

_MINIMUM, _PADDING = 10, 3


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length as aligned columns; the last column is not padded."""
    if not rows:
        return ""
    widths = [
        max(_MINIMUM, max(len(cell) for cell in column) + _PADDING)
        for column in zip(*[row[:-1] for row in rows], strict=True)
    ]
    return "".join(
        "".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False))
        + row[-1]
        + "\n"
        for row in rows
    )


def write_table(
    rows: Sequence[Row], headers: Mapping[str, str], layout: str, default: str, kind: str
) -> None:
    """Print rows as a table, or by a template.

    Args:
        headers: a column title for each field.
        layout: the value of --format: "", ``table``, ``table TEMPLATE``, ``json`` or a template.
        default: the template of the table.
        kind: Docker's type of a row, for errors.

    Raises:
        Failure: the template is malformed, or names an unknown field.
    """
    if layout == "json":
        sys.stdout.writelines(f"{go_json(row)}\n" for row in rows)
        return
    is_table = layout in {"", "table"} or layout.startswith("table ")
    text = layout.removeprefix("table").strip() if is_table else layout
    text = (text or default).replace("\\t", "\t").replace("\\n", "\n")
    try:
        template = Template(text)
        if not is_table:
            for row in rows:
                sys.stdout.write(template.render(row, kind) + "\n")
            return
        cells = [template.render(row, kind).split("\t") for row in (Row(headers), *rows)]
    except TemplateError as error:
        raise Failure(f"template parsing error: {error}") from error
    sys.stdout.write(columns(cells))


def parse_template(text: str) -> Template:
    """Parse the --format of a single object. Raises Failure with status 64."""
    try:
        return Template(text)
    except TemplateError as error:
        raise Failure(f"template parsing error: {error}", 64) from error


def render(template: Template, data: Any) -> str:
    """The text of a single object by --format. Raises Failure."""
    try:
        return template.render(data)
    except TemplateError as error:
        raise Failure(f"template parsing error: {error}") from error
