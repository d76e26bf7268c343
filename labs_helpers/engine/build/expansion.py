"""Expansion of variables in the words of a Dockerfile, with a limit on what they become.

`ENV A=$A$A$A$A` in line after line makes a value of any length from a few bytes. Linux hands a
program no argument and no variable (`NAME=value` and the final NUL) of more than MAX_ARG_STRLEN
bytes, 32 pages (https://elixir.bootlin.com/linux/v5.12.1/source/include/uapi/linux/binfmts.h), so
no container could start with a longer value. BuildKit and dockerd name no limit of their own; here
a longer value ends the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .errors import BuildError
from .gotext import quote
from .shell_patterns import ShellLex

MOST_BYTES = 32 * 4096
"""The longest `NAME=value`, in bytes, with the NUL that ends it."""

_MOST_REPLACED = 8192
_MOST_PRODUCT = 1 << 26
"""Limits on the values in a text with `${name//pattern/new}`, where each character of a value may
become all of `new`: their bytes, and these times the length of the text.
"""
_REPLACES = re.compile(r"\$\{[^}/]*//")
_SHOWN = 60


def expand(word: str, variables: Mapping[str, str], escape: str, line: int) -> str:
    """Replace variables and remove quotes; the result is one word.

    Raises:
        BuildError: a quote or brace is not closed, ``${name:?message}`` finds no value, or the
            values in the word are too long.
    """
    return _lex(word, variables, escape, line)[0]


def expand_words(word: str, variables: Mapping[str, str], escape: str, line: int) -> list[str]:
    """Expand as ``expand`` does, and split at blanks outside quotes. Raises BuildError."""
    return _lex(word, variables, escape, line)[1]


def expand_document(text: str, variables: Mapping[str, str], escape: str, line: int) -> str:
    """Replace variables in a heredoc, and leave its quotes. Raises BuildError.

    The heredoc itself may be longer than a word; the values in it together may not.
    """
    values = _Values(variables, text, line)
    lexer = ShellLex(
        escape, raw_quotes=True, skip_process_quotes=True, env=values, skip_unset_env=False
    )
    try:
        return lexer.process_word(text)
    except ValueError as error:
        raise BuildError(f"failed to process heredoc: {error}", line) from error


def check_length(instruction: str, name: str, value: str, line: int) -> None:
    """Raise BuildError for a variable or label that is longer than MOST_BYTES."""
    size = len(name.encode()) + len(value.encode()) + len("=\0")
    if size > MOST_BYTES:
        raise BuildError(
            f"{f'Dockerfile line {line}: ' if line else ''}{instruction} {_short(name)}: the value"
            f" has {len(value.encode())} bytes. {_LIMIT}",
            line,
        )


def _lex(word: str, variables: Mapping[str, str], escape: str, line: int) -> tuple[str, list[str]]:
    values = _Values(variables, word, line)
    lexer = ShellLex(escape, env=values, skip_unset_env=False)
    try:
        whole = lexer.process_word(word)
        values.begin()
        return whole, lexer.process_words(word)
    except ValueError as error:
        reason = str(error).removeprefix(f"failed to process {word!r}: ")
        raise BuildError(f"failed to process {quote(word)}: {reason}", line) from error


class _Values(Mapping[str, str]):
    """Variables that end the expansion of a text as soon as their values make it too long."""

    def __init__(self, variables: Mapping[str, str], text: str, line: int) -> None:
        self._variables, self._text, self._line = variables, text, line
        self._most, self._why = MOST_BYTES, _LIMIT
        if _REPLACES.search(text):
            self._most = min(_MOST_REPLACED, _MOST_PRODUCT // len(text))
            self._why = "Values in a text with ${name//pattern/new} must be shorter here"
        self._size = 0

    def begin(self) -> None:
        """Count from nothing: the text is expanded once more."""
        self._size = 0

    def __getitem__(self, name: str) -> str:
        value = self._variables[name]
        self._size += len(value.encode())
        if self._size > self._most:
            raise BuildError(
                f"Dockerfile line {self._line}: with the value of {_short(name)}, the values in "
                f"{_short(self._text)} have more than {self._most} bytes. {self._why}",
                self._line,
            )
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


_LIMIT = (
    f"Linux starts no program with a variable or argument of more than {MOST_BYTES} bytes, its name"
    " included: put long text into a file, and COPY the file"
)


def _short(text: str) -> str:
    return quote(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
