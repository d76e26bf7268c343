"""No state of the world breaks `start`: things of one's own in the way, and labs left half-way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise, permutations
from pathlib import Path

import nbformat
import pytest

from labs_helpers import workbook
from labs_helpers.curriculum import LABS
from labs_helpers.defaults import FRESH_START
from labs_helpers.labs.exercises import exercises
from labs_helpers.prepare import steps
from labs_helpers.workspace import Workspace
from tests.kernels import Kernel, kernel_in
from tests.labs.commands import Commands, shared

PROJECT = Path(__file__).parents[1]


def every(*quick: str) -> pytest.MarkDecorator:
    """All labs, of which `make test` tries the ``quick`` ones and `make soak` all."""
    soak = [pytest.mark.soak]
    labs = [pytest.param(one, marks=[] if one in quick else soak) for one in LABS]
    return pytest.mark.parametrize("number", labs)


# what a learner has in the account, under names of the labs where they are the labs' to make
OWN_THINGS = """
set -e
aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY 2> /dev/null
printf 'FROM demo-app:latest\\nLABEL mine=1\\n' | docker build -q -t mine:1 -
docker tag demo-app:latest mine:base
docker tag mine:1 $REGISTRY/demo-app-repo:mine
docker push -q $REGISTRY/demo-app-repo:mine
aws ecr create-repository --repository-name mine/app
docker tag mine:1 $REGISTRY/mine/app:1
docker push -q $REGISTRY/mine/app:1
for name in payments/api team-a/api mirror/nginx hello-labs myapp; do
  aws ecr describe-repositories --repository-names $name ||
    aws ecr create-repository --repository-name $name
  docker tag mine:1 $REGISTRY/$name:mine
  docker push -q $REGISTRY/$name:mine
done
deny='{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action":
  ["ecr:DeleteRepository", "ecr:BatchDeleteImage", "ecr:PutImage", "ecr:DescribeImages"]}]}'
aws ecr set-repository-policy --repository-name demo-app-repo --policy-text "$deny"
aws ecr put-image-tag-mutability --repository-name payments/api --image-tag-mutability IMMUTABLE

trust='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
  "Principal": {"Service": "ec2.amazonaws.com"}}]}'
allow='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*",
  "Resource": "*"}]}'
aws iam create-user --user-name mine
aws iam create-group --group-name mine
policy=arn:aws:iam::$ACCOUNT:policy/labs-push-demo-app
aws iam create-policy --policy-name labs-push-demo-app --policy-document "$allow"
aws iam create-policy-version --policy-arn $policy --policy-document "$allow" --set-as-default
aws iam create-role --role-name mine --assume-role-policy-document "$trust" \\
  --permissions-boundary $policy
aws iam attach-role-policy --role-name mine --policy-arn $policy
for user in labs-dev labs-ci labs-intern; do
  aws iam get-user --user-name $user || aws iam create-user --user-name $user
  aws iam add-user-to-group --group-name mine --user-name $user
  aws iam put-user-policy --user-name $user --policy-name mine --policy-document "$allow"
  aws iam attach-user-policy --user-name $user --policy-arn $policy
  aws iam put-user-permissions-boundary --user-name $user --permissions-boundary $policy
  aws iam create-access-key --user-name $user
  aws iam create-login-profile --user-name $user --password 'Correct-horse-1!'
  aws iam tag-user --user-name $user --tags Key=mine,Value=1
done
for group in labs-pushers labs-readers; do
  aws iam create-group --group-name $group
  aws iam add-user-to-group --group-name $group --user-name mine
  aws iam attach-group-policy --group-name $group --policy-arn $policy
  aws iam put-group-policy --group-name $group --policy-name mine --policy-document "$allow"
done
for role in labs-deployer demo-app-build demo-app-pipeline demo-app-github demo-app-execution; do
  aws iam create-role --role-name $role --assume-role-policy-document "$trust"
  aws iam attach-role-policy --role-name $role --policy-arn $policy
  aws iam put-role-policy --role-name $role --policy-name mine --policy-document "$allow"
  aws iam create-instance-profile --instance-profile-name $role
  aws iam add-role-to-instance-profile --instance-profile-name $role --role-name $role
done
for bucket in labs-cli-$ACCOUNT labs-archive-$ACCOUNT; do
  aws s3 mb s3://$bucket || aws s3 ls s3://$bucket
  aws s3api put-bucket-versioning --bucket $bucket --versioning-configuration Status=Enabled
  for text in one two; do echo $text | aws s3 cp - s3://$bucket/notes.txt; done
  aws s3 rm s3://$bucket/notes.txt
