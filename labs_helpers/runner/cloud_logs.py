"""The log of a build in CloudWatch Logs, line by line, with the rights of the build's role."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

_LAST = 300.0
"""Seconds in which a busy sandbox takes the last lines; a build ends with its log complete."""
_PAUSE = 0.1
"""Seconds in which lines gather for one call."""
_BATCH = 1000
_LONGEST = 200_000
"""Characters of a line; CloudWatch Logs takes 262,144 bytes of an event with its overhead.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""
MOST, MOST_LINES = 8_000_000, 30_000
"""Characters and lines of a build's log; the sandbox keeps logs in memory."""
_FULL = f"[labs] the log has more than {MOST_LINES} lines or {MOST} characters: the rest is lost\n"


class NoLog(Exception):
    """The role may not write the log; the message is AWS's on what the role did.

    code: AWS's, such as "ResourceNotFoundException"; empty where nothing answered.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class CloudLog:
    """One log stream. `write` returns at once; a thread sends."""

    def __init__(self, client: Any, group: str, stream: str, line_ends: bool = True) -> None:
        """line_ends: whether an event has the end of its line, as CodeBuild's have, and ECS's not.

        https://github.com/moby/moby/blob/v28.2.2/daemon/logger/copier.go takes the ends away, and
        awslogs/cloudwatchlogs.go leaves empty lines out.
        """
        self._client = client
        self._line_ends = line_ends
        self._place = {"logGroupName": group, "logStreamName": stream}
        self._lines: list[tuple[int, str]] = []
        self._size = self._count = 0
        self._full = False
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._send, name="sends a log", daemon=True)

    def open(self, make_group: bool = True) -> None:
        """Make the stream, and with `make_group` the group where there is none; raises NoLog."""
        try:
            try:
                self._client.create_log_stream(**self._place)
            except self._client.exceptions.ResourceNotFoundException:
                if not make_group:
                    raise
                # another build of the project may be quicker
                with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                    self._client.create_log_group(logGroupName=self._place["logGroupName"])
                self._client.create_log_stream(**self._place)
        except ClientError as error:
            found = error.response["Error"]
            raise NoLog(str(found["Message"]), str(found["Code"])) from error
        except BotoCoreError as error:
            raise NoLog(str(error)) from error
        self._thread.start()

    def write(self, text: str) -> None:
        """Take whole lines."""
        now = int(time.time() * 1000)
        with self._changed:
            lines = text.splitlines(keepends=self._line_ends)
            for line in filter(None, lines):
                if self._full:
                    return
                self._size += len(line)
                self._count += 1
                self._full = self._size > MOST or self._count > MOST_LINES
                parts = [line[at : at + _LONGEST] for at in range(0, len(line), _LONGEST)]
                self._lines += [(now, part) for part in ([_FULL] if self._full else parts)]
            self._changed.notify()

    def close(self) -> None:
        """Send what is left, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(_LAST)

    def _send(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
                batch, self._lines = self._lines[:_BATCH], self._lines[_BATCH:]
                if not batch:
                    return
                more = self._closing or bool(self._lines)
            events = [{"timestamp": at, "message": line} for at, line in batch]
            try:
                self._client.put_log_events(**self._place, logEvents=events)
            except (ClientError, BotoCoreError) as error:
                log.warning("lines of a log are lost: %s", error)
            if not more:
                time.sleep(_PAUSE)
