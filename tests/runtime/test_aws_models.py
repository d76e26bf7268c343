"""botocore's descriptions, shared: the same operations and shapes, in one object a process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SERVICES = ("ecr", "eks", "s3", "dynamodb")
LOADED = """
import json, sys
from botocore.loaders import Loader
from labs_helpers.runtime import aws_models
if sys.argv[1] != "own":
    aws_models.share(documentation=sys.argv[1] == "with")
kinds = ("service-2", "paginators-1", "endpoint-rule-set-1")
found = {f"{name} {kind}": Loader().load_service_model(name, kind)
         for name in sys.argv[2:] for kind in kinds}
again = {f"{name} {kind}": Loader().load_service_model(name, kind)
         for name in sys.argv[2:] for kind in kinds}
same = [name for name in found if found[name] is again[name]]
print(json.dumps([found, same]))
"""


def loaded(how: str) -> tuple[dict[str, Any], list[str]]:
    """(what a process has of the services, what of it two loaders share)."""
    command = [sys.executable, "-c", LOADED, how, *SERVICES]
    ran = subprocess.run(command, check=True, capture_output=True, timeout=120)
    found, same = json.loads(ran.stdout)
    return found, same


def without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "" if name == "documentation" and isinstance(one, str) else without_texts(one)
            for name, one in value.items()
        }
    return [without_texts(one) for one in value] if isinstance(value, list) else value


def test_sessions_share_what_botocore_reads_and_it_is_the_same() -> None:
    own, shared_before = loaded("own")
    kept, shared = loaded("with")
    assert kept == own
    assert (shared_before, len(shared)) == ([], 2 * len(SERVICES))


def test_a_server_keeps_no_texts_and_all_else() -> None:
    own, _ = loaded("own")
    kept, _ = loaded("without")
    texts = {name: one for name, one in own.items() if "paginators" not in name}
    assert {name: kept[name] for name in texts} == {
        name: without_texts(one) for name, one in texts.items()
    }


CLIENTS = """
import sys
from botocore.session import Session
from labs_helpers.runtime import aws_models
aws_models.share(documentation=False)
session = Session()
for name in sys.argv[1:]:
    session.create_client(name, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    print(name)
"""


def test_clients_are_made_without_texts() -> None:
    """s3 and a few others have parameters of clients, whose texts botocore reads."""
    names = (*SERVICES, "s3control", "sts", "kms", "events", "codecommit")
    ran = subprocess.run(
        [sys.executable, "-c", CLIENTS, *names],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout.split() == [*names], ran.stderr
