"""Lab 10: what its checks say of answers that people give."""

import shutil
from collections.abc import Iterator

import pytest

from labs_helpers.prepare import ecs
from labs_helpers.prepare.people import no_policy, no_role
from tests.labs.desk import Desk, desk, rows

REPOSITORY = "123456789012.dkr.ecr.us-west-2.amazonaws.com/demo-app-repo"
DIGEST = """digest=$(aws ecr describe-images --repository-name demo-app-repo \
 --image-ids imageTag=1.1.0 --query 'imageDetails[0].imageDigest' --output text)"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("10") as made:
        yield made


@pytest.fixture(scope="module")
def web(lab: Desk) -> Desk:
    """What the lesson has made before the first exercise: the service web runs 1.0.0 by its tag."""
    lab.cells("05", "06", "50")
    return lab


@pytest.fixture
def by_tag(web: Desk) -> None:
    """The service as the lesson leaves it, whatever the answer before made of it."""
    web.done(
        "revision=$(aws ecs register-task-definition --cli-input-json "
        "file://task-definition.json --query taskDefinition.taskDefinitionArn --output text)\n"
        "aws ecs update-service --cluster demo --service web --desired-count 2 "
        "--task-definition $revision --query service.status"
    )


def deploy(image: str, more: str = "", before: str = DIGEST, service: str = "") -> str:
    """Register a revision with an image, and let the service web run it."""
    return f"""{before}
sed "s|{REPOSITORY}:1.0.0|{image}|; {more}" task-definition.json > mine.json
revision=$(aws ecs register-task-definition --cli-input-json file://mine.json \
 --query taskDefinition.taskDefinitionArn --output text)
aws ecs update-service --cluster demo --service web --task-definition $revision {service} \
 --query service.status
"""


BY_DIGEST = f"{REPOSITORY}@$digest"
BREAKER = "deploymentCircuitBreaker={enable=true,rollback=true}"
ROLLED_BACK = """for second in $(seq 120); do
  aws ecs describe-services --cluster demo --services web \
    --query 'services[].events[:3].message' | grep -q 'rolling back' && break
  sleep 0.5
done
"""
RIGHT = {
    "tag and digest": deploy(f"{REPOSITORY}:1.1.0@$digest"),
    "from Python": """python - <<'END'
import boto3, json, os
ecr, ecs = boto3.client("ecr"), boto3.client("ecs")
(image,) = ecr.describe_images(repositoryName="demo-app-repo",
                               imageIds=[{"imageTag": "1.1.0"}])["imageDetails"]
found = json.load(open("task-definition.json"))
name = os.environ["REGISTRY"] + "/demo-app-repo@" + image["imageDigest"]
found["containerDefinitions"][0]["image"] = name
made = ecs.register_task_definition(**found)["taskDefinition"]["taskDefinitionArn"]
ecs.update_service(cluster="demo", service="web", taskDefinition=made)
END""",
    "with a variable for the container, and the family's name alone": f"""{DIGEST}
