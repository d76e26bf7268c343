"""A fresh sandbox decides the learner's calls of ECR without moto, and registers nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from labs_helpers.sandbox.iam import credentials
from labs_helpers.sandbox.iam import people
from labs_helpers.sandbox.authorization import context
from labs_helpers.sandbox.authorization.authorizer import Authorizer
from labs_helpers.sandbox.authorization.decisions import Decisions
from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from labs_helpers.sandbox.moto.resources import MotoResources
from labs_helpers.sandbox.moto.records import open_records

folder = Path(sys.argv[1])
clock, learner = Clock(), credentials.learner(folder / "learner.json")
who = people.build(folder / "identity", open_records(folder / "identity", learner), clock)
store = Store(folder / "ecr", clock)
authorizer = Authorizer(who.directory, store, clock, Decisions(), MotoResources())
keys = context.of_request({"REMOTE_ADDR": "127.0.0.1"}, "us-west-2")
arn = "arn:aws:ecr:us-west-2:123456789012:repository/demo"
authorizer.authorize(learner.principal, "ecr:PutImage", arn, keys)
names = {name.split(".")[0] for name in sys.modules}
print(sorted(names & {"moto", "flask", "boto3"}), authorizer.decisions.last())
"""


def test_nothing_of_moto_is_loaded_to_decide_for_the_learner(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[] None\n"
