"""The log of a build, in the form of CodeBuild's.

CodeBuild's own lines begin with `[Container]` and the time, UTC; a command's output stands between
them as it came, and an empty line follows. A log of 2026 that is public:
`[Container] 2026/01/28 20:48:59.513841 Running command echo "Starting Docker daemon..."`.
Values of Parameter Store and Secrets Manager, and AWS access key ids, are hidden as `***`
(https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

_ACCESS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_HIDDEN = "***"
_LONGEST = 1 << 16
"""Characters of an output without a line break after which the log goes on."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Log:
    """Writes lines of CodeBuild's, words of the labs, and the output of commands.

    write: takes text as soon as there is some, whole lines where possible.
    """

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.clock = clock
        self._write = write
        self._secrets: list[str] = []
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def hide(self, values: Iterable[str]) -> None:
        """From now on these texts, and each line of a text of several lines, are `***`."""
        found = {*self._secrets}
        for value in values:
            found |= {each for each in (value, *value.splitlines()) if each.strip()}
        self._secrets = sorted(found, key=len, reverse=True)

    def container(self, words: str) -> None:
        """A line of CodeBuild's."""
        self.end_output()
        stamp = self.clock().astimezone(UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        self._write(f"[Container] {stamp} {self._masked(words)}\n")

    def labs(self, words: str) -> None:
        """A line that CodeBuild has not: what is different here."""
        self.end_output()
        self._write("".join(f"[labs] {line}\n" for line in self._masked(words).splitlines()))

    def output(self, data: bytes) -> None:
        """Bytes that a command printed; what is not UTF-8 shows as U+FFFD."""
        self._pending += self._decoder.decode(data)
        lines, mark, rest = self._pending.rpartition("\n")
        if mark:
            self._write(self._masked(f"{lines}\n"))
            self._pending = rest
        if len(self._pending) > _LONGEST:
            self.end_output()

    def end_output(self) -> None:
        """Write what has no line break yet."""
        pending, self._pending = self._pending + self._decoder.decode(b"", final=True), ""
        if pending:
            self._write(self._masked(pending + "\n"))

    def blank(self) -> None:
        """CodeBuild ends the output of each command with a line break of its own."""
        if self._pending:
            self.end_output()
        else:
            self._write("\n")

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _ACCESS_KEY_ID.sub(_HIDDEN, text)
