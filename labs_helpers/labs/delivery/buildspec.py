"""What a buildspec says, as far as the checks of labs 09, 11 and 13 ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from labs_helpers.buildspec import Buildspec, BuildspecError, read
from labs_helpers.buildspec.model import PHASES
from labs_helpers.labs.delivery import shell

_GATE = re.compile(r"\blabs\s+gate\b")
_GATE_OF_AWS = re.compile(r"^\s*(?:test|\[)\s+\"?\$\{?CRITICAL\}?\"?\s+=\s+None\b")
"""The last command of the gate on AWS, where no machine of CodeBuild has `labs`."""
_PRINTED = re.compile(r"(?:^|[;&|\n])\s*(?:#|echo\s)[^;&|\n]*$")
"""What stands before words that are printed, or are a comment."""
_WORD = re.compile(r"(?<![\w./-])(?:\./)?[\w][\w./-]*")
"""A word of a command that may be the name of a file."""
_LOOKS = re.compile(r"\bgrep\s[^;&|\n]*</html>")
"""A command that fails where the end of the page is missing."""
_PUSHES = re.compile(r"\bdocker\s+(?:image\s+)?push\b|\bput-image\b|\bbuild\b.*\s--push\b")
_PUSHED = re.compile(r"\bdocker\s+(?:image\s+)?push\b([^;&|\n]*)")
_ASSIGNED = re.compile(r"(?:^|[;&]|\bexport)\s*(\w+)=(\"[^\"]*\"|'[^']*'|[^\s;&]*)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Spec:
    """A buildspec, as CodeBuild reads it."""

    read: Buildspec

    @property
    def all_commands(self) -> list[str]:
        """Every command, in the order in which the phases run."""
        phases = (self.read.phases[name] for name in PHASES if name in self.read.phases)
        return [command.text for phase in phases for command in phase.commands]

    def line_with(self, *texts: str) -> str:
        """The first command that holds one of these texts; "" for none."""
        return next(
            (one.strip() for one in self.all_commands if any(text in one for text in texts)), ""
        )

    @property
    def push_of_latest(self) -> str:
        """The first command that puts the tag `latest` into the registry; "" for none.

        `docker push` of a name without a tag pushes `latest`, and with --all-tags every tag that
        the engine has: https://docs.docker.com/reference/cli/docker/image/push/
        """
        values = dict(self.read.environment.variables)
        for text in (*self.all_commands, *self._last_commands):
            if text.lstrip().startswith(("#", "echo ")) and not _PUSHED.search(text):
                continue
            full = _filled(text, values)
            if _PUSHES.search(full) and (re.search(r"\blatest\b", full) or _without_tag(full)):
                return text.strip()
            for name, value in _ASSIGNED.findall(text):
                values[name] = _filled(value.strip("\"'"), values)
        return ""

    @property
    def _last_commands(self) -> list[str]:
        return [one.text for phase in self.read.phases.values() for one in phase.last]

    @property
    def stops_after_a_failed_build(self) -> bool:
        build = self.read.phases.get("build")
        return bool(build and build.on_failure and build.on_failure.action == "ABORT")

    @property
    def looks_before_the_push(self) -> bool:
        """Whether a command itself looks for the end of the page, and stops the build."""
        return any(True for _ in self._before_the_push(_LOOKS))

    @property
    def stops_before_the_push(self) -> list[str]:
        """The words of commands that stop the build before the push: some are names of scripts."""
        return [one.removeprefix("./") for one in self._before_the_push(_WORD)]

    def _before_the_push(self, pattern: re.Pattern[str]) -> Iterator[str]:
        """What the commands before the push have of a pattern, where they fail with that part."""
        if any(_PUSHES.search(one) for one in self._last_commands):
            return  # `finally` runs after a failed command, too
        pushed = next((place for place, _, _ in self._found(_PUSHES)), None)
        for place, found, fails in self._found(pattern):
            if fails and pushed is not None and place < pushed:
                yield found[0]

    @property
    def gates(self) -> list[str]:
        """The gates that can stop the build, by default from HIGH on."""
        gates = [_GATE, *([_GATE_OF_AWS] if self.line_with("describe-image-scan-findings") else [])]
        return [
            re.split(r"[;&|\n]", found.string[found.start() :])[0]
            for gate in gates
            for _, found, fails in self._found(gate)
            if fails
        ]

    def _found(
        self, pattern: re.Pattern[str]
    ) -> Iterator[tuple[tuple[int, int], re.Match[str], bool]]:
        """Where commands run this, in order, and whether the command fails with it."""
        for number, one in enumerate(self.all_commands):
            line = shell.masked(one)
            for found in pattern.finditer(line):
                if not _PRINTED.search(line[: found.start()]):
                    yield (number, found.start()), found, shell.fails_with(one, *found.span())


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the variables that are known; the others stay as they are written."""
    return _VARIABLE.sub(lambda one: values.get(one[1] or one[2], one[0]), text)


def _without_tag(command: str) -> bool:
    """Whether a `docker push` names no tag, or asks for all of them."""
    for arguments in _PUSHED.findall(command):
        words = [one.strip("\"'") for one in arguments.split()]
        if {"-a", "--all-tags"} & {*words}:
            return True
        names = [one for one in words if not one.startswith("-") and ">" not in one]
        # a variable of unknown value may hold the tag, unless a repository follows the variable
        if any("/" in one and not re.search(r"[:@$]", one.rpartition("/")[2]) for one in names):
            return True
    return False


def load(content: bytes | None) -> Spec | str:
    """The buildspec, or the first thing that is wrong with the file; None for no file."""
    if content is None:
        return "no such file"
    try:
        found = Spec(read(content))
    except BuildspecError as error:
        return str(error).splitlines()[0]
    return found if found.all_commands else "no command in any phase"
