"""ARG and ENV: which variables an instruction sees, and their replacement in its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from e2b_dockerfile_utils import ShellLex

from ..platform import DEFAULT, Platform
from .errors import BuildError
from .gotext import quote

_PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
PREDEFINED = _PROXIES | {"SOURCE_DATE_EPOCH"}
"""Build arguments that need no ARG. https://docs.docker.com/reference/dockerfile/#predefined-args"""


class Arguments:
    """The build arguments: given by the client, declared before FROM, declared in this stage."""

    def __init__(self, given: Mapping[str, str | None], platform: str = "") -> None:
        self._given = given
        self._global: dict[str, str | None] = {**_platforms(platform)}
        self._stage: dict[str, str | None] = {}
        self._declared: set[str] = set()

    def declare_global(self, name: str, default: str | None) -> None:
        """An ARG before the first FROM."""
        self._declared.add(name)
        self._global[name] = default

    def declare(self, name: str, default: str | None) -> None:
        """An ARG in a stage; without a default it takes that of the global one."""
        self._declared.add(name)
        self._stage[name] = self._global.get(name) if default is None else default

    def new_stage(self) -> None:
        """Forget what the stage before declared."""
        self._stage = {}

    def before_from(self) -> dict[str, str]:
        """The variables that a FROM sees."""
        return {**self._proxies(), **self._values(self._global)}

    def visible(self, env: Sequence[str]) -> dict[str, str]:
        """The variables that an instruction sees: ENV hides an ARG of the same name."""
        variables = {**self._proxies(), **self._values(self._stage)}
        variables.update(_split(pair) for pair in env)
        return variables

    def for_run(self, env: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """What a RUN sees beside ENV: what the cache heeds, and the predefined it does not."""
        hidden = {_split(pair)[0] for pair in env}
        heeded = {k: v for k, v in self._values(self._stage).items() if k not in hidden}
        predefined = {
            name: value
            for name, value in self._given.items()
            if name in PREDEFINED and value is not None and name not in {*heeded, *hidden}
        }
        return heeded, predefined

    def unused(self) -> list[str]:
        """The given arguments that no ARG declares."""
        return sorted(set(self._given) - self._declared - PREDEFINED)

    def _proxies(self) -> dict[str, str]:
        """The given proxies, which every instruction sees without an ARG."""
        return {
            name: value
            for name, value in self._given.items()
            if name in _PROXIES and value is not None
        }

    def _values(self, defaults: Mapping[str, str | None]) -> dict[str, str]:
        chosen = {
            name: default if self._given.get(name) is None else self._given[name]
            for name, default in defaults.items()
        }
        return {name: value for name, value in chosen.items() if value is not None}


def _platforms(asked: str) -> dict[str, str]:
    """The automatic arguments of the global scope; a stage that wants one declares it.

    https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
    """
    found = {}
    wanted = Platform.parse(asked) if asked else DEFAULT
    for name, platform in (("TARGET", wanted), ("BUILD", DEFAULT)):
        found[f"{name}PLATFORM"] = str(platform)
        found[f"{name}OS"], found[f"{name}ARCH"] = platform.os, platform.architecture
        found[f"{name}VARIANT"] = platform.variant
    return found


def _split(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def expand(word: str, variables: Mapping[str, str], escape: str, line: int) -> str:
    """Replace variables and take quotes away, as one word.

    Raises:
        BuildError: a quote or brace is not closed, or a ``${name:?message}`` is not met.
    """
    return _expanded(word, variables, escape, line)[0]


def expand_words(word: str, variables: Mapping[str, str], escape: str, line: int) -> list[str]:
    """As ``expand``, then split at blanks outside quotes. Raises BuildError."""
    return _expanded(word, variables, escape, line)[1]


def expand_document(text: str, variables: Mapping[str, str], escape: str, line: int) -> str:
    """Replace variables in a heredoc; its quotes stay. Raises BuildError."""
    lexer = ShellLex(
        escape, raw_quotes=True, skip_process_quotes=True, env=variables, skip_unset_env=False
    )
    try:
        return lexer.process_word(text)
    except ValueError as error:
        raise BuildError(f"failed to process heredoc: {error}", line) from error


def _expanded(
    word: str, variables: Mapping[str, str], escape: str, line: int
) -> tuple[str, list[str]]:
    lexer = ShellLex(escape, env=variables, skip_unset_env=False)
    try:
        return lexer.process_word(word), lexer.process_words(word)
    except ValueError as error:
        reason = str(error).removeprefix(f"failed to process {word!r}: ")
        raise BuildError(f"failed to process {quote(word)}: {reason}", line) from error
