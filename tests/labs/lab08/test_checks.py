"""Lab 08: what its checks say of answers that people give."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.labs.desk import Desk, desk, rows

IMAGE = "$REGISTRY/myapp:1.1.0"
PUSH = f"docker push -q {IMAGE} && labs gate myapp:1.1.0 --fail-on CRITICAL"
BUILD = f"docker build -q -t {IMAGE} . && {PUSH}"
FILES = ("Dockerfile", "index.html")


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    """As the lesson leaves it: enhanced scanning, the old image, and the new base."""
    with desk("08") as made:
        made.done("""
aws ecr create-repository --repository-name myapp
aws ecr put-registry-scanning-configuration --scan-type ENHANCED --rules file://rules.json
docker build -q -t $REGISTRY/myapp:1.0.0 .; docker push -q $REGISTRY/myapp:1.0.0
docker pull -q nginx:alpine; docker tag nginx:alpine $REGISTRY/myapp:base
docker push -q $REGISTRY/myapp:base
""")
        yield made


@pytest.fixture
def no_release(lab: Desk) -> None:
    ecr = lab.place.client("ecr")
    tags = {"imageIds": []} | ecr.list_images(
        repositoryName="myapp", filter={"tagStatus": "TAGGED"}
    )
    made = [one for one in tags["imageIds"] if one["imageTag"] not in ("1.0.0", "base")]
    if made:
        ids = [{"imageTag": one["imageTag"]} for one in made]
        ecr.batch_delete_image(repositoryName="myapp", imageIds=ids)
    for name in FILES:
        file = lab.place.workspace.work("08") / name
        file.write_text((lab.place.files / "08" / name).read_text())


def changed(*expressions: str) -> str:
    """The Dockerfile changed by sed."""
    options = " ".join(f"-e '{one}'" for one in expressions)
    return f"sed -i.bak {options} Dockerfile\n"


BASE, PIN = "s/nginx:1.21-alpine/nginx:alpine/", "s/5.3.1/6.0.2/"
RIGHT = {
    "the pin by an option": changed(BASE)
    + BUILD.replace("-q -t", "--build-arg PYYAML=6.0.2 -q -t"),
    "a line more": changed(BASE, PIN, "s/^LABEL.*/&\\nENV TZ=UTC/") + BUILD,
    "pushed by another name first": changed(BASE, PIN)
    + "docker build -q -t app . ; docker tag app $REGISTRY/myapp:1.1.0\n"
    + PUSH,
    "the base by its other name": changed(
        "s/nginx:1.21-alpine/docker.io\\/library\\/nginx:alpine/", PIN
    )
    + BUILD,
}
WRONG = {
    "the base only": (changed(BASE) + BUILD, "the base is new; the pin of PyYAML is old"),
    "the pin only": (changed(PIN) + BUILD, "the pin is new; the base is old"),
    "neither": (BUILD, "base and pin are old"),
    "PyYAML left out": (
        changed(BASE, "/PYYAML/d") + BUILD,
        "no PyYAML | the pin of PyYAML at 6.0.2",
    ),
    "the bare base": (
        f"docker tag nginx:alpine {IMAGE}; {PUSH}",
        "that of myapp:base | build it | the base alone is not your application",
    ),
    "the page left out": (changed(BASE, PIN, "/index.html/d") + BUILD, "no such file | fix"),
    "another command": (
        changed(BASE, PIN, '$ a\\CMD ["nginx"]') + BUILD,
        'what starts when somebody runs myapp:1.1.0 | ["/docker-entrypoint.sh", "nginx"] | fix the'
        " image, with all that is in it",
    ),
    "the label left out": (
        changed(BASE, PIN, "/^LABEL/d") + BUILD,
        "no label maintainer | fix the image, with all that is in it | the fix was to change two",
    ),
    "an image without packages": (
        "printf 'FROM scratch\\nCOPY index.html /\\n' > D; "
        f"docker build -q -t {IMAGE} -f D .; {PUSH}",
        "status UNSUPPORTED_IMAGE | fix the image | ECR cannot read this image",
    ),
    "another base without findings": (
        changed("s/nginx:1.21-alpine/alpine:latest/", PIN) + BUILD,
        "not those of nginx:alpine | the base moved to nginx:alpine",
    ),
    "another tag": (
        changed(BASE, PIN) + BUILD.replace("1.1.0", "1.1"),
        "1.1 | pushed as myapp:1.1.0 | compare the two tags",
    ),
}
NOT_TRIED = {
    "nothing": "",
    "built and not pushed": changed(BASE, PIN) + f"docker build -q -t {IMAGE} .",
}


@pytest.mark.usefixtures("no_release")
@pytest.mark.parametrize("answer", rows(RIGHT))
def test_fix_right(lab: Desk, answer: str) -> None:
    assert lab.after("08.1", RIGHT[answer]).startswith("passed: myapp:1.1.0 is scanned.")


@pytest.mark.usefixtures("no_release")
@pytest.mark.parametrize("answer", rows(WRONG))
def test_fix_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("08.1", *WRONG[answer])


@pytest.mark.usefixtures("no_release")
@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_fix_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("08.1", NOT_TRIED[answer]).startswith("not tried: myapp:1.1.0 in the registry")


@pytest.fixture(scope="module")
def release(lab: Desk) -> None:
    lab.shell(changed(BASE, PIN) + BUILD)


def entry(days: int = 30, **changed: str) -> str:
    """accepted.yaml with one entry; DAY is written by the test, so many days from today."""
    given = {"id": "CVE-2025-60876", "reason": "nothing here calls busybox wget"} | changed
    lines = "\n".join(f"  {name}: {value}" for name, value in given.items())
    return f"cat > accepted.yaml <<END\n-{lines[1:]}\n  expires: $(day {days})\nEND\n"


ACCEPTED_RIGHT = {
    "the last day there is": entry(90),
    "tomorrow": entry(1),
    "for one package": entry(30, package="busybox"),
    "two words as a reason": entry(30, reason="no fix"),
    "quoted": entry(30, reason='"nothing here calls: wget"'),
}
ACCEPTED_WRONG = {
    "yesterday": (entry(-1), "which day comes after today?"),
    "today": (entry(0), "which day comes after today?"),
    "a year": (entry(365), "365 days from today | a day on which you look again, for 90 days at"),
    "another finding": (
        entry(id="CVE-2022-32207"),
        "CVE-2022-32207, which the image has not | accept this one",
    ),
    "no reason": (entry(reason="..."), "... | with a reason | who reads this in three months"),
    "a word for a reason": (entry(reason="todo"), "todo | with a reason | who reads this in three"),
    "a number for a reason": (
        entry(reason="123"),
        "accepted.yaml, entry 1: reason is 123; it must be a text.",
    ),
    "an empty reason": (entry(reason='""'), "accepted.yaml, entry 1 has no reason."),
    "no day": (
        "printf -- '- id: CVE-2025-60876\\n  reason: it has no fix yet\\n' > accepted.yaml",
        "an entry with id, reason and expires",
    ),
    "nothing in it": ("touch accepted.yaml", "does not pass: "),
    "one more beside it": (
        entry() + "sed 's/60876/60877/' accepted.yaml > b; cat b >> accepted.yaml",
        "CVE-2025-60877, which the image has not",
    ),
    "no list": ("echo 'id: CVE-2025-60876' > accepted.yaml", "must be a list of entries"),
    "another name": ("echo > accept.yaml", "accept.yaml | write accepted.yaml"),
}


@pytest.fixture
def nothing_accepted(lab: Desk, release: None) -> str:
    """Shell that knows the days from the sandbox's today."""
    lab.done("rm -f accept*.yaml")
    today = lab.lab._now().date()
    days = "\n".join(f"{n}) echo {today + timedelta(days=n)};;" for n in (-1, 0, 1, 30, 90, 365))
    return f"day() {{ case $1 in\n{days}\nesac; }}\n"


@pytest.mark.parametrize("answer", rows(ACCEPTED_RIGHT))
def test_accept_right(lab: Desk, nothing_accepted: str, answer: str) -> None:
    seen = lab.after("08.2", nothing_accepted + ACCEPTED_RIGHT[answer])
    assert seen.startswith("passed: myapp:1.1.0 passes")


@pytest.mark.parametrize("answer", rows(ACCEPTED_WRONG, 13))
def test_accept_wrong(lab: Desk, nothing_accepted: str, answer: str) -> None:
    script, says = ACCEPTED_WRONG[answer]
    seen = lab.after("08.2", nothing_accepted + script)
    assert seen.startswith("not yet")
    assert says in seen


def test_accept_not_tried(lab: Desk, nothing_accepted: str) -> None:
    assert lab.after("08.2", nothing_accepted).startswith("not tried: the file accepted.yaml")
