"""Lab 05: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.defaults import OTHER_ACCOUNT
from labs_helpers.prepare.configuration import profile_of_account
from tests.labs.desk import Desk, desk, rows
from tests.policies import allow, policy

WEST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
EAST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
IRELAND = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = "aws ecr get-login-password --region eu-west-1"


def login(host: str, password: str = PASSWORD) -> str:
    return f"{password} | docker login --username AWS --password-stdin {host}"


LOGINS = policy(allow("ecr:GetAuthorizationToken"))
HERE = login(WEST, "aws ecr get-login-password")


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("05") as made:
        profile_of_account("labs-partner", OTHER_ACCOUNT).ensure(made.place)
        yield made


@pytest.fixture(autouse=True)
def as_the_lesson_left_it(lab: Desk) -> None:
    lab.begin()
    for image in lab.place.docker.images.list(f"{WEST}/demo-app-repo"):
        for tag in image.tags:
            if tag.endswith((":from-colleague", ":fromcolleague")):
                lab.place.docker.images.remove(tag)
    lab.done(HERE)


RIGHT = {
    "by way of a variable": f"p=$({PASSWORD}); echo $p | docker login -u AWS --password-stdin "
    + IRELAND,
    "with -p": f"docker login -u AWS -p $({PASSWORD}) {IRELAND}",
    "the whole token from Python": f"""python - <<'END'
import base64, boto3, subprocess
data = boto3.client("ecr", "eu-west-1").get_authorization_token()["authorizationData"][0]
user, password = base64.b64decode(data["authorizationToken"]).decode().split(":", 1)
subprocess.run(["docker", "login", "-u", user, "--password-stdin", "{IRELAND}"],
               input=password, text=True, check=True)
END""",
    "a slip first": login(IRELAND, "aws ecr get-login-password") + "\n" + login(IRELAND),
    "and a third region": login(IRELAND)
    + "\n"
    + login(EAST, "aws ecr get-login-password --region us-east-1"),
}
WRONG = {
    "the password of the other region": (
        login(IRELAND, "aws ecr get-login-password")
        # Docker refuses such a login, so somebody writes the file
        + f"""
python - <<'END'
import json, os, pathlib
path = pathlib.Path(os.environ["DOCKER_CONFIG"], "config.json")
config = json.loads(path.read_text())
config["auths"]["{IRELAND}"] = config["auths"]["{WEST}"]
path.write_text(json.dumps(config))
END""",
        f"what {IRELAND} says to your login | denied: Your Authorization Token is invalid. | "
        "a login to your account's registry in eu-west-1 as well | "
        "a password of one region is refused in another",
    ),
    "a partner's password": (
        login(IRELAND, PASSWORD.replace("aws", "aws --profile labs-partner")),
        "asked for the tags of demo-app-repo | denied: User: arn:aws:iam::210987654321:user/admin"
        " is not authorized",
    ),
    "a user's who may do nothing": (
        f"""aws iam delete-user --user-name labs-nobody
aws iam create-user --user-name labs-nobody
aws iam put-user-policy --user-name labs-nobody --policy-name login --policy-document '{LOGINS}'
read id secret < <(aws iam create-access-key --user-name labs-nobody \
  --query AccessKey.[AccessKeyId,SecretAccessKey] --output text)
"""
        + login(IRELAND, f"AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret {PASSWORD}"),
        "user/labs-nobody is not authorized",
    ),
    "a partner's registry": (
        login(IRELAND.replace("123456789012", "210987654321")),
        "whose registry is it? your account is 123456789012, and this one is of 210987654321",
    ),
    "another region": (
        login(IRELAND.replace("eu-west-1", "eu-west-2"), PASSWORD.replace("west-1", "west-2")),
        "which of the two did you change?",
    ),
    "another account": (
        login(IRELAND.replace("123456789012", "210987654321"))
        + login(EAST, "\naws ecr get-login-password --region us-east-1"),
        "a login to your account's registry in eu-west-1 as well",
    ),
    "the first login gone": (
        f"docker logout {WEST}; {login(IRELAND)}",
        f"{IRELAND} | the login you have must stay | the login to us-west-2 is gone",
    ),
    "only the first login gone": (
        f"docker logout {WEST}; " + login(EAST, "aws ecr get-login-password --region us-east-1"),
        f"{EAST} | a login to your account's registry in eu-west-1 as well",
    ),
    "logged in and out": (
        f"{login(IRELAND)}; {login(EAST, 'aws ecr get-login-password --region us-east-1')}; "
        f"docker logout {IRELAND}",
        f"{EAST}\n{WEST} | a login to your account's registry",
    ),
    "the login written by hand": (
        f"""python - <<'END'
