"""A lab that was begun stays as the learner left it; starting over is asked for, and tells."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labs_helpers import workbook
from labs_helpers.defaults import FRESH_START
from labs_helpers.workspace import Workspace
from tests.labs.commands import Commands

PROJECT = Path(__file__).parents[1]

# everything in the world that a start could take away, as one JSON line
WORLD = """
import hashlib, json, os
from pathlib import Path
import boto3, docker
from labs_helpers.workspace import Workspace

def images(ecr, name):
    found = ecr.describe_images(repositoryName=name)["imageDetails"]
    return sorted((one["imageDigest"], sorted(one.get("imageTags", []))) for one in found)

def world():
    home = Workspace.find().home
    key = json.loads((home / "sandbox" / "learner.json").read_text())
    session = boto3.Session(key["access_key_id"], key["secret_access_key"], region_name="us-west-2")
    ecr, iam, s3 = session.client("ecr"), session.client("iam"), session.client("s3")
    files = [home / "docker" / "config.json", *sorted((home / "aws").iterdir())]
    files += sorted(one for one in (home / "work").rglob("*") if one.is_file())
    repositories = ecr.describe_repositories()["repositories"]
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    return {
        "repositories": {
            one["repositoryName"]: [one["imageTagMutability"], images(ecr, one["repositoryName"])]
            for one in repositories
        },
        "users": sorted(one["UserName"] for one in iam.list_users()["Users"]),
        "roles": sorted(one["RoleName"] for one in iam.list_roles()["Roles"]),
        "buckets": {
            name: [file["Key"] for file in s3.list_objects_v2(Bucket=name)["Contents"]]
            for name in buckets
        },
        "local": {tag: one.id for one in docker.from_env().images.list() for tag in one.tags},
        "files": {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in files},
    }
"""

# what a learner makes in labs 01 and 05, and things of their own beside
WORK = """
import io, subprocess
import boto3
def sh(line):
    subprocess.run(["bash", "-ceu", line], check=True, stdout=subprocess.DEVNULL)

def work():
    sh("aws configure set region us-west-2")
    sh("aws configure set region eu-west-1 --profile workshop")
    sh("aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY")
    sh("docker push -q $REGISTRY/demo-app-repo:latest")
    ecr, iam, s3 = (boto3.client(name) for name in ("ecr", "iam", "s3"))
    ecr.put_image_tag_mutability(repositoryName="demo-app-repo", imageTagMutability="IMMUTABLE")
    ecr.create_repository(repositoryName="hello-labs")
    iam.create_user(UserName="labs-ci")
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="labs-cli-123456789012", CreateBucketConfiguration=where)
    s3.put_object(Bucket="labs-cli-123456789012", Key="note.txt", Body=b"a note")
    sh("printf 'FROM demo-app:latest\\nLABEL mine=1\\n' | docker build -q -t mine:1 -")
