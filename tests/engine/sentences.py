"""The sentences of the engine: every text of its sources that a client may read.

A sentence is a string of two words or more. An f-string is a sentence whose values are ``{}``.
Texts that no client reads are left out: docstrings, SQL, patterns, the log, names of programs. So
are the titles of tables and the help of options, which are no messages.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).parents[2] / "labs_helpers" / "engine"
TABLES, OURS = ENGINE / "wording", "ours"
"""The tables of sources, and the name of the table of our own sentences."""

_SQL = re.compile(r"\s*(SELECT|INSERT|CREATE|DELETE|UPDATE|DROP|ALTER|PRAGMA)\b")
_LABS = re.compile(
    r"\blabs?\b|LABS_|\b(the|this) engine\b|(the|labs') front|the keeper", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_OTHERS = frozenset(
    {
        *("argparse.ArgumentParser", "parser.add_argument", "re.compile", "re.findall"),
        *("Moot", "Option", "Usage", "command", "_list_command", "DatabaseFile"),
    }
)
"""Calls whose texts no client reads, or reads as help."""
_CALLS_OF = ("log.", "self._db.", "cursor.")
_QUESTIONS = frozenset({"startswith", "endswith", "removeprefix", "removesuffix", "partition"})
"""Methods that look for words of another program."""


def sentences() -> dict[str, list[str]]:
    """Every sentence of the engine, and where it stands: ``api/app.py:177``."""
    found: dict[str, list[str]] = {}
    for path in sorted(ENGINE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for line, text in of_tree(tree):
            found.setdefault(text, []).append(f"{path.relative_to(ENGINE).as_posix()}:{line}")
    return found


def names_the_labs(text: str) -> bool:
    """Whether a sentence is known as ours by its words."""
    return bool(_LABS.search(text))


def table(name: str) -> dict[str, Any]:
    """A table of sources."""
    return tomllib.loads((TABLES / f"{name}.toml").read_text(encoding="utf-8"))


def rows(name: str) -> set[str]:
    """The sentences of a table."""
    return {text for texts in table(name)["sentences"].values() for text in texts}


def of_tree(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The sentences below a node, each with its line."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and _is_other(node.func):
        return
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = _template(node)
        if _is_sentence(text):
            yield node.lineno, text
        if isinstance(node, ast.Constant):
            return
    for each in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.JoinedStr) and isinstance(each, ast.Constant)):
            yield from of_tree(each)


def _is_other(function: ast.expr) -> bool:
    name = ast.unparse(function)
    method = function.attr if isinstance(function, ast.Attribute) else ""
    return name in _OTHERS or name.startswith(_CALLS_OF) or method in _QUESTIONS


def _template(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value.strip() if isinstance(node.value, str) else ""
    parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
    return "".join(map(str, parts)).strip()


def _is_sentence(text: str) -> bool:
    if _SQL.match(text) or text.startswith("import "):
        return False
    words = _WORD.findall(text.replace("{}", " "))
    return len(words) > 1 and any(map(str.isspace, text)) and any(map(str.islower, words))
