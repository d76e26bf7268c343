"""How the subcommands print: progress on stderr, answers on stdout, plain outside a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text


def say(line: str) -> None:
    """Print a line of progress on stderr."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show ``what`` until the block ends, with a spinner in a terminal.

    Yields a function that prints a line meanwhile.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        say(what)
        yield say
        return
    with console.status(Text(what)):
        yield lambda line: console.print(Text(line))


def _stdout() -> Console:
    """The console of answers: a terminal only where stdout is one.

    Jupyter's kernels set FORCE_COLOR, which rich would take for a terminal.
    """
    return Console(highlight=False, force_terminal=sys.stdout.isatty())


def columns(rows: Sequence[tuple[str, str]]) -> None:
    """Print a line for each name and value, with the values lined up."""
    width = max((len(name) for name, _ in rows), default=0)
    console = _stdout()
    for name, value in rows:
        if console.is_terminal:
            console.print(Text(name.ljust(width) + "  ", style="bold"), Text(value), sep="")
        else:
            print(f"{name.ljust(width)}  {value}".rstrip())


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: with lines in a terminal, as aligned columns elsewhere."""
    console = _stdout()
    if console.is_terminal:
        drawn = Table(*headers)
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        console.print(drawn)
        return
    lines = [headers, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(headers))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def size(count: int | float) -> str:
    """Bytes as people read them: 512 B, 1.5 MB. In powers of ten, as in ECR's console."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float) -> str:
    """Seconds as people read them: 45 s, 3 min, 2 h 5 min, 1 d 2 h."""
    whole = int(timedelta(seconds=seconds).total_seconds())
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{whole} s"
