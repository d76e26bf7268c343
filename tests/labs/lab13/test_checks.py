"""Lab 13: what its checks say of answers that people give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from labs_helpers.labs.delivery import deployed
from labs_helpers.labs.exercises import exercises
from labs_helpers.labs.lab13 import taken_back
from tests.labs.desk import PROJECT, Desk, desk, rows

GO = "aws codepipeline start-pipeline-execution --name demo-app"
WATCHED = ("12", "13")
"""A commit is watched, and its release approved."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    """The lab's beginning, with a pipeline that looks at no commit, and the ticket in git."""
    with desk("13") as made:
        client = made.place.client("codepipeline")
        pipeline = client.get_pipeline(name="demo-app")["pipeline"]
        pipeline["stages"][0]["actions"][0]["configuration"]["DetectChanges"] = "false"
        client.update_pipeline(pipeline=pipeline)
        made.done("git tag begin; sh ticket.sh; git tag welcome; git reset -q --hard begin")
        made.done(BOTH)
        yield made


def test_the_lab_begins_with_what_lab_09_ends_with() -> None:
    solution = exercises(PROJECT / "notebooks" / "09-ci-cd.ipynb")["09.1"].solution
    repaired = solution.partition("<<'END'\n")[2].partition("END\n")[0]
    assert (PROJECT / "notebooks/files/13/buildspec.yml").read_text() == repaired


def test_before_the_first_call_nothing_is_tried(lab: Desk) -> None:
    assert lab.after("13.1", "").startswith("not tried")
    assert lab.after("13.2", "").startswith("not tried")


# the release taken back

STABLE = "aws ecs wait services-stable --cluster demo --services web"

_ONE_TASK = f"aws ecs update-service --cluster demo --service web --desired-count 1; {STABLE}"


def named(definition: str) -> str:
    """The shell that lets the service run a task definition."""
    return (
        "aws ecs update-service --cluster demo --service web --desired-count 1 "
        f"--task-definition {definition}; {STABLE}"
    )


def registered(image: str) -> str:
    """The shell that registers an image as a new task definition, and lets the service run it."""
    return f"""
role=$(aws iam get-role --role-name demo-app-execution --query Role.Arn --output text)
new=$(aws ecs register-task-definition --family demo-app-web --network-mode awsvpc --cpu 256 \\
 --memory 512 --requires-compatibilities FARGATE --execution-role-arn $role \\
 --container-definitions '[{{"name": "web", "image": "'{image}'", "portMappings":
 [{{"containerPort": 80}}]}}]' --query taskDefinition.taskDefinitionArn --output text)
{named("$new")}
"""


BATCH = "aws ecr batch-get-image --repository-name demo-app-repo --output text --query images[0]"
TAGGED = "imageTag=$(git rev-parse --short=7 HEAD)"


IMAGE = "taskDefinition.containerDefinitions[0].image"
BACK_RIGHT = {
    "by name": named("demo-app-web:$(sed 's/.*://' before.txt)"),
    "redeployed by digest, as a new task definition": registered(
        "$(aws ecs describe-task-definition --task-definition $(cat before.txt) "
        f"--query {IMAGE} --output text)"
    ),
    "from Python": """python - <<'END'
import boto3
ecs = boto3.client("ecs")
ecs.update_service(cluster="demo", service="web", taskDefinition=open("before.txt").read().strip())
ecs.get_waiter("services_stable").wait(
    cluster="demo", services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
END""",
}
REVERT = "git revert --no-edit HEAD"
TWO_MORE = """git commit -q --allow-empty -m 'Fewer backslashes'
git commit -q --allow-empty -m 'Revert "Fewer backslashes"'"""
FIRST = 'your first commit after the bad one | Revert "Give everything away" | commit nothing'
SERVES = "the service web runs the image that it ran before"
LATER = "passed: The release from before ran again, and your commits have come after that"
BACK_WRONG = {
    "the bad release deployed again": (
        "aws ecs update-service --cluster demo --service web --force-new-deployment; " + STABLE,
        "a task of the bad release still runs | the service web runs the image",
    ),
    "the bad release once more, by its number": (
        named("$(cat bad.txt)"),
        "a task of the bad release still runs | the service web runs the image",
    ),
    "an older release": (
        named("$(cat first.txt)"),
        "the image with the tag 1.0.0 | the service web runs the image that it ran before",
    ),
    "a commit that takes it back": (REVERT, FIRST),
    "another commit": (
        "git commit -q --allow-empty -m Again",
        "your first commit after the bad one | Again | commit nothing | take your commit back",
    ),
    "built anew from the files of before": (
        "git show HEAD^:index.html > index.html\n"
        "aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY\n"
        "docker build -q -t $REGISTRY/demo-app-repo:again --label by=hand .\n"
        "docker push -q $REGISTRY/demo-app-repo:again\n"
        f"{registered('$REGISTRY/demo-app-repo:again')}",
        "the image with the tag again | the service web runs the image that it ran before",
    ),
    "no task at all": (
        f"aws ecs update-service --cluster demo --service web --desired-count 0; {STABLE}",
        "and no task runs | the service web runs the image that it ran before",
    ),
    "an older image under a new name": (
        registered("$REGISTRY/demo-app-repo:1.0.0"),
        "the image with the tag 1.0.0 | the service web runs the image that it ran before",
    ),
    "the bad image deleted": (
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids "
        "imageDigest=$(cat digest.txt)",
        "no longer there | delete nothing",
    ),
    "the bad task definition deregistered": (
        "aws ecs deregister-task-definition --task-definition $(cat bad.txt)",
        "it is deregistered | delete nothing",
    ),
}
"""The last row cannot be undone, so the table is the last of this file."""