done
echo mine > notes.txt
mkdir -p site/drafts releases.d
"""


class Learner:
    """A learner's kernel, and quick commands for what the learner types."""

    def __init__(self, kernel: Kernel, commands: Commands) -> None:
        self.kernel = kernel
        self._path = commands.folder

    def start(self, number: str, fresh: bool = False) -> str:
        """The card of a start. Fails when the start does."""
        again = ", fresh=True" if fresh else ""
        asked = f'from labs_helpers import start; lab = start("{number}"{again})'
        shown = "\n".join(self.kernel.run(asked))
        assert shown.startswith(f"SANDBOX · lab {number}"), shown
        return shown

    def shell(self, script: str) -> str:
        """What a script says that must succeed."""
        said = "\n".join(self.kernel.run(f"%%bash\nexport PATH={self._path}:$PATH\n{script}"))
        assert "The cell ended" not in said, said[-3000:]
        return said


@contextmanager
def learner() -> Iterator[Learner]:
    """A new learner, with the clock and the docker of the outputs."""
    workspace = Workspace(PROJECT / ".labs", PROJECT)
    with workbook.fresh(None, workspace, **workbook.AS_COMMITTED) as given:
        environ = {name: given[name] for name in given if name not in FRESH_START}
        home = Path(environ["LABS_HOME"])
        with kernel_in(home, environ) as kernel:
            yield Learner(kernel, shared())


@every("05")
def test_a_lab_starts_and_starts_over_among_the_learner_s_own_things(number: str) -> None:
    with learner() as mine:
        mine.start("05")
        mine.shell(OWN_THINGS)
        mine.start(number)
        mine.start(number, fresh=True)
        kept = mine.shell(
            "docker image inspect mine:1 mine:base --format '{{.RepoTags}}'\n"
            "aws ecr list-images --repository-name mine/app --query 'length(imageIds)'\n"
            "aws iam get-user --user-name mine --query User.UserName --output text"
        )
        assert "mine:1" in kept, kept
        assert "mine:base" in kept, kept
        assert kept.split()[-2:] == ["1", "mine"], kept


@every("00")
def test_a_lab_left_after_any_cell_goes_on(number: str) -> None:
    notebook = PROJECT / "notebooks" / LABS[number].notebook
    solutions = {one.cell: one.solution for one in exercises(notebook).values()}
    cells = [one for one in nbformat.read(notebook, as_version=4).cells if one.cell_type == "code"]
    with learner() as mine:
        mine.start(number)
        for cell in cells[1:]:
            mine.kernel.run(solutions.get(cell.id, cell.source))
            assert "begun earlier" in mine.start(number), cell.id


INTERRUPTED = """
from dataclasses import replace
from labs_helpers.prepare import beginning, steps as steps_of
kept = steps_of("{number}", "sandbox")
def stopped(place):
    raise KeyboardInterrupt
beginning.steps = lambda *_: (
    *kept[:{at}], replace(kept[{at}], ensure=stopped), *kept[{at} + 1 :]
)
lab.restart()
"""


@every("05")
def test_a_preparation_stopped_at_any_step_is_made_again(number: str) -> None:
    with learner() as mine:
        mine.start(number)
        for at in range(len(steps(number, "sandbox"))):
            said = "\n".join(mine.kernel.run(INTERRUPTED.format(number=number, at=at)))
            assert "Interrupted. Run the cell again to go on." in said, said
            mine.kernel.run("beginning.steps = steps_of")
            assert "stopped half-way, at: " in mine.start(number)
            assert "begun earlier" in mine.start(number)


def walk(labs: Sequence[str]) -> list[str]:
    """An order in which each lab comes once after each other one."""
    pairs = ((one, other) for n, one in enumerate(labs) for other in labs[n + 1 :])
    return [lab for pair in pairs for lab in pair] + [labs[0]]


def test_the_walk_has_every_pair_once_in_both_orders() -> None:
    walked = walk(list(LABS))
    assert sorted(pairwise(walked)) == sorted(permutations(LABS, 2))


@pytest.mark.soak
def test_any_lab_starts_after_any_other() -> None:
    with learner() as mine:
        for number in walk(list(LABS)):
            mine.start(number, fresh=True)
