"""Streams of the Docker Engine API: what fails on the way is told in the stream."""

import errno
import json
from collections.abc import Iterator
from typing import Any

from labs_helpers.engine.api.exchange import stream_answer


def test_a_full_disk_says_what_to_do_and_not_a_number() -> None:
    def messages() -> Iterator[dict[str, Any]]:
        yield {"stream": "Step 1/1"}
        raise OSError(errno.ENOSPC, "No space left on device")

    lines = [json.loads(line) for line in stream_answer(messages(), (OSError,)).body]
    assert lines[0] == {"stream": "Step 1/1"}
    assert lines[1]["error"].startswith("no space left on device")
    assert "LABS_HOME" in lines[1]["error"]
