"""Rows of a listing, as a table or by --format."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .command_line import Failure
from .gofunctions import Row, TemplateError, go_json
from .gotemplate import Template
from .units import columns


def show(
    rows: Sequence[Row], headers: Mapping[str, str], layout: str, default: str, kind: str
) -> None:
    """Print rows.

    Args:
        headers: a column title for each field.
        layout: what --format says: "", ``table``, ``table TEMPLATE``, ``json`` or a template.
        default: the template of the table.
        kind: Docker's name of a row's type, for errors.

    Raises:
        Failure: the template is wrong, or names a field that is not there.
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


def parsed(text: str) -> Template:
    """The template of an --format for one object. Raises Failure with status 64."""
    try:
        return Template(text)
    except TemplateError as error:
        raise Failure(f"template parsing error: {error}", 64) from error


def rendered(template: Template, data: Any) -> str:
    """One object by --format. Raises Failure."""
    try:
        return template.render(data)
    except TemplateError as error:
        raise Failure(f"template parsing error: {error}") from error