@pytest.fixture(scope="module")
def bad(lab: Desk) -> None:
    """The bad release of the lesson runs; files name its digest and three task definitions."""
    lab.cells("11")
    lab.done(GO)
    lab.cells(*WATCHED)
    ecs = lab.place.client("ecs")
    arns = ecs.list_task_definitions(familyPrefix="demo-app-web", sort="DESC")["taskDefinitionArns"]
    for name, arn in (("bad", arns[0]), ("before", arns[1]), ("first", arns[-1])):
        lab.done(f"echo {arn} > {name}.txt")
    lab.done(
        f"{BATCH}.imageManifest --image-ids {TAGGED} > manifest.txt\n"
        f"{BATCH}.imageId.imageDigest --image-ids {TAGGED} > digest.txt\n"
        "git tag bad"
    )


@pytest.fixture
def bad_release(lab: Desk, bad: None) -> None:
    """The bad release is live, whatever an earlier answer did."""
    lab.done("git reset -q --hard bad")
    lab.shell(
        "aws ecr put-image --repository-name demo-app-repo --image-manifest "
        '"$(cat manifest.txt)" --image-tag $(git rev-parse --short=7 HEAD)'
    )
    # to name what runs already would be a try
    lab.done(
        "runs=$(aws ecs describe-services --cluster demo --services web --output text"
        " --query 'services[0].taskDefinition')\n"
        f'if [ "$runs" = "$(cat bad.txt)" ]; then {_ONE_TASK}; else {named("$(cat bad.txt)")}; fi'
    )


@pytest.mark.usefixtures("bad_release")
def test_the_bad_release_is_not_tried(lab: Desk) -> None:
    assert lab.after("13.1", "").startswith("not tried: the service web, its task definitions")


@pytest.mark.usefixtures("bad_release")
def test_a_family_without_a_number_is_the_bad_release_again(lab: Desk) -> None:
    lab.lab.clock.advance(minutes=1)  # the history has whole seconds
    says = "the bad release; the service was given demo-app-web without a number | the service web"
    lab.finds_wrong("13.1", named("demo-app-web"), says)


