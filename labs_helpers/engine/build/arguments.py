"""ARG and ENV: the variables that an instruction sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..platform import DEFAULT, Platform

_PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
PREDEFINED = _PROXIES | {"SOURCE_DATE_EPOCH"}
"""Build arguments that need no ARG. https://docs.docker.com/reference/dockerfile/#predefined-args"""


class BuildArguments:
    """The build arguments: from the client, declared before FROM, declared in this stage."""

    def __init__(self, values: Mapping[str, str | None], platform: str = "") -> None:
        self._client = values
        self._global: dict[str, str | None] = {**_platforms(platform)}
        self._stage: dict[str, str | None] = {}
        self._declared: set[str] = set()

    def declare_global(self, name: str, default: str | None) -> None:
        """Declare an ARG that stands before the first FROM."""
        self._declared.add(name)
        self._global[name] = default

    def declare(self, name: str, default: str | None) -> None:
        """Declare an ARG of a stage; the default is that of the global ARG of the same name."""
        self._declared.add(name)
        self._stage[name] = self._global.get(name) if default is None else default

    def new_stage(self) -> None:
        """Forget the arguments of the previous stage."""
        self._stage = {}

    def before_from(self) -> dict[str, str]:
        """The variables that a FROM sees."""
        return {**self._proxies(), **self._resolve(self._global)}

    def visible(self, env: Sequence[str]) -> dict[str, str]:
        """The variables that an instruction sees; ENV hides an ARG of the same name."""
        variables = {**self._proxies(), **self._resolve(self._stage)}
        variables.update(_split(pair) for pair in env)
        return variables

    def for_run(self, env: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """The arguments that a RUN sees beside ENV: those in the cache key, and predefined ones."""
        hidden = {_split(pair)[0] for pair in env}
        cached = {k: v for k, v in self._resolve(self._stage).items() if k not in hidden}
        predefined = {
            name: value
            for name, value in self._client.items()
            if name in PREDEFINED and value is not None and name not in {*cached, *hidden}
        }
        return cached, predefined

    def unused(self) -> list[str]:
        """The client's arguments that no ARG declares."""
        return sorted(set(self._client) - self._declared - PREDEFINED)

    def _proxies(self) -> dict[str, str]:
        """The client's proxies, which every instruction sees without an ARG."""
        return {
            name: value
            for name, value in self._client.items()
            if name in _PROXIES and value is not None
        }

    def _resolve(self, defaults: Mapping[str, str | None]) -> dict[str, str]:
        chosen = {
            name: default if self._client.get(name) is None else self._client[name]
            for name, default in defaults.items()
        }
        return {name: value for name, value in chosen.items() if value is not None}


def _platforms(requested: str) -> dict[str, str]:
    """The automatic arguments of the global scope; a stage declares those that it uses.

    https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
    """
    arguments = {}
    target = Platform.parse(requested) if requested else DEFAULT
    for name, platform in (("TARGET", target), ("BUILD", DEFAULT)):
        arguments[f"{name}PLATFORM"] = str(platform)
        arguments[f"{name}OS"], arguments[f"{name}ARCH"] = platform.os, platform.architecture
        arguments[f"{name}VARIANT"] = platform.variant
    return arguments


def _split(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value
