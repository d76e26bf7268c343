"""What a hub is set up from names what is there: the image, the chart's values, the service."""

from __future__ import annotations

import asyncio
import configparser
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from traitlets.config import PyFileConfigLoader

from tests.packaging.test_environment import PROJECT, pins

ROOT = Path(__file__).parents[2]
HUB = ROOT / "deploy" / "jupyterhub"
KUBERNETES = ROOT / "deploy" / "kubernetes"


def instructions(file: Path) -> list[tuple[str, str]]:
    """(instruction, rest) of a Dockerfile, with continued lines joined."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined]


def test_the_image_installs_by_targets_of_the_makefile() -> None:
    made = instructions(KUBERNETES / "Dockerfile")
    (target,) = re.findall(r"make -C /opt/labs (\S+)", " ".join(rest for _, rest in made))
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert made[0] == ("FROM", "python:3.12-slim-bookworm")
    # as the chart runs the container
    assert ("USER", "1000") in made
    assert json.loads(dict(made)["CMD"]) == ["labs", "serve"]


def test_the_image_takes_no_state_and_no_environment_of_the_builder_along() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", ".labs", "my-labs"} <= set(ignored)


def test_the_charts_values_start_the_labs_in_the_learners_home() -> None:
    values = yaml.safe_load((KUBERNETES / "values.yaml").read_text())
    single = values["singleuser"]
    assert single["cmd"] == ["labs", "serve"]
    assert set(single["image"]) == {"name", "tag"}
    assert (
        f"useradd --create-home --uid 1000 {Path(single['storage']['homeMountPath']).name}"
        in (KUBERNETES / "Dockerfile").read_text()
    )
    # less than what a learner has taken after the first labs would end their kernel
    assert single["memory"]["guarantee"] == "400M"
    assert values["cull"]["enabled"] is True


def test_the_chart_lets_nobody_in_before_the_instructor_has_said_a_password() -> None:
    config = yaml.safe_load((KUBERNETES / "values.yaml").read_text())["hub"]["config"]
    name = config["JupyterHub"]["authenticator_class"]
    (found,) = entry_points(group="jupyterhub.authenticators", name=name)
    chosen = found.load()(**config["Authenticator"])
    given = {"username": "anna", "password": ""}
    assert asyncio.run(chosen.authenticate(None, given)) is None
    chosen.user_password = "twelve words"
    assert asyncio.run(chosen.authenticate(None, given)) is None
    asked = asyncio.run(chosen.authenticate(None, given | {"password": "twelve words"}))
    assert asked["name"] == "anna"
    # the guide's command sets that one
    option = f"hub.config.{type(chosen).__name__}.user_password="
    assert f"--set-string {option}" in (ROOT / "docs/jupyterhub.md").read_text()


def test_jupyterhubs_settings_load_and_name_what_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    config = PyFileConfigLoader(str(HUB / "jupyterhub_config.py")).load_config()
    program, *words = config.Spawner.cmd
    assert (Path(program), words) == (ROOT / ".venv/bin/labs", ["serve"])
    (culler,) = config.JupyterHub.services
    (role,) = config.JupyterHub.load_roles
    assert role["services"] == [culler["name"]]
    # JupyterHub lets in only who is allowed, its administrators too
    assert config.LocalAuthenticator.allowed_groups == {"learners", "instructors"}
    assert config.LocalAuthenticator.admin_groups == {"instructors"}


def test_the_service_runs_the_hub_of_the_guide() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read(HUB / "jupyterhub.service")
    program, _, settings = unit["Service"]["ExecStart"].split()
    assert program == "/opt/labs/.venv/bin/jupyterhub"
    assert ROOT / Path(settings).relative_to("/opt/labs") == HUB / "jupyterhub_config.py"


def test_systemd_knows_every_word_of_the_service(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    unit = tmp_path / "jupyterhub.service"
    there = (HUB / "jupyterhub.service").read_text().replace("/opt/labs/", f"{ROOT}/")
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", there))
    ran = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    said = [line for line in ran.stderr.splitlines() if str(unit) in line or unit.name in line]
    assert (ran.returncode, said) == (0, [])


def test_the_hub_and_the_learners_containers_speak_the_same_version() -> None:
    conda = (ROOT / "environment.yml").read_text()
    locked = pins("requirements-jupyterhub.lock")
    assert f"jupyterhub-singleuser={locked['jupyterhub']}" in conda
    extra = PROJECT["project"]["optional-dependencies"]["jupyterhub"]
    assert {line.split(">")[0] for line in extra} <= set(locked)


def test_every_lock_names_the_learners_versions() -> None:
    learner = pins("requirements.lock")
    hub = pins("requirements-jupyterhub.lock")
    assert {name: hub.get(name) for name in learner} == learner


@pytest.mark.parametrize("path", ["start", ".ci/run", "deploy/jupyterhub/add-learners"])
def test_a_shells_file_keeps_its_line_ends_in_any_checkout(path: str) -> None:
    told = subprocess.run(
        ["git", "check-attr", "eol", "--", path, "Makefile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines() == [f"{path}: eol: lf", "Makefile: eol: lf"]
    assert b"\r" not in (ROOT / path).read_bytes()


def test_binder_and_codespaces_start_the_labs() -> None:
    assert (ROOT / "start").read_text().splitlines()[-1] == 'exec labs serve "$@"'
    space = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    target = space["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("count", ["", "forty", "0", "-1"])
def test_add_learners_says_what_it_wants(count: str) -> None:
    ran = subprocess.run([HUB / "add-learners", *([count] if count else [])], capture_output=True)
    assert ran.returncode == 2
    assert b"Say how many" in ran.stderr