@pytest.mark.usefixtures("bad_release")
def test_after_the_clean_up_another_lab_s_service_of_the_name_is_no_answer(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lab 14 begins with a service web, too; the clean-up deregisters the whole family."""
    listed = [replace(one, active=False) for one in deployed.definitions(lab.lab._world())]
    monkeypatch.setattr(deployed, "definitions", lambda world: listed)
    assert "as after the lab's clean-up" in lab.after("13.1", "")


@pytest.mark.usefixtures("bad_release")
def test_the_solution_takes_it_back(lab: Desk) -> None:
    seen = lab.after("13.1", lab.solution("13.1"))
    assert seen.startswith("passed: The release from before runs again"), seen


@pytest.mark.usefixtures("bad_release")
def test_a_right_answer_whose_deployment_goes_on_is_told_to_wait(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = named("$(cat before.txt)").removesuffix(STABLE)
    monkeypatch.setattr(taken_back, "settled", lambda look, goes_on, seconds: look())
    lab.finds_wrong("13.1", at_once, f"under way, and a task of before still runs | {SERVES}")
    monkeypatch.undo()
    assert lab.after("13.1", "").startswith("passed: The release from before runs again")


@pytest.mark.usefixtures("bad_release")
def test_a_wrong_answer_whose_deployment_goes_on_is_wrong(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = named("$(cat first.txt)").removesuffix(STABLE)
    monkeypatch.setattr(taken_back, "settled", lambda look, goes_on, seconds: look())
    lab.finds_wrong("13.1", at_once, f"the image with the tag 1.0.0 | {SERVES}")


@pytest.mark.usefixtures("bad_release")
def test_what_an_earlier_beginning_left_is_not_the_bad_release(lab: Desk) -> None:
    """As after lab.restart(): a new commit that has not arrived, and a definition of before."""
    lab.done(
        "aws ecr batch-delete-image --repository-name demo-app-repo --image-ids "
        "imageDigest=$(cat digest.txt)\n"
        'git commit -q --amend --date "2020-01-01T00:00:00Z" -m "Give everything away"'
    )
    assert "the cells of the lesson deploy the bad release first" in lab.after("13.1", "")


@pytest.mark.usefixtures("bad_release")
@pytest.mark.parametrize("answer", rows(BACK_RIGHT, 1))
def test_taken_back(lab: Desk, answer: str) -> None:
    seen = lab.after("13.1", BACK_RIGHT[answer])
    assert seen.startswith("passed: The release from before runs again"), seen


@pytest.mark.usefixtures("bad_release")
def test_a_release_taken_back_stays_so_whatever_is_committed_later(lab: Desk) -> None:
    lab.done(named("$(cat before.txt)"))
    lab.lab.clock.advance(minutes=1)
    lab.done(f"{REVERT}\n{GO}")
    lab.cells(*WATCHED)
    assert lab.after("13.1", "").startswith(LATER)
    assert lab.after("13.1", "git commit -q --allow-empty -m Again").startswith(LATER)


@pytest.mark.usefixtures("bad_release")
def test_a_revert_that_arrives_before_the_release_is_back_is_no_way_back(lab: Desk) -> None:
    """The exercise says: commit nothing. A revert is built and approved, which takes its time."""
    lab.finds_wrong("13.1", f"{REVERT}\n{GO}", FIRST, WATCHED)
    lab.lab.clock.advance(minutes=1)
    lab.finds_wrong("13.1", named("$(cat before.txt)"), FIRST)
    lab.finds_wrong("13.1", "git commit -q --allow-empty -m Again", "lab.restart() begins once")


@pytest.mark.usefixtures("bad_release")
def test_a_revert_that_is_taken_back_too_leaves_the_way_open(lab: Desk) -> None:
    lab.done(f"{REVERT}\n{GO}")
    lab.cells("12")
    lab.shell('sh answer.sh Rejected "too slow"')
    lab.lab.clock.advance(minutes=1)
    seen = lab.after("13.1", f"git reset -q --hard HEAD^\n{named('$(cat before.txt)')}")
    assert seen.startswith("passed: The release from before runs again"), seen


@pytest.mark.usefixtures("bad_release")
def test_one_look_at_the_deployments_is_enough(lab: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, look = [], deployed.deployments
    monkeypatch.setattr(deployed, "deployments", lambda world: looks.append(1) or look(world))
    lab.check("13.1")
    assert len(looks) == 1


@pytest.mark.usefixtures("bad_release")
def test_the_cells_that_say_yes_approve_no_commit_but_the_last(lab: Desk) -> None:
    lab.done(f"{REVERT}\n{GO}")
    lab.cells("12")
    lab.done("git tag -f revert; git reset -q --hard HEAD^")
    lab.cells("30")  # says yes, and shows the pipeline
    waiting = lab.shell('sh answer.sh Rejected "the revert of a test" revert')
    assert (
        waiting.stdout == 'you answered: Rejected, for the commit: Revert "Give everything away"\n'
    )


@pytest.mark.usefixtures("bad_release")
@pytest.mark.parametrize("answer", rows(BACK_WRONG, 5))
def test_not_taken_back(lab: Desk, answer: str) -> None:
    lab.finds_wrong("13.1", *BACK_WRONG[answer])


# the roles


@pytest.fixture
def audited(lab: Desk) -> Iterator[None]:
    """The last commit is the one of today, and both roles lack a right; nothing is attached."""
    lab.done("git reset -q --hard welcome")
    lab.done(put("build", "build-policy-new.json"))
    lab.done(put("pipeline", "pipeline-policy-new.json"))
    yield
    lab.shell("aws ecr delete-repository-policy --repository-name demo-app-repo")
    iam = lab.place.client("iam")
    for role in ("demo-app-build", "demo-app-pipeline"):
        for one in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=one["PolicyArn"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)


def put(who: str, file: str, name: str = "work") -> str:
    """The shell that writes a policy to a role."""
    return (
        f"aws iam put-role-policy --role-name demo-app-{who} --policy-name {name} "
        f"--policy-document file://{file}"
    )


def allow(who: str, action: str, resource: str) -> str:
    """The shell that gives a role one more right, as an inline policy of its own."""
    return (
        f"aws iam put-role-policy --role-name demo-app-{who} --policy-name more --policy-document "
        f'\'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", '
        f'"Resource": "{resource}"}}]}}\''
    )


def attach(who: str, policy: str) -> str:
    return (
        f"aws iam attach-role-policy --role-name demo-app-{who} "
        f"--policy-arn arn:aws:iam::aws:policy/{policy}"
    )


OURS = "arn:aws:ecr:us-west-2:123456789012:repository/demo-app-repo"
WEB = "arn:aws:ecs:us-west-2:123456789012:service/demo/web"
BOTH = f"{put('build', 'build-policy.json')}\n{put('pipeline', 'pipeline-policy.json')}"
ROLES_WRONG: dict[str, tuple[str, str]] = {
    "only the build": (
        put("build", "build-policy.json"),
        "what the role demo-app-pipeline may do | not allowed: ecs:UpdateService",
    ),
    "only the pipeline": (
        put("pipeline", "pipeline-policy.json"),
        "what the role demo-app-build may do | not allowed: ecr:PutImage",
    ),
    "administrators": (
        f"{attach('build', 'AdministratorAccess')}\n{attach('pipeline', 'AdministratorAccess')}",
        "allowed: ecr:BatchDeleteImage on arn:aws:ecr:us-west-2:123456789012:repository/demo-app",
    ),
    "every right on ECR": (
        f"{put('pipeline', 'pipeline-policy.json')}\n{allow('build', 'ecr:*', OURS)}",
        "allowed: ecr:BatchDeleteImage on",
    ),
    "every right on ECR that begins with Put": (
        f"{put('pipeline', 'pipeline-policy.json')}\n{allow('build', 'ecr:Put*', OURS)}",
        "allowed: ecr:PutImageScanningConfiguration on",
    ),
    "every right on ECR, and the pipeline still lacks one": (
        allow("build", "ecr:*", OURS),
        "what the role demo-app-build may do | allowed: ecr:BatchDeleteImage on",
    ),
    "every right on ECS, and the build still lacks one": (
        allow("pipeline", "ecs:*", "*"),
        "what the role demo-app-pipeline may do | allowed: ecs:DeleteService",
    ),
    "a push into every repository": (
        f"{put('pipeline', 'pipeline-policy.json')}\n{allow('build', 'ecr:PutImage', '*')}",
        "allowed: ecr:PutImage on arn:aws:ecr:us-west-2:123456789012:repository/demo-app-other",
    ),
    "a role that may change itself": (
        f"{BOTH}\n{allow('pipeline', 'iam:PutRolePolicy', 'arn:aws:iam::123456789012:role/*')}",
        "what the role demo-app-pipeline may do | allowed: iam:PutRolePolicy on",
    ),
    "every right on ECS": (
        f"{put('build', 'build-policy.json')}\n{allow('pipeline', 'ecs:*', '*')}",
        "what the role demo-app-pipeline may do | allowed: ecs:DeleteService",
    ),
    "the pipeline has the build's policy, too": (
        f"{BOTH}\n{put('pipeline', 'build-policy.json', 'more')}",
        "what the role demo-app-pipeline may do | allowed: ecr:PutImage",
    ),
    "a commit": (f"{BOTH}\ngit commit -q --allow-empty -m Again", "your last commit | Again"),
    "nothing retried": (BOTH, "none of the commit"),
    "a policy of the repository": (
        """aws ecr set-repository-policy --repository-name demo-app-repo --policy-text '{
 "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:PutImage",
 "Principal": {"AWS": "arn:aws:iam::123456789012:role/demo-app-build"}}]}'""",
        "not allowed: ecr:PutImage\nthe repository demo-app-repo has a policy of its own |",
    ),
}
ROLES_RIGHT: dict[str, str] = {
    "one right each, in a policy of its own": (
        f"{allow('build', 'ecr:PutImage', OURS)}\n{allow('pipeline', 'ecs:UpdateService', WEB)}"
    ),
    "from Python": """python - <<'END'
import boto3
iam = boto3.client("iam")
for who in ("build", "pipeline"):
    text = open(f"{who}-policy.json").read()
    iam.put_role_policy(RoleName=f"demo-app-{who}", PolicyName="work", PolicyDocument=text)
END""",
    "the old policies under other names": (
        f"{put('build', 'build-policy.json', 'old')}\n{put('pipeline', 'pipeline-policy.json', 'old')}"  # noqa: E501
    ),
}