import json, os, pathlib
path = pathlib.Path(os.environ["DOCKER_CONFIG"], "config.json")
config = json.loads(path.read_text())
config["auths"]["{IRELAND}"] = dict(auth="QVdTOnBhc3N3b3Jk")
path.write_text(json.dumps(config))
END""",
        "no registry of ECR gave this password",
    ),
}
NOT_TRIED = {
    "nothing": "",
    "a password as a command": f"$({PASSWORD}) | docker login -u AWS --password-stdin {IRELAND}",
    "a host that is not": login(IRELAND.replace(".com", ".con")),
    "the first login again": HERE,
}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_second_login_right(lab: Desk, answer: str) -> None:
    seen = lab.after("05.1", RIGHT[answer])
    assert seen.startswith("passed: Docker is logged in to eu-west-1 and to us-west-2.")


@pytest.mark.parametrize("answer", rows(WRONG))
def test_second_login_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("05.1", *WRONG[answer])


def test_a_login_of_yesterday_is_to_be_made_again(lab: Desk) -> None:
    lab.done(login(IRELAND))
    lab.python("lab.clock.advance(hours=13)")
    lab.finds_wrong("05.1", HERE, "has expired")
    lab.finds_wrong("05.1", "true", "a password lasts for 12 hours: log in again")
    assert lab.after("05.1", login(IRELAND)).startswith("passed")


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_second_login_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("05.1", NOT_TRIED[answer]).startswith(
        "not tried: the logins that Docker keeps"
    )


@pytest.fixture
def desk_of_the_colleague(lab: Desk) -> None:
    lab.cells("35")


PUSH = f"docker push -q {WEST}/demo-app-repo:from-colleague"
THEIR_RIGHT = {
    "by the SDK, with a login of its own": """python - <<'END'
import base64, boto3, docker
data = boto3.client("ecr").get_authorization_token()["authorizationData"][0]
user, password = base64.b64decode(data["authorizationToken"]).decode().split(":", 1)
name = data["proxyEndpoint"].removeprefix("https://") + "/demo-app-repo"
docker.from_env().images.push(name, "from-colleague",
                              auth_config=dict(username=user, password=password))
END""",
    "another tag, and that put again": f"""{HERE}
docker push -q {WEST}/demo-app-repo:latest
manifest=$(aws ecr batch-get-image --repository-name demo-app-repo --image-ids imageTag=latest \
 --query 'images[0].imageManifest' --output text)
aws ecr put-image --repository-name demo-app-repo --image-tag from-colleague \
 --image-manifest "$manifest"
""",
    "logged out afterwards": f"{HERE}; {PUSH}; docker logout {WEST}",
    "both registries": f"{HERE}; {PUSH}",
}
THEIR_WRONG = {
    "the login without the push": (
        HERE,
        "the push is what is left (to us-west-2, not to us-east-1)",
    ),
    "another tag": (
        f"{HERE}; docker tag demo-app:latest {WEST}/demo-app-repo:fromcolleague; "
        f"docker push -q {WEST}/demo-app-repo:fromcolleague",
        "tag from-colleague in demo-app-repo",
    ),
    "logged out of everything": (
        f"docker logout {EAST}; {PUSH}",
        "no login | find what is wrong",
    ),
    "a third region": (
        f"{login(IRELAND)}; docker logout {EAST}; {PUSH}",
        f"{IRELAND} | find what is wrong",
    ),
    "another image": (
        f"{HERE}; printf 'FROM nginx:alpine\\n' | docker build -q -t {WEST}/demo-app-repo:"
        f"from-colleague -; {PUSH}",
        "another image than demo-app:latest",
    ),
    "the wrong password kept under the right name": (
        f"""python - <<'END'
import json, os, pathlib
path = pathlib.Path(os.environ["DOCKER_CONFIG"], "config.json")
config = json.loads(path.read_text())
config["auths"]["{WEST}"] = config["auths"]["{EAST}"]
path.write_text(json.dumps(config))
END
{PUSH}""",
        f"what {WEST} says to your login",
    ),
}
THEIR_NOT_TRIED = {
    "nothing": "",
    "the push again": PUSH,
    "the image in another registry": f"docker tag demo-app:latest {EAST}/demo-app-repo:"
    f"from-colleague; docker push -q {EAST}/demo-app-repo:from-colleague",
}


@pytest.mark.usefixtures("desk_of_the_colleague")
@pytest.mark.parametrize("answer", rows(THEIR_RIGHT))
def test_colleague_right(lab: Desk, answer: str) -> None:
    seen = lab.after("05.2", THEIR_RIGHT[answer])
    assert seen.startswith("passed: demo-app-repo:from-colleague is in the registry")


@pytest.mark.usefixtures("desk_of_the_colleague")
@pytest.mark.parametrize("answer", rows(THEIR_WRONG))
def test_colleague_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("05.2", *THEIR_WRONG[answer])


@pytest.mark.usefixtures("desk_of_the_colleague")
@pytest.mark.parametrize("answer", rows(THEIR_NOT_TRIED))
def test_colleague_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("05.2", THEIR_NOT_TRIED[answer]).startswith("not tried: tag from-colleague")


def test_nothing_is_said_before_the_colleague_comes(lab: Desk) -> None:
    assert lab.after("05.2", "").startswith("not tried: tag from-colleague")
