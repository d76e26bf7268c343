"""A manifest is read as kubectl and the API server read one."""

from pathlib import Path

import pytest

from labs_helpers.errors import LabError
from labs_helpers.pods.manifest import read

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: nginx, ports: [{containerPort: 80}]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers: [{name: app, image: nginx, env: [{name: A, value: b}], command: [sh], args: [-c]}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "web.yaml"


def test_a_deployment_wants_replicas_of_its_template(path: Path) -> None:
    path.write_text(DEPLOYMENT)
    found = read(path)
    assert (found.kind, found.name, found.replicas) == ("Deployment", "web", 2)
    assert found.pod(0) != found.pod(1)
    assert found.pod(0).startswith(f"web-{found.hash}-")


def test_only_a_changed_template_has_another_hash(path: Path) -> None:
    path.write_text(DEPLOYMENT)
    before = read(path)
    path.write_text(DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
    assert read(path).hash == before.hash
    path.write_text(DEPLOYMENT.replace("nginx", "nginx:1"))
    assert read(path).hash != before.hash


def test_a_pod_has_the_name_of_its_manifest(path: Path) -> None:
    path.write_text(POD)
    found = read(path)
    assert (found.pod(0), found.replicas) == ("one", 1)
    assert found.containers[0]["args"] == ["-c"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "containers:",
            "contaners:",
            'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
            'unknown field "spec.template.spec.contaners"',
        ),
        ("image: nginx", "imag: nginx", 'unknown field "spec.template.spec.containers[0].imag"'),
        (", image: nginx", "", "spec.template.spec.containers[0].image: Required value"),
        (
            "{app: web}}\n    spec",
            "{app: shop}}\n    spec",
            "spec.template.metadata.labels: Invalid value: "
            '{"app": "shop"}: `selector` does not match template `labels`',
        ),
        ("{name: web}", "{name: Web}", "metadata.name: Invalid value"),
        ("replicas: 2", "replicas: two", "spec.replicas: Invalid value"),
        ("replicas: 2", "replicas: -1", "spec.replicas: Invalid value"),
        ("replicas: 2", "strategy: {}", "lab.pods does not carry out spec.strategy"),
        ("image: nginx", "image: nginx, resources: {}", "spec.template.spec.containers[0].resour"),
        ("kind: Deployment", "kind: Service", 'resource mapping not found for kind "Service"'),
        ("apps/v1", "v1", 'no kind|resource mapping not found for kind "Deployment" in version'),
        ("metadata: {name: web}", "metadata: [", "error: error parsing"),
        ("metadata: {name: web}\n", "", "metadata: Required value"),
        ("containerPort: 80", "containerPort: 99999", "containerPort: Invalid value"),
    ],
)
def test_what_kubectl_refuses_is_refused_in_words(
    path: Path, old: str, new: str, words: str
) -> None:
    assert old in DEPLOYMENT
    path.write_text(DEPLOYMENT.replace(old, new, 1))
    with pytest.raises(LabError) as refused:
        read(path)
    assert any(one in str(refused.value) for one in words.split("|"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *[(each, "it holds none[.]") for each in ("", "- a\n", "just words")],
        ("a: 1\n---\nb: 2\n", "it holds 2[.]"),
        ("a: 1\n---\nwords\n", "it holds 2[.]"),
        ("\x00", "error parsing"),
    ],
)
def test_a_file_that_holds_no_one_object_is_refused_in_words(
    path: Path, text: str, says: str
) -> None:
    path.write_text(text)
    with pytest.raises(LabError, match=f"error: .*{says}"):
        read(path)


def test_a_missing_file_is_refused_in_kubectl_s_words(path: Path) -> None:
    with pytest.raises(LabError, match=r"the path .* does not exist"):
        read(path)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]\n" for number in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: Pod\n{BOMB}spec: {{containers: [*a11]}}\n",
        "apiVersion: v1\nkind: Pod\nspec: &s {containers: [*s]}\n",
    ],
)
def test_aliases_that_stand_for_billions_of_values_are_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(LabError, match="its aliases stand for too many values"):
        read(path)


def test_a_file_that_is_too_long_is_refused_before_it_is_parsed(path: Path) -> None:
    path.write_text("a" * 3_000_000)
    with pytest.raises(LabError, match="is larger than 1,000,000 bytes"):
        read(path)
