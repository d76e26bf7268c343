"""Variables of Parameter Store and Secrets Manager: asked, used, and hidden in the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.buildspec.builds import commands, run

VALUES = {"/app/password": "hunter2-hunter2", "/app/lines": "first line\nsecond line"}
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:app-AbCdEf"


class Ssm:
    def get_parameters(self, Names: list[str], WithDecryption: bool) -> dict[str, Any]:
        assert WithDecryption
        assert len(Names) <= 10
        if "/denied" in Names:
            words = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: x"
            error = {"Code": "AccessDeniedException", "Message": words}
            raise ClientError({"Error": error}, "GetParameters")
        known = [name for name in Names if name in VALUES or name.startswith("/many/")]
        found = [{"Name": name, "Value": VALUES.get(name, name)} for name in known]
        return {"Parameters": found, "InvalidParameters": sorted({*Names} - {*known})}


class SecretsManager:
    def get_secret_value(self, **asked: str) -> dict[str, Any]:
        if asked["SecretId"] == "binary":
            return {"SecretBinary": b"x"}
        if asked.get("VersionStage") == "AWSPREVIOUS":
            return {"SecretString": "previous-value"}
        return {"SecretString": '{"token": "s3cr3t-token", "port": 5432}'}


def client(service: str) -> Any:
    return {"ssm": Ssm(), "secretsmanager": SecretsManager()}[service]


def test_values_are_variables_and_are_hidden_in_the_log(tmp_path: Path) -> None:
    text = (
        commands("echo $P $T $N", "'echo \"$L\"'", "echo AKIAIOSFODNN7EXAMPLE")
        + f"""
env:
  parameter-store: {{P: /app/password, L: /app/lines}}
  secrets-manager: {{T: 'app:token', N: '{SECRET}:port', O: 'app::AWSPREVIOUS'}}
"""
    )
    ran = run(tmp_path, text, None, client)
    assert ran.printed[0] == "hunter2-hunter2 s3cr3t-token 5432"
    for value in ("hunter2", "s3cr3t", "first line", "second line", "AKIA"):
        assert value not in ran.log.replace("echo AKIAIOSFODNN7EXAMPLE", "")
    assert "*** *** ***\n" in ran.log


def test_many_parameters_are_asked_ten_at_a_time(tmp_path: Path) -> None:
    names = ", ".join(f"P{n}: /many/{n}" for n in range(25))
    text = commands("echo $P0 $P24") + f"env: {{parameter-store: {{{names}}}}}\n"
    assert run(tmp_path, text, None, client).printed == ["/many/0 /many/24"]


@pytest.mark.parametrize(
    ("env", "code", "message"),
    [
        (
            "parameter-store: {P: /none}",
            "Decrypted Variables Error",
            "parameter does not exist: /none",
        ),
        (
            "parameter-store: {P: /denied}",
            "Decrypted Variables Error",
            "AccessDeniedException: User: arn:aws:sts::1:assumed-role/r/s is not authorized to "
            "perform: x",
        ),
        (
            "secrets-manager: {P: 'app:nokey'}",
            "Secrets Manager Error",
            "the secret app is no JSON object with the key nokey",
        ),
        (
            "secrets-manager: {P: binary}",
            "Secrets Manager Error",
            "the secret binary is binary, and a variable is a text",
        ),
    ],
)
def test_a_value_that_cannot_be_had_fails_download_source(
    tmp_path: Path, env: str, code: str, message: str
) -> None:
    ran = run(tmp_path, commands("echo no") + f"env: {{{env}}}\n", None, client)
    (phase,) = ran.result.phases
    assert (phase.type, phase.status) == ("DOWNLOAD_SOURCE", "FAILED")
    assert (phase.context.status_code, phase.context.message) == (code, message)
    assert ran.result.status == "FAILED"
    assert ran.printed == []