"""


@dataclass
class Learner:
    """Sandbox and engine of a learner, each script a kernel of its own."""

    environ: dict[str, str]
    python: Path

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-c", WORLD + WORK + textwrap.dedent(script)],
            env=self.environ,
            cwd=self.environ["LABS_HOME"],
            text=True,
            capture_output=True,
            check=False,
        )

    def kernel(self, script: str) -> str:
        """What a kernel prints that runs this script without an error."""
        ran = self.run(f"from labs_helpers import start\n{textwrap.dedent(script)}")
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def world(self) -> Any:
        return json.loads(self.kernel("print(json.dumps(world()))"))

    @property
    def record(self) -> Path:
        return Workspace(Path(self.environ["LABS_HOME"])).begun


@pytest.fixture
def learner(commands: Commands) -> Iterator[Learner]:
    workspace = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, workspace, **workbook.AS_COMMITTED) as environ:
        own = {name: environ[name] for name in environ if name not in FRESH_START}
        yield Learner(commands.for_bash(own), commands.folder / "python")


BEGUN = "ready     begun earlier: nothing that you made was changed. To start over: lab.restart()"


def test_the_first_cell_run_again_changes_nothing(learner: Learner) -> None:
    said = learner.kernel(
        """
        start("05")
        work()
        before = world()
        lab = start("05")
        assert world() == before, (before, world())
        lab.check("05.1")
        """
    )
    first, second = said.split("SANDBOX")[1:]
    assert "repository demo-app-repo exists, empty" in first
    assert "removed" not in said
    assert second.rstrip().endswith(BEGUN)
    assert "so far    05.1 not tried yet, 05.2 not tried yet" in second
    for row in ("account   123456789012", "region    us-west-2", "registry  1234", "engine    the"):
        assert row in second


def test_a_new_kernel_gets_the_lab_back_and_changes_nothing(learner: Learner) -> None:
    learner.kernel('start("05"); work()')
    before = learner.world()
    said = learner.kernel('lab = start("05"); lab.hint("05.1"); lab.check("05.1")')
    assert said.rstrip().endswith(BEGUN)
    assert learner.world() == before


def test_a_new_kernel_has_the_key_that_lab_01_types_in(learner: Learner) -> None:
    learner.kernel('start("01"); sh("aws configure set region us-west-2")')
    learner.kernel('start("01"); sh(\'test -n "$LABS_SECRET_ACCESS_KEY"\')')
    assert "us-west-2" in Path(learner.environ["AWS_CONFIG_FILE"]).read_text()


OF_WORK = "of repository demo-app-repo: 1 image (latest) and the settings you gave it"
"""What `work` put into the repository, as a card names it."""


def test_restart_makes_the_beginning_and_says_what_it_removed(learner: Learner) -> None:
    said = learner.kernel(
        """
        lab = start("05")
        work()
        shown = lab.restart()
        print(shown)
        assert "lab.restart" not in shown.html
        """
    )
    card = said.rpartition("SANDBOX")[2]
    assert "repository demo-app-repo exists, empty" in card
    assert "removed   to make this beginning:" in card
    assert OF_WORK in card
    assert "Docker's login to 123456789012.dkr.ecr.us-west-2.amazonaws.com" in card
    after = learner.world()
    assert after["repositories"]["demo-app-repo"] == ["MUTABLE", []]
    # what the lab's beginning does not need out of the way
    assert {"mine:1", "demo-app:latest"} <= set(after["local"])
    assert after["buckets"] == {"labs-cli-123456789012": ["note.txt"]}
    assert "hello-labs" in after["repositories"]


def test_fresh_is_restart_in_the_first_cell(learner: Learner) -> None:
    said = learner.kernel('start("05"); work(); start("05", fresh=True)')
    assert OF_WORK in said
    assert learner.world()["repositories"]["demo-app-repo"] == ["MUTABLE", []]


def test_a_program_that_runs_notebooks_gets_the_beginning_without_the_list(
    learner: Learner,
) -> None:
    learner.kernel('start("05"); work()')
    learner.environ |= FRESH_START
    assert "removed" not in learner.kernel('start("05")')
    assert learner.world()["repositories"]["demo-app-repo"] == ["MUTABLE", []]


def test_the_first_start_of_another_lab_names_what_it_removes(learner: Learner) -> None:
    learner.kernel('start("05"); work()')
    cli = learner.kernel('start("01")')
    assert "profile default of the AWS CLI, as it was" in cli
    assert "profile workshop of the AWS CLI, as it was" in cli
    assert "bucket labs-cli-123456789012 with 1 file" in cli
    assert "user labs-ci" in learner.kernel('start("02")')
    assert "of repository demo-app-repo" not in learner.kernel('start("03")')
    assert "repository demo-app-repo" in learner.kernel('start("04")').partition("removed")[2]
    assert "repository hello-labs" in learner.kernel('start("00")').partition("removed")[2]


def test_a_begun_lab_says_what_other_labs_have_removed_since(learner: Learner) -> None:
    learner.kernel('start("05"); work()')
    learner.kernel('start("04")')
    card = learner.kernel('start("05")')
    assert "begun earlier" in card
    assert "lab.bring_back() makes it so again, and changes nothing else:" in card
    assert "repository demo-app-repo exists, empty" in card
    assert "lab 04 removed " in card
    assert (
        "lab 04"
        not in learner.kernel('lab = start("05"); print(lab.restart())').rpartition("SANDBOX")[2]
    )
    assert "lab 04" not in learner.kernel('start("05")')


def test_files_that_were_changed_are_named(learner: Learner) -> None:
    said = learner.kernel(
        """
        work = Workspace.find().work("06")
        work.mkdir(parents=True)
        (work / "Dockerfile").write_text("FROM scratch")
        (work / "notes.txt").write_text("mine")
        start("06")
        """
    )
    assert "your changes to the file Dockerfile" in said
    assert "the file notes.txt" in said


@pytest.mark.parametrize("number", ["06", "07"])
def test_an_image_built_on_a_lab_s_image_stays_and_stops_no_lab(
    number: str, learner: Learner
) -> None:
    learner.kernel('start("05"); work()')
    mine = learner.world()["local"]["mine:1"]
    said = learner.kernel(f'start("{number}")')
    assert "image demo-app:latest" in said
    assert learner.world()["local"]["mine:1"] == mine
    learner.kernel('sh("docker history -q mine:1; docker tag mine:1 mine:2")')


def test_an_image_pulled_by_its_digest_loses_that_name_and_keeps_the_learner_s(
    learner: Learner,
) -> None:
    learner.kernel(
        """
        start("05")
        work()
        repository = "$REGISTRY/demo-app-repo"
        digest = world()["repositories"]["demo-app-repo"][1][0][0]
        sh(f"docker rmi {repository}:latest; docker pull -q {repository}@{digest}")
        sh(f"docker tag demo-app:latest mine:2; docker rmi demo-app:latest")
        """
    )
    assert "image 123456789012.dkr.ecr.us-west-2.amazonaws.com/demo-app-repo@sha256:" in (
        learner.kernel('start("06")')
    )
    left = """
        for image in docker.from_env().images.list():
            if "mine:2" in image.tags:
                print(image.tags, image.attrs["RepoDigests"])
    """
    assert learner.kernel(left) == "['mine:2'] []\n"


FAILING = """
from labs_helpers.labs.lab05 import prepare as lab05
from labs_helpers.prepare import Step
from labs_helpers.files import LabsError
def fail(place):
    raise LabsError("The disk is full.")
