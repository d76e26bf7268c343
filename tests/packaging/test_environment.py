"""pyproject.toml, the two locks and environment.yml name the same things."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())
LOCKS = ("requirements.lock", "requirements-jupyterhub.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    """name -> version of every pin; where markers fork a package, the newest stands."""
    found: dict[str, str] = {}
    for line in (ROOT / lock).read_text().splitlines():
        if match := re.match(r"([a-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", line, re.IGNORECASE):
            found[canonicalize_name(match[1])] = match[2]
    return found


def conda_specs() -> list[str]:
    return [spec for spec in CONDA["dependencies"] if isinstance(spec, str)]


def conda_pip() -> list[str]:
    (section,) = [spec for spec in CONDA["dependencies"] if isinstance(spec, dict)]
    return [str(line) for line in section["pip"]]


def direct() -> list[Requirement]:
    return [Requirement(text) for text in PROJECT["project"]["dependencies"]]


@pytest.mark.parametrize("requirement", direct(), ids=lambda r: r.name)
def test_every_dependency_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    version = pins("requirements.lock")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_the_learners_pins_are_the_testers_pins() -> None:
    learner, _, tester = (pins(lock) for lock in LOCKS)
    assert {name: tester.get(name) for name in learner} == learner


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_hashed_and_no_index_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = [entry for entry in re.split(r"\n(?=[a-zA-Z])", text) if "==" in entry]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


@pytest.mark.parametrize("spec", conda_specs())
def test_conda_can_read_every_spec(spec: str) -> None:
    assert MatchSpec(spec, strict=True).name is not None


@pytest.mark.parametrize("requirement", direct(), ids=lambda r: r.name)
def test_conda_installs_every_dependency_at_the_pinned_version(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    from_conda = {re.split(r"[=<>]", spec)[0]: spec for spec in conda_specs()}
    from_pip = {
        canonicalize_name(Requirement(line).name): Requirement(line)
        for line in conda_pip()
        if not line.startswith("-")
    }
    if name == "awscli":
        assert SpecifierSet(from_conda[name].removeprefix("awscli")) == SpecifierSet(">=2.27,<3")
        assert requirement.specifier.contains("2.27")
    elif name in from_conda:
        assert from_conda[name] == f"{name}={pins('requirements.lock')[name]}"
    else:
        assert str(from_pip[name].specifier) == f"=={pins('requirements.lock')[name]}"
        assert from_pip[name].extras == requirement.extras


@pytest.mark.parametrize("line", [line for line in conda_pip() if not line.startswith("-")])
def test_the_pip_section_names_locked_versions(line: str) -> None:
    requirement = Requirement(line)
    locked = pins("requirements-dev.lock")[canonicalize_name(requirement.name)]
    assert str(requirement.specifier) == f"=={locked}"


def test_the_project_itself_is_installed() -> None:
    assert "-e ." in conda_pip()


def test_binder_and_ci_install_what_run_needs() -> None:
    assert (ROOT / "apt.txt").read_text().split() == ["proot"]
    assert re.search(r"^packages=\([^)]*\bproot\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)
