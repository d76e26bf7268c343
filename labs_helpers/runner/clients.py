"""Clients of the sandbox with the session of a role, made for a job."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.session import Session

from labs_helpers.runtime import aws_models
from labs_helpers.runtime.throttled import asks_again

_making = threading.Lock()
_kept: list[Session] = []


def make(service: str, region: str, endpoint: str, keys: Mapping[str, str]) -> Any:
    """A botocore client; keys: the session as variables of the environment."""
    with _making:  # making a client is not thread-safe
        made = _session().create_client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys["AWS_SESSION_TOKEN"],
            config=Config(
                proxies={},
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )
    return asks_again(made)


def _session() -> Session:
    """botocore's, once for the runner: it keeps the models that it has read."""
    if not _kept:
        aws_models.share(documentation=False)
        _kept.append(Session())
    return _kept[0]