@pytest.mark.usefixtures("audited")
def test_the_ticket_is_not_tried(lab: Desk) -> None:
    assert lab.after("13.2", "").startswith("not tried: what the roles demo-app-build and demo-app")


@pytest.mark.usefixtures("audited")
@pytest.mark.parametrize("answer", rows(ROLES_WRONG, 14))
def test_roles_that_are_not_repaired(lab: Desk, answer: str) -> None:
    lab.finds_wrong("13.2", *ROLES_WRONG[answer])


@pytest.mark.usefixtures("audited")
def test_the_solution_gives_the_roles_their_rights_again(lab: Desk) -> None:
    lab.done(GO)
    lab.cells("56")  # the build fails, and the solution tries the stage again
    assert lab.after("13.2", "").startswith("not tried")
    lab.finds_wrong("13.2", "sh retry.sh Build", "not allowed: ecr:PutImage", ("56",))
    once_more = "the role has the right now that it lacked then: the stage that failed can run"
    lab.finds_wrong("13.2", put("build", "build-policy.json"), once_more)
    lab.finds_wrong("13.2", "sh retry.sh Build", "not allowed: ecs:UpdateService", ("56", "57"))
    lab.finds_wrong("13.2", put("pipeline", "pipeline-policy.json"), once_more)
    seen = lab.after("13.2", "sh retry.sh Deploy", ("56",))
    assert seen.startswith("passed: Both roles have their rights again"), seen


