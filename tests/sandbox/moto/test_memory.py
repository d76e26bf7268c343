"""What moto is given in the place of data that it would keep."""

from __future__ import annotations

import subprocess
import sys

REGIONS = """
import sys, boto3
from labs_helpers.runtime import aws_models
from labs_helpers.sandbox.moto import memory
own = boto3.Session()
aws_models.share(documentation=False)
memory.install()
ours = boto3.Session()
assert type(ours) is not type(own)
assert ours.get_available_partitions() == own.get_available_partitions()
for service in (*sys.argv[1:], "no-such-service"):
    for partition in (*own.get_available_partitions(), "no-such-partition"):
        for elsewhere in (False, True):
            asked = (service, partition, elsewhere)
            wanted = own.get_available_regions(*asked)
            assert ours.get_available_regions(*asked) == wanted, asked
"""


def test_regions_and_partitions_are_botocores() -> None:
    """Names of services which differ from those of their endpoints, and global services, too."""
    services = ("ec2", "iam", "sts", "s3", "cloudwatch", "elbv2", "ecr", "organizations", "ssm")
    ran = subprocess.run(
        [sys.executable, "-c", REGIONS, *services], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
