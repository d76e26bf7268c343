"""Lab 06: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from labs_helpers.checks import containers
from labs_helpers.prepare.docker import take_names
from tests.labs.desk import Desk, desk, rows

LABEL = "org.opencontainers.image.version"
HTML = "/usr/share/nginx/html/"


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("06") as made:
        made.done("mkdir -p site/drafts; seq 100000 > site/drafts/measurements.csv")
        made.done("docker pull -q nginx:alpine")
        yield made


@pytest.fixture(autouse=True)
def no_answer_yet(lab: Desk) -> None:
    take_names(lab.place, ("demo-site", "demo-app"), [])
    lab.done("rm -f .dockerignore")


def build(*lines: str, name: str = "demo-site:small", options: str = "") -> str:
    """Build from a Dockerfile with these lines."""
    text = "\n".join(lines)
    write = f"cat > Dockerfile.mine <<'END'\n{text}\nEND\n"
    return f"{write}docker build -q -t {name} {options} -f Dockerfile.mine ."


ARG, SET = "ARG VERSION=dev", f"LABEL {LABEL}=$VERSION"
PUBLIC = f"COPY site/public/ {HTML}"
TWO = "--build-arg VERSION=2.0.0"
FROM = "FROM nginx:alpine"

RIGHT = {
    "one stage that copies the public part": build(FROM, ARG, SET, PUBLIC, options=TWO),
    "an argument of another name": build(
        FROM, "ARG V", f'LABEL {LABEL}="$V"', PUBLIC, options="--build-arg V=2.0.0"
    ),
    "without a file": f"rm -f Dockerfile.mine; docker build -q -t demo-site:small {TWO} -f - . "
    f"<<'END'\n{FROM}\n{ARG}\n{SET}\n{PUBLIC}\nEND",
    "by way of ENV": build(
        FROM, ARG, "ENV RELEASE=$VERSION", f"LABEL {LABEL}=${{RELEASE}}", PUBLIC, options=TWO
    ),
    "in a stage below": build(
        "FROM nginx:alpine AS base", ARG, SET, "FROM base", PUBLIC, options=TWO
    ),
    "the default of the argument": build(FROM, "ARG VERSION=2.0.0", SET, PUBLIC),
    "drafts kept out of the context": "echo site/drafts > .dockerignore\n"
    + build(FROM, ARG, SET, "COPY site/ /src/", PUBLIC, options=TWO),
    "an older nginx": build("FROM nginx:1.21-alpine", ARG, SET, PUBLIC, options=TWO),
    "file by file, and more labels": build(
        FROM,
        ARG,
        SET,
        "LABEL maintainer=me",
        f"COPY site/public/index.html {HTML}",
        f"COPY site/public/style.css {HTML}",
        options=TWO,
    ),
}
LITERAL = f"LABEL {LABEL}=2.0.0"
WRONG = {
    "an argument that nothing reads": build(FROM, "ARG VERSION=2.0.0", LITERAL, PUBLIC),
    "an argument of another name that nothing reads": build(
        FROM, "ARG V", LITERAL, PUBLIC, options="--build-arg V=2.0.0"
    ),
    "a variable beside the argument": build(
        FROM, "ARG V=2.0.0", "ENV VERSION=2.0.0", SET, PUBLIC, options="--build-arg V=2.0.0"
    ),
    "a variable that hides the argument": build(
        FROM, ARG, "ENV VERSION=2.0.0", SET, PUBLIC, options=TWO
    ),
    "a variable instead": build(FROM, "ENV VERSION=2.0.0", SET, PUBLIC),
    "an argument above the first line only": build("ARG VERSION=2.0.0", FROM, SET, PUBLIC),
    "an argument above the first line, and the label in the file": build(
        "ARG VERSION=2.0.0", FROM, LITERAL, PUBLIC
    ),
    "the label written into the file": build(FROM, f"LABEL {LABEL}=2.0.0", PUBLIC),
    "another base": build("FROM debian:12", ARG, SET, PUBLIC, options=TWO),
    "empty files": "mkdir -p empty; touch empty/index.html empty/style.css\n"
    + build(FROM, ARG, SET, f"COPY empty/ {HTML}", options=TWO),
    "one stage": "docker build -q -t demo-site:small -f Dockerfile.one-stage --label "
    f"{LABEL}=2.0.0 .",
    "no argument given": "docker build -q -t demo-site:small -f Dockerfile.multi-stage .",
    "an argument of another name given": "docker build -q -t demo-site:small "
    "-f Dockerfile.multi-stage --build-arg version=2.0.0 .",
    "another version": "docker build -q -t demo-site:small -f Dockerfile.multi-stage "
    "--build-arg VERSION=2.0 .",
    "the label by an option of build": "docker build -q -t demo-site:small "
    f"-f Dockerfile.multi-stage --label {LABEL}=2.0.0 .",
    "drafts deleted by an empty folder over them": build(
        FROM, ARG, SET, "COPY site/ /src/", PUBLIC, options=TWO
    ),
    "drafts under another name": build(
        FROM, ARG, SET, "COPY site/drafts/ /old/", PUBLIC, options=TWO
    ),
    "another folder than the one that nginx serves": build(
        FROM, ARG, SET, "COPY site/public/ /srv/", options=TWO
    ),
    "the style left out": build(FROM, ARG, SET, f"COPY site/public/index.html {HTML}", options=TWO),
    "the page of the other image": build(FROM, ARG, SET, f"COPY index.html {HTML}", options=TWO),
    "nothing copied": build(FROM, ARG, SET, options=TWO),
    "another command": build(FROM, ARG, SET, PUBLIC, 'CMD ["ls"]', options=TWO),
    "nginx in the background": build(FROM, ARG, SET, PUBLIC, 'CMD ["nginx"]', options=TWO),
    "a page for a moment": build(
        FROM, ARG, SET, PUBLIC, 'CMD ["sh", "-c", "nginx; sleep 0.5"]', options=TWO
    ),
    "a label of another name": build(FROM, ARG, "LABEL version=$VERSION", PUBLIC, options=TWO),
}
SAYS = {
    "nginx in the background": "a container of demo-site:small, which the check ran | it ended,"
    " with the exit code 0 | a page served by nginx",
    "a page for a moment": "it ended, with the exit code 0 | a page served by nginx",
    "the page of the other image": "your index.html, and not site/public/index.html | the page of"
    " the folder site/",
    "an argument that nothing reads": f"Dockerfile.mine, from which demo-site:small was built | "
    f"{LITERAL} | set by a build argument | which label does the image get",
    "an argument of another name that nothing reads": f"{LITERAL} | set by a build argument",
    "a variable beside the argument": f"{SET} | set by a build argument",
    "a variable that hides the argument": f"{SET} | set by a build argument",
    "a variable instead": "no argument in the last stage | set by a build argument",
    "an argument above the first line only": "the label is empty | the label",
    "an argument above the first line, and the label in the file": "no argument in the last stage",
    "the label written into the file": "no argument in the last stage | set by a build argument",
    "another base": "not those of an nginx image | a page served by nginx",
    "empty files": "an empty file | the page of the folder site/",
    "one stage": "/src/drafts",
    "no argument given": "dev | the label org.opencontainers.image.version set to 2.0.0",
    "an argument of another name given": "dev | the label",
    "another version": "2.0 | the label",
    "the label by an option of build": "a label that no line of the Dockerfile sets to 2.0.0",
    "drafts deleted by an empty folder over them": "without the folder drafts in any of its layers",
    "drafts under another name": "/old/measurements.csv in layer",
    "another folder than the one that nginx serves": "index.html in demo-site:small | another",
    "the style left out": "style.css in demo-site:small | no such file",
    "nothing copied": "index.html in demo-site:small | another file than site/public/index.html",
    "another command": '"ls"] | a page served by nginx',
    "a label of another name": "1.31.6 | the label org",
}


def test_at_first_nothing_is_said(lab: Desk) -> None:
    assert lab.after("06.1", "").startswith("not tried: the local image demo-site:small")
    assert lab.after("06.2", "").startswith("not tried: the local image demo-app:prod")


@pytest.mark.parametrize("answer", rows(RIGHT, 9))
def test_small_right(lab: Desk, answer: str) -> None:
    assert lab.after("06.1", RIGHT[answer]).startswith("passed: demo-site:small serves the page")


@pytest.mark.parametrize("answer", rows(WRONG, 24))
def test_small_wrong(lab: Desk, answer: str) -> None:
    seen = lab.after("06.1", WRONG[answer])
    assert seen.startswith("not yet")
    assert SAYS[answer] in seen


def prod(*lines: str) -> str:
    return build(*lines, name="demo-app:prod")


ENV, PORT, PAGE = "ENV APP_ENV=prod", "EXPOSE 8080", f"COPY index.html {HTML}"
PROD_RIGHT = {
    "the old form of ENV, and the protocol named": prod(
        FROM, "ENV APP_ENV prod", "EXPOSE 8080/tcp", PAGE
    ),
    "by an argument, in another order": prod(
        FROM, PAGE, "ARG STAGE=prod", "ENV APP_ENV=$STAGE", PORT
    ),
    "on the lesson's image": "docker build -q -t demo-app .\n" + prod("FROM demo-app", ENV, PORT),
    "two stages and a second port": prod(
        "FROM debian:12 AS page",
        "COPY index.html /",
        FROM,
        ENV,
        "EXPOSE 8080 9090",
        f"COPY --from=page /index.html {HTML}",
    ),
}
PROD_RIGHT["nginx by way of a shell"] = prod(FROM, ENV, PORT, PAGE, "CMD nginx -g 'daemon off;'")
PROD_WRONG = {
    "nothing copied": (prod(FROM, ENV, PORT), "another file than index.html | serves index.html"),
    "the first line only": (prod(FROM), "no APP_ENV | the environment variable APP_ENV = prod"),
    "a value for the build only": (
        prod(FROM, "ARG APP_ENV=prod", PORT, PAGE),
        "no APP_ENV | the environment variable APP_ENV = prod | which instruction leaves a value",
    ),
    "a label instead": (prod(FROM, "LABEL APP_ENV=prod", PORT, PAGE), "no APP_ENV"),
    "another value": (prod(FROM, "ENV APP_ENV=production", PORT, PAGE), "APP_ENV=production |"),
    "another name": (prod(FROM, "ENV app_env=prod", PORT, PAGE), "app_env=prod | the environment"),
    "no port": (prod(FROM, ENV, PAGE), "80/tcp | documents port 8080"),
    "another port": (prod(FROM, ENV, "EXPOSE 80", PAGE), "80/tcp | documents port 8080"),
    "another protocol": (prod(FROM, ENV, "EXPOSE 8080/udp", PAGE), "80/tcp, 8080/udp |"),
    "another base": (
        prod("FROM nginx:1.21-alpine", ENV, PORT, PAGE),
        "not those of nginx:alpine | demo-app:prod begins with nginx:alpine",
    ),
    "no web server": (prod("FROM alpine", ENV, PORT, PAGE), "not those of nginx:alpine"),
    "nginx in the background": (
        prod(FROM, ENV, PORT, PAGE, 'CMD ["nginx"]'),
        "a container of demo-app:prod, which the check ran | it ended, with the exit code"
        " 0 | serves index.html | a container lives as long as its first program",
    ),
    "nginx told to go into the background": (
        prod(FROM, ENV, PORT, PAGE, "CMD nginx -g 'daemon on;'"),
        "it ended, with the exit code 0",
    ),
    "the page of the site": (
        prod(FROM, ENV, PORT, f"COPY site/public/ {HTML}"),
        "your site/public/index.html, and not index.html | serves index.html | nginx would show"
        " this instead of your index.html",
    ),
    "another folder": (
        prod(FROM, ENV, PORT, "COPY index.html /html/"),
        "another file than index.html | serves index.html",
    ),
    "another page": (
        "echo hello > other.html\n" + prod(FROM, ENV, PORT, f"COPY other.html {HTML}index.html"),
        "your other.html, and not index.html | serves index.html",
    ),
    "another command": (
        prod(FROM, ENV, PORT, PAGE, f'CMD ["cat", "{HTML}index.html"]'),
        "what starts when somebody runs demo-app:prod",
    ),
}


@pytest.mark.parametrize("answer", rows(PROD_RIGHT))
def test_prod_right(lab: Desk, answer: str) -> None:
    assert lab.after("06.2", PROD_RIGHT[answer]).startswith(
        "passed: demo-app:prod has APP_ENV=prod"
    )


def test_where_no_container_runs_the_command_says_whether_nginx_stays(
    lab: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(image_id: str, path: str) -> containers.Ran:
        raise containers.CannotRun("the labs engine refuses to publish port 80")

    monkeypatch.setattr(containers, "run", refuse)
    assert lab.after("06.2", prod(FROM, ENV, PORT, PAGE)).startswith("passed")
    says = 'runs demo-app:prod | ["/docker-entrypoint.sh", "nginx"] | serves index.html'
    lab.finds_wrong("06.2", prod(FROM, ENV, PORT, PAGE, 'CMD ["nginx"]'), says)


def test_the_check_leaves_no_container(lab: Desk) -> None:
    before = lab.place.docker.containers.list(all=True)
    lab.after("06.2", prod(FROM, ENV, PORT, PAGE, "LABEL one=1"))
    assert lab.place.docker.containers.list(all=True) == before


@pytest.mark.parametrize("answer", rows(PROD_WRONG, 14))
def test_prod_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("06.2", *PROD_WRONG[answer])