kept, lab05.STEPS = lab05.STEPS, (*lab05.STEPS[:2], Step("a thing is there", fail))
"""


def test_a_preparation_that_fails_says_so_and_the_next_start_makes_it_again(
    learner: Learner,
) -> None:
    learner.kernel('start("04"); sh("aws ecr create-repository --repository-name demo-app-repo'
                   ' --tags Key=a,Value=b")')  # fmt: skip
    failed = learner.run(f'from labs_helpers import start\n{FAILING}\nstart("05")')
    assert failed.returncode == 1
    said = failed.stderr.partition("LabError: ")[2]
    assert said.startswith("Lab 05 is not ready. This step failed: a thing is there\n")
    assert "The disk is full." in said
    assert "of repository demo-app-repo: the settings you gave it" in said

    learner.kernel('sh("aws ecr create-repository --repository-name hello-labs")')
    again = learner.kernel('start("05")')
    assert "image demo-app:latest is built" in again
    assert "of repository demo-app-repo: the settings you gave it" in again
    assert "stopped half-way, at: a thing is there (The disk is full.)" in again
    assert "hello-labs" in learner.world()["repositories"]
    assert learner.kernel('start("05")').rstrip().endswith(BEGUN)


def test_an_interrupted_restart_is_made_again_at_the_next_start(learner: Learner) -> None:
    learner.kernel('start("05")')
    stopped = learner.run(
        'from labs_helpers import start\nlab = start("05")\n'
        + FAILING.replace('LabsError("The disk is full.")', "KeyboardInterrupt")
        + "\nlab.restart()"
    )
    assert stopped.returncode != 0
    assert "Nothing had been removed until then." in stopped.stderr
    again = learner.kernel('start("05")')
    assert "stopped half-way, at: a thing is there (KeyboardInterrupt)" in again
    assert "repository demo-app-repo exists, empty" in again


@pytest.mark.parametrize("damage", [None, b"half of"])
def test_a_lost_record_costs_nothing_and_is_said(damage: bytes | None, learner: Learner) -> None:
    learner.kernel('start("02"); start("05"); work()')
    before = learner.world()
    if damage is None:
        learner.record.unlink()
    else:
        learner.record.write_bytes(damage)
    ran = learner.run('from labs_helpers import start\nstart("05")')
    assert ran.returncode == 0, ran.stderr
    assert BEGUN in ran.stdout
    assert "note      the record of begun labs was missing or damaged" in ran.stdout
    assert BEGUN in learner.kernel('start("02")')
    assert learner.world() == before
    aside = [one.read_bytes() for one in learner.record.parent.glob("begun.json.broken-*")]
    assert aside == ([] if damage is None else [damage])
    assert ("begun.json is damaged. It is kept as" in ran.stderr) is (damage is not None)
    # a lab that was not begun has a beginning to make, and the way out is restart
    assert "repository hello-labs does not exist" in learner.kernel('start("00")')
    said = learner.kernel('start("05").restart(); start("05")')
    assert said.rstrip().endswith(BEGUN)


def test_reset_forgets_which_labs_were_begun(learner: Learner) -> None:
    learner.kernel('start("05"); work()')
    reset = [sys.executable, "-m", "labs_helpers.cli", "reset", "-y"]
    subprocess.run(reset, env=learner.environ, check=True, capture_output=True)
    said = learner.kernel('start("05")')
    assert "image demo-app:latest is built" in said
    assert "removed" not in said


def test_an_unknown_way_to_start_is_refused(learner: Learner) -> None:
    learner.environ["LABS_START"] = "new"
    ran = learner.run('from labs_helpers import start\nstart("05")')
    assert "LabError: LABS_START is 'new'. It can be 'fresh', or not set." in ran.stderr