@pytest.mark.usefixtures("audited")
def test_rights_that_somebody_else_was_given_are_a_try(lab: Desk) -> None:
    """The commit has been refused; then the learner, or the wrong place, gets the right."""
    lab.lab.clock.advance(minutes=1)
    lab.done("git commit -q --amend --no-edit --date 2021-01-01T00:00:00Z")
    lab.done(GO)
    lab.cells("56")
    assert lab.after("13.2", "").startswith("not tried")
    lab.lab.clock.advance(minutes=1)  # the history of calls has whole seconds
    right = (
        '\'{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:PutImage", '
        '"Resource": "*"}]}\''
    )
    lab.finds_wrong(
        "13.2",
        f"aws iam put-user-policy --user-name learner --policy-name more --policy-document {right}",
        "not allowed: ecr:PutImage\na policy was put on the user learner |",
    )
    lab.done("aws iam delete-user-policy --user-name learner --policy-name more")


@pytest.mark.usefixtures("audited")
def test_the_solution_as_it_is_written(lab: Desk) -> None:
    lab.done("git commit -q --amend --no-edit --date 2022-01-01T00:00:00Z")
    lab.done(GO)
    lab.cells("56")
    seen = lab.after("13.2", lab.solution("13.2"), ("56", "57"))
    assert seen.startswith("passed: Both roles have their rights again"), seen
    # the part "If you have time", done later, makes two commits of its own
    lab.done(TWO_MORE)
    seen = lab.after("13.2", "")
    assert "has arrived, and your commits have come after that" in seen, seen


@pytest.mark.usefixtures("audited")
def test_commits_before_the_commit_has_arrived_lead_back_to_that_commit(lab: Desk) -> None:
    lab.done("git commit -q --amend --no-edit --date 2023-01-01T00:00:00Z")
    welcome = lab.shell("git rev-parse --short=7 HEAD").stdout.strip()
    lab.finds_wrong("13.2", TWO_MORE, f"git reset --hard {welcome})")


@pytest.mark.usefixtures("audited")
@pytest.mark.parametrize("answer", rows(ROLES_RIGHT, 0))
def test_roles_that_are_repaired(lab: Desk, answer: str) -> None:
    seen = lab.after("13.2", f"{ROLES_RIGHT[answer]}\n{GO}", ("56", "57"))
    assert seen.startswith("passed: Both roles have their rights again"), seen
