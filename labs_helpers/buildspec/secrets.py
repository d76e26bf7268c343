"""Values of env/parameter-store and env/secrets-manager, asked with the build's own credentials.

CodeBuild asks ssm:GetParameters and secretsmanager:GetSecretValue, and a refusal fails the phase
DOWNLOAD_SOURCE. The codes are those of public logs: "Phase context status code: Decrypted Variables
Error Message: parameter does not exist: /CodeBuild/x", "Phase context status code: Secrets Manager
Error Message: AccessDeniedException: User: ... is not authorized to perform: ...".
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.secrets-manager
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labs_helpers.buildspec.model import Environment, SecretReference

_A_CALL = 10
"""https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html"""


class NoValue(Exception):
    """A value could not be had. status_code: CodeBuild's."""

    def __init__(self, status_code: str, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def resolve(environment: Environment, client: Callable[[str], Any]) -> dict[str, str]:
    """Variables with their values. client: a boto3 client of "ssm" or "secretsmanager" by name."""
    found: dict[str, str] = {}
    if environment.parameters:
        values = _parameters(client("ssm"), sorted({*environment.parameters.values()}))
        found |= {name: values[of] for name, of in environment.parameters.items()}
    if environment.secrets:
        secrets_manager = client("secretsmanager")
        for name, reference in environment.secrets.items():
            found[name] = _secret(secrets_manager, reference)
    return found


def _parameters(ssm: Any, names: list[str]) -> dict[str, str]:
    code = "Decrypted Variables Error"
    found: dict[str, str] = {}
    for start in range(0, len(names), _A_CALL):
        try:
            answer = ssm.get_parameters(Names=names[start : start + _A_CALL], WithDecryption=True)
        except (ClientError, BotoCoreError) as error:
            raise NoValue(code, _words(error)) from error
        if answer["InvalidParameters"]:
            missing = ", ".join(answer["InvalidParameters"])
            raise NoValue(code, f"parameter does not exist: {missing}")
        found |= {each["Name"]: each["Value"] for each in answer["Parameters"]}
    return found


def _secret(client: Any, reference: SecretReference) -> str:
    code = "Secrets Manager Error"
    asked = {"SecretId": reference.secret}
    if reference.stage:
        asked["VersionStage"] = reference.stage
    if reference.version:
        asked["VersionId"] = reference.version
    try:
        answer = client.get_secret_value(**asked)
    except (ClientError, BotoCoreError) as error:
        raise NoValue(code, _words(error)) from error
    if "SecretString" not in answer:
        raise NoValue(code, f"the secret {reference.secret} is binary, and a variable is a text")
    text = str(answer["SecretString"])
    if not reference.json_key:
        return text
    try:
        value = json.loads(text)[reference.json_key]
    except (ValueError, KeyError, TypeError):
        what = f"the secret {reference.secret} is no JSON object with the key {reference.json_key}"
        raise NoValue(code, what) from None
    return value if isinstance(value, str) else json.dumps(value)


def _words(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return str(error)
