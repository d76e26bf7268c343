"""The labs' profile gets the learner's own credentials, as botocore would find them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import botocore.session
import pytest

from labs_helpers import own_credentials
from labs_helpers.aws_session import Session, keep
from labs_helpers.workspace import Workspace

CREDENTIALS = """
[plain]
aws_access_key_id = AKIAPLAIN
aws_secret_access_key = a%secret

[temporary]
aws_access_key_id = ASIATEMPORARY
aws_secret_access_key = secret
aws_session_token = token

[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = secret
"""
PROGRAM = (
    f"{sys.executable} -c \"print('"
    '{\\"Version\\": 1, \\"AccessKeyId\\": \\"AKIAPROGRAM\\", \\"SecretAccessKey\\": \\"s\\"}'
    "')\""
)
CONFIG = f"""
[profile plain]
region = eu-central-1

[profile in-config]
aws_access_key_id = AKIACONFIG
aws_secret_access_key = secret

[profile program]
credential_process = {PROGRAM}

[profile nobody]
region = eu-central-1
"""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a session whose learner has these profiles, and keys in the environment."""
    files = {"AWS_SHARED_CREDENTIALS_FILE": CREDENTIALS, "AWS_CONFIG_FILE": CONFIG}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    given = {name: str(tmp_path / name) for name in files}
    made = Session("s", "1" * 12, "eu-central-1", "arn", None, {"HOME": str(tmp_path), **given})
    place = Workspace(tmp_path / "labs").create()
    keep(place, made)
    return place.home / "session.json"


@pytest.mark.parametrize(
    "profile", ["plain", "temporary", "default", "in-config", "program", None], ids=str
)
def test_they_are_those_that_botocore_finds(
    profile: str | None, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = botocore.session.Session(profile=profile).get_credentials()
    wanted = found.get_frozen_credentials()
    assert own_credentials.main([str(session), *([profile] if profile else [])]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["Version"] == 1
    assert (answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("SessionToken")) == (
        wanted.access_key,
        wanted.secret_key,
        wanted.token,
    )


def test_a_profile_that_takes_a_role_is_left_to_botocore(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "AWS_CONFIG_FILE"
    config.write_text("[profile plain]\nrole_arn = arn:aws:iam::111122223333:role/a\n")
    assert own_credentials.main([str(session), "plain"]) == 1
    assert "role" in capsys.readouterr().err


@pytest.mark.parametrize(("profile", "said"), [("nobody", "Log in"), ("absent", "absent")])
def test_without_any_it_says_so(
    profile: str, said: str, session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert own_credentials.main([str(session), profile]) == 1
    assert said in capsys.readouterr().err