sed "s|{REPOSITORY}:1.0.0|{BY_DIGEST}|; s|\\"essential\\"|\\"environment\\": [{{\\"name\\": \
\\"A\\", \\"value\\": \\"b\\"}}], \\"essential\\"|" task-definition.json > mine.json
aws ecs register-task-definition --cli-input-json file://mine.json --query taskDefinition.status
aws ecs update-service --cluster demo --service web --task-definition demo-app \
 --query service.status""",
    "after a slip, without a minimum of tasks": deploy(f"{REPOSITORY}:latest")
    + deploy(
        BY_DIGEST,
        service="--deployment-configuration minimumHealthyPercent=0,maximumPercent=100",
    ),
}
WRONG = {
    "the right version by its tag": (
        deploy(f"{REPOSITORY}:1.1.0"),
        "demo-app-repo:1.1.0 | the service runs the image by digest | this is a tag, and a tag can",
    ),
    "registered only": (
        deploy(BY_DIGEST).partition("aws ecs update-service")[0],
        "a revision that is only registered runs nothing",
    ),
    "a repository that is not there": (
        deploy(f"{REPOSITORY.replace('demo-app-repo', 'demo-app')}@$digest"),
        "before the @ stands the repository, with its registry",
    ),
    "the service kept on another digest": (
        deploy(BY_DIGEST, before=DIGEST.replace("1.1.0", "1.0.0"))
        + deploy(BY_DIGEST).partition("aws ecs update-service")[0],
        "has the right digest, and the service has not taken it",
    ),
    "the digest of another image": (
        deploy(BY_DIGEST, before=DIGEST.replace("1.1.0", "1.0.0")),
        "the image of 1.0.0 | the image of 1.1.0 | which digest has 1.1.0 now?",
    ),
    "a digest that is not": (
        deploy(BY_DIGEST, before=f"digest=sha256:{'b' * 64}"),
        "the image of 1.1.0",
    ),
    "one task": (deploy(BY_DIGEST, service="--desired-count 1"), "1 wanted by the service"),
    "another container": (
        deploy(BY_DIGEST, 's|"web"|"app"|'),
        '"app" | a revision from task-definition.json',
    ),
    "twice the memory": (deploy(BY_DIGEST, 's|"512"|"1024"|'), '"1024" | a revision from'),
    "a tag that nobody pushed": (deploy(f"{REPOSITORY}:stable"), "this is a tag, and a tag can"),
    "an empty digest": (deploy(BY_DIGEST, before="digest=sha256:"), "a digest is sha256: and 64"),
    "a digest that no image has, taken back by the circuit breaker": (
        deploy(
            BY_DIGEST,
            before=f"digest=sha256:{'b' * 64}",
            service=f"--deployment-configuration '{BREAKER}'",
        )
        + ROLLED_BACK,
        "the service went back to the revision before",
    ),
    "a role that may not pull": (
        "aws iam create-role --role-name idle --assume-role-policy-document file://trust-ecs.json\n"
        + deploy(BY_DIGEST, "s|demo-app-execution|idle|"),
        "executionRoleArn in the revision that the service web runs",
    ),
}


@pytest.mark.usefixtures("by_tag")
@pytest.mark.parametrize("answer", rows(RIGHT, 2))
def test_service_by_digest_right(lab: Desk, answer: str) -> None:
    seen = lab.after("10.1", RIGHT[answer])
    assert seen.startswith("passed: Two tasks run the image"), seen


@pytest.mark.usefixtures("by_tag")
@pytest.mark.parametrize("answer", rows(WRONG, 4))
def test_service_by_digest_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("10.1", *WRONG[answer])


@pytest.mark.usefixtures("by_tag")
def test_the_service_of_the_lesson_is_not_tried(lab: Desk) -> None:
    assert lab.after("10.1", "").startswith("not tried: the service web of the cluster demo")


def test_the_service_of_another_lab_is_not_this_lab_s(web: Desk) -> None:
    """Labs 09, 11 and 13 have a service of that name, of another family."""
    other = deploy(BY_DIGEST, 's|"demo-app"|"demo-app-web"|')
    assert web.after("10.1", other).startswith("not tried: the service web of the cluster demo")


def test_a_role_taken_away_shows_as_the_reason(web: Desk) -> None:
    """The answer is right, and its tasks cannot start: the check says why."""
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    change = f"role-policy --role-name demo-app-execution --policy-arn {policy}"
    try:
        web.finds_wrong(
            "10.1",
            f"aws iam detach-{change}\n" + deploy(BY_DIGEST),
            "ResourceInitializationError: unable to pull secrets or registry auth",
        )
    finally:
        web.done(f"aws iam attach-{change}")


# the ticket

ROLE = """sed -i.bak 's|repository/demo-app"|repository/demo-app-repo"|' shop-pull.json
aws iam put-role-policy --role-name shop-execution --policy-name pull \
 --policy-document file://shop-pull.json
"""


def shop(image: str = "demo-app-repo:1.0.0", more: str = "", service: str = "") -> str:
    """Register the colleague's file with another image, and let the service shop run it."""
    return f"""sed "s|demo-app-repo:1.0|{image}|; {more}" shop.json > mine.json
revision=$(aws ecs register-task-definition --cli-input-json file://mine.json \
 --query taskDefinition.taskDefinitionArn --output text)
aws ecs update-service --cluster demo --service shop --task-definition $revision {service} \
 --query service.status
"""


FULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
SHOP_RIGHT = {
    "by digest, with a customer policy": f"""aws iam delete-role-policy --role-name shop-execution \
 --policy-name pull
sed 's|repository/demo-app"|repository/demo-app-repo"|' shop-pull.json > right.json
arn=$(aws iam create-policy --policy-name shop-pull --policy-document file://right.json \
 --query Policy.Arn --output text)
aws iam attach-role-policy --role-name shop-execution --policy-arn $arn
{DIGEST.replace("1.1.0", "1.0.0")}
{shop("demo-app-repo@$digest")}""",
    "the service made anew": f"""{ROLE}
aws ecs delete-service --cluster demo --service shop --force --query service.status
for second in $(seq 30); do
  aws ecs describe-services --cluster demo --services shop --query 'services[].status' \
    --output text | grep -q INACTIVE && break
  sleep 0.5
done
sed -i.bak 's|demo-app-repo:1.0"|demo-app-repo:1.0.0"|' shop.json
bash shop.sh""",
    "the tag that the colleague named": ROLE
    + """manifest=$(aws ecr batch-get-image --repository-name demo-app-repo \
 --image-ids imageTag=1.0.0 --query 'images[0].imageManifest' --output text)
aws ecr put-image --repository-name demo-app-repo --image-tag 1.0 --image-manifest "$manifest" \
 --query image.imageId.imageTag
aws ecs update-service --cluster demo --service shop --force-new-deployment \
 --query service.status""",
}
SHOP_WRONG = {
    "the role only": (
        ROLE
        + "aws ecs update-service --cluster demo --service shop --force-new-deployment "
        + "--query service.status",
        "demo-app-repo:1.0: not found | one task of the shop runs",
    ),
    "the tag only": (shop(), "403 Forbidden | one task of the shop runs"),
    "the newer version": (ROLE + shop("demo-app-repo:1.1.0"), "1.1.0 | a task of 1.0.0"),
    "every action on the one repository": (
        ROLE
        + shop()
        + """cat > every.json <<'END'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*",
  "Resource": "arn:aws:ecr:us-west-2:123456789012:repository/demo-app-repo"}]}
END
aws iam put-role-policy --role-name shop-execution --policy-name every \
  --policy-document file://every.json
""",
        "repository/demo-app-repo: allowed | shop-execution may change nothing in ECR",
    ),
    "a role that may change its own policies": (
        ROLE
        + shop()
        + """cat > itself.json <<'END'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
END
aws iam put-role-policy --role-name shop-execution --policy-name itself \
  --policy-document file://itself.json
""",
        "role/shop-execution: allowed | shop-execution may change nothing in ECR, nor its own",
    ),
    "everything that may be read": (
        f"aws iam attach-role-policy --role-name shop-execution --policy-arn {FULL}\n" + shop(),
        "repository/demo-app-repo2: allowed | shop-execution may pull from no other",
    ),
    "another application's role": (
        shop(more="s|shop-execution|demo-app-execution|"),
        "demo-app-execution | with its own role shop-execution",
    ),
    "a second policy beside the first": (
        ROLE.replace("--policy-name pull", "--policy-name right") + shop(),
        "repository/demo-app: allowed | shop-execution may pull from no other",
    ),
    "a token of one repository, after the task has begun": (
        ROLE
        + shop()
        + """for second in $(seq 60); do
  aws ecs describe-services --cluster demo --services shop \
    --query 'services[].deployments[].rolloutState' --output text | grep -qx COMPLETED && break
  sleep 0.5
done
sed 's|"\\*"|"arn:aws:ecr:us-west-2:123456789012:repository/demo-app-repo"|' shop-pull.json \
 > narrow.json
aws iam put-role-policy --role-name shop-execution --policy-name pull \
 --policy-document file://narrow.json
""",
        "ecr:GetAuthorizationToken on *: not allowed | shop-execution may log in to ECR",
    ),
    "no task": (ROLE + shop(service="--desired-count 0"), "0 wanted by the service"),
    "every repository, until a day that is far": (
        ROLE
        + shop()
        + """cat > until.json <<'END'
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*",
  "Condition": {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}}]}
END
aws iam put-role-policy --role-name shop-execution --policy-name until \
  --policy-document file://until.json
""",
        "repository/demo-app-repo2: allowed",
    ),
    "every repository that begins so": (
        "sed -i.bak 's|repository/demo-app\"|repository/demo-app*\"|' shop-pull.json\n"
        "aws iam put-role-policy --role-name shop-execution --policy-name pull "
        "--policy-document file://shop-pull.json\n" + shop(),
        "repository/demo-app-repo2: allowed",
    ),
}


@pytest.fixture
def ticket(web: Desk) -> None:
    """The shop as the colleague left it."""
    place = web.place
    if "shop" in ecs.services(place, "demo"):
        ecs.delete_service(place, "demo", "shop")
    no_role("shop-execution").ensure(place)
    no_policy("shop-pull").ensure(place)
    place.client("ecr").batch_delete_image(
        repositoryName="demo-app-repo", imageIds=[{"imageTag": "1.0"}]
    )
    for file in (place.files / "10").glob("shop*"):
        shutil.copy(file, file.name)
    web.done("bash shop.sh")


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("answer", rows(SHOP_RIGHT, 1))
def test_ticket_right(lab: Desk, answer: str) -> None:
    seen = lab.after("10.2", SHOP_RIGHT[answer])
    assert seen.startswith("passed: The shop runs again"), seen


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("answer", rows(SHOP_WRONG, 4))
def test_ticket_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("10.2", *SHOP_WRONG[answer])


@pytest.mark.usefixtures("ticket")
def test_a_file_that_is_only_changed_is_said_to_be(lab: Desk) -> None:
    changed = "sed -i.bak 's|demo-app-repo:1.0\"|demo-app-repo:1.0.0\"|' shop.json"
    lab.finds_wrong(
        "10.2", changed, "you changed shop.json, and AWS has what the files said before"
    )


@pytest.mark.usefixtures("ticket")
def test_the_colleague_s_service_is_not_tried(lab: Desk) -> None:
    assert lab.after("10.2", "").startswith("not tried: the service shop of the cluster demo")
