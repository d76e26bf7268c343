"""The secrets of a task's containers, read with the execution role's rights.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.runner import task_failures as failures

_PARTS = 7
"""Of a secret's ARN; then follow the JSON key, the version's stage and the version's ID."""


def values(secrets: Iterable[Mapping[str, str]], client: Callable[[str], Any]) -> dict[str, str]:
    """Variable -> value, for the `secrets` of a container definition. Raises CannotRun."""
    return {each["name"]: _value(each["valueFrom"], client) for each in secrets}


def _value(source: str, client: Callable[[str], Any]) -> str:
    if source.startswith("arn:") and ":secretsmanager:" in source:
        return _secret(source, client("secretsmanager"))
    return _parameter(source, client("ssm"))


def _parameter(source: str, client: Any) -> str:
    name = source.partition(":parameter")[2] if source.startswith("arn:") else source
    if source.startswith("arn:") and name.count("/") == 1:
        name = name.removeprefix("/")
    try:
        found = client.get_parameters(Names=[name], WithDecryption=True)
    except (ClientError, BotoCoreError) as error:
        raise failures.no_parameter(error) from error
    if found["InvalidParameters"]:
        raise failures.no_parameter(", ".join(found["InvalidParameters"]))
    return str(found["Parameters"][0]["Value"])


def _secret(source: str, client: Any) -> str:
    parts = source.split(":")
    arn = ":".join(parts[:_PARTS])
    key, stage, version = [*parts[_PARTS:], "", "", ""][:3]
    asked = {"SecretId": arn}
    if stage:
        asked["VersionStage"] = stage
    if version:
        asked["VersionId"] = version
    try:
        text = str(client.get_secret_value(**asked).get("SecretString", ""))
    except (ClientError, BotoCoreError) as error:
        raise failures.no_secret(arn, error) from error
    if not key:
        return text
    try:
        value = json.loads(text)[key]
    except (ValueError, KeyError, TypeError):
        raise failures.no_json_key(arn, key) from None
    return value if isinstance(value, str) else json.dumps(value)
