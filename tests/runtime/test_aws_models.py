"""botocore's descriptions, shared: the same operations and shapes, in one object a process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

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


@pytest.mark.parametrize("how", ["with", "without"])
def test_sessions_share_what_botocore_reads_and_it_is_the_same_but_for_texts(how: str) -> None:
    own, shared_before = loaded("own")
    kept, shared = loaded(how)
    texts = {name: one for name, one in own.items() if "paginators" not in name}
    assert {name: kept[name] for name in texts} == {
        name: without_texts(one) for name, one in texts.items()
    }
    assert (shared_before, len(shared)) == ([], 2 * len(SERVICES))


HELP = """
import json, sys
import boto3
from labs_helpers.runtime import aws_models
if sys.argv[1] == "labs":
    aws_models.share(documentation=True)
session = boto3.Session("a", "b", region_name="us-west-2")
ecr, s3 = session.client("ecr"), session.resource("s3")
asked = [ecr.describe_images, ecr.get_paginator("list_images").paginate,
         ecr.get_waiter("image_scan_complete").wait, s3.create_bucket, s3.buckets.filter]
print(json.dumps([str(each.__doc__) for each in asked]))
"""


def test_help_has_botocores_texts() -> None:
    of_botocore, of_the_labs = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", HELP, who], check=True, capture_output=True, timeout=120
            ).stdout
        )
        for who in ("botocore", "labs")
    )
    assert of_the_labs == of_botocore
    assert "Returns metadata about the images in a repository" in of_the_labs[0]


REGIONS = """
import json, sys
import boto3
from labs_helpers.runtime import aws_models
if sys.argv[1] == "labs":
    aws_models.share(documentation=True)
session = boto3.Session("a", "b", region_name="us-west-2")
names = ("ecr", "iam", "s3", "ecr-public", "nonesuch")
found = [{part: session.get_available_regions(name, part)
          for part in session.get_available_partitions()} for name in names]
clients = [session.client(name, region) for name in ("ecr", "iam", "s3")
           for region in ("us-west-2", "cn-north-1", "eu-central-1")]
print(json.dumps([found, [(one.meta.endpoint_url, one.meta.region_name) for one in clients]]))
"""


def test_regions_and_endpoints_are_botocores() -> None:
    of_botocore, of_the_labs = (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", REGIONS, who], check=True, capture_output=True, timeout=120
            ).stdout
        )
        for who in ("botocore", "labs")
    )
    assert of_the_labs == of_botocore


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


CHECKED = """
from botocore.loaders import Loader
from labs_helpers.checks import world
from labs_helpers.runtime import aws_models
aws_models.share(documentation=True)
own = world.session()._session.get_component("data_loader")
wanted = ("ecr", "service-2")
print(own.load_service_model(*wanted) is Loader().load_service_model(*wanted))
"""


def test_checks_share_the_descriptions_of_the_kernel() -> None:
    """A kernel imports the checks before its first cell says that descriptions are shared."""
    ran = subprocess.run(
        [sys.executable, "-c", CHECKED], check=True, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout == "True\n"


CHANGED = """
import sys
import botocore.session
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from labs_helpers.runtime import aws_models
aws_models.share(documentation=False)
from labs_helpers.sandbox.authorization import models

settings = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
session = botocore.session.Session()
for _ in range(2):
    s3 = session.create_client("s3", "us-west-2", endpoint_url="http://127.0.0.1:1",
                               config=settings, **keys)
    for _ in range(2):
        try:
            s3.get_bucket_versioning(Bucket="b")
        except EndpointConnectionError as error:
            print(str(error))
print(models.match("s3", "GET", "/b", {"versioning": ""}, {}))
"""


def test_a_client_of_s3_that_has_called_leaves_the_places_of_operations_to_others() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CHANGED], check=True, capture_output=True, text=True, timeout=120
    )
    *called, route = ran.stdout.splitlines()
    assert [one.rpartition(" ")[2] for one in called] == ['"http://127.0.0.1:1/b?versioning"'] * 4
    assert route == "('GetBucketVersioning', {'Bucket': 'b'})"
