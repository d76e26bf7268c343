"""Streams of the Docker Engine API: what fails on the way is told in the stream."""

import errno
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from labs_helpers.engine.api import Backend
from labs_helpers.engine.api.app import App
from labs_helpers.engine.api.http import stream_response
from labs_helpers.engine.build.errors import BuildError
from labs_helpers.engine.hosts import HostMap


def full_database() -> sqlite3.OperationalError:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table t (x)")
        database.execute("pragma max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as full:
            database.executemany("insert into t values (?)", (("x" * 900,) for _ in range(50)))
    return full.value


def test_a_run_that_fails_has_its_exit_status_in_the_stream() -> None:
    """Reported as S13."""

    def failing() -> Iterator[dict[str, Any]]:
        yield {"stream": "Step 1/1"}
        raise BuildError("returned a non-zero code: 3", exit_code=3)

    *_, last = stream_response(failing(), (BuildError,)).body
    why = "returned a non-zero code: 3"
    assert json.loads(last) == {"errorDetail": {"code": 3, "message": why}, "error": why}


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), full_database()], ids=["file", "db"]
)
def test_a_full_disk_is_told_before_the_stream_too(error: Exception) -> None:
    backend = Backend(MagicMock(), HostMap(None), Path("/nowhere"))
    backend.store.list.side_effect = error  # type: ignore[attr-defined]
    body = App(backend)(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/images/json", "wsgi.input": io.BytesIO()},
        lambda status, headers: None,
    )
    (answer,) = body
    assert "no space left on device" in json.loads(answer)["message"]


def test_a_full_disk_says_what_to_do_and_not_a_number() -> None:
    def messages() -> Iterator[dict[str, Any]]:
        yield {"stream": "Step 1/1"}
        raise OSError(errno.ENOSPC, "No space left on device")

    lines = [json.loads(line) for line in stream_response(messages(), (OSError,)).body]
    assert lines[0] == {"stream": "Step 1/1"}
    assert lines[1]["error"].startswith("no space left on device")
    assert "LABS_HOME" in lines[1]["error"]
