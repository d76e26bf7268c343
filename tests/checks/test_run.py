"""How checks are found, and what is said when one cannot look."""

from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from labs_helpers.checks import CheckError, run
from labs_helpers.curriculum import UnknownPart
from tests.labs.fakes import answer, log_in, world

HERE = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
IRELAND = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


class Refusing:
    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def get_caller_identity(self) -> Any:
        raise self._fault


def refusal(code: str) -> Exception:
    return botocore.exceptions.ClientError(
        {"Error": {"Code": code, "Message": "said AWS"}}, "GetCallerIdentity"
    )


def outcome_of(fault: Exception, folder: Path, address: str | None = None) -> CheckError:
    hosts = (HERE, IRELAND)
    log_in(folder, *hosts)
    accepted = {host: {"/v2/": answer(200)} for host in hosts}
    seen = world(folder, registries=accepted, clients={"sts": Refusing(fault)}, address=address)
    outcome = run("05.1", seen)
    assert isinstance(outcome, CheckError)
    return outcome


@pytest.mark.parametrize("wrong", ["05.9", "5.1", "nonsense", "", "lab05", "05", "../05.1"])
def test_an_unknown_id_lists_what_there_is(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownPart, match="There is no check"):
        run(wrong, world(tmp_path))


def test_the_list_names_the_lab_s_checks(tmp_path: Path) -> None:
    with pytest.raises(UnknownPart, match=r"05\.1, 05\.2"):
        run("05.9", world(tmp_path))


def test_missing_credentials_are_not_the_learner_s_answer(tmp_path: Path) -> None:
    outcome = outcome_of(botocore.exceptions.NoCredentialsError(), tmp_path)
    assert "aws configure" in outcome.suggestion


def test_a_sandbox_that_is_down_is_said(tmp_path: Path) -> None:
    fault = botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1")
    assert 'start("05")' in outcome_of(fault, tmp_path).suggestion


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (None, "AWS, over the network"),
        ("http://127.0.0.1:4566", "the sandbox, at http://127.0.0.1:4566"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        botocore.exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"),
        ConnectionRefusedError(111, "Connection refused"),
    ],
)
def test_what_did_not_answer_is_named(
    fault: Exception, address: str | None, says: str, tmp_path: Path
) -> None:
    assert outcome_of(fault, tmp_path, address).looked_at == says


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    fault = PermissionError(13, "Permission denied", "buildspec.yml")
    assert outcome_of(fault, tmp_path).looked_at == "the file buildspec.yml"


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "UnrecognizedClientException"])
def test_a_wrong_key_is_said(code: str, tmp_path: Path) -> None:
    outcome = outcome_of(refusal(code), tmp_path)
    assert outcome.found == f"{code}: said AWS"
    assert "labs configure" in outcome.suggestion


def test_a_denied_look_is_said(tmp_path: Path) -> None:
    assert "permission" in outcome_of(refusal("AccessDeniedException"), tmp_path).suggestion


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": 3}', '{"auths": {"h": {"auth": "%%%"}}}'])
def test_a_broken_docker_config_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)

    outcome = run("05.1", world(tmp_path))

    assert isinstance(outcome, CheckError)
    assert "delete it and log in again" in outcome.suggestion
