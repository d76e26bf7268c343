"""Runs a buildspec.yml on this machine, in the order and with the stops of AWS CodeBuild.

Each command of a phase runs in one bash, so a variable set in one phase is there in the next. A
failed command ends its phase. After a failed install or pre_build the build ends; after a failed
build, post_build still runs, unless the phase says `on-failure: ABORT`.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

import subprocess
import sys
from pathlib import Path
from shlex import quote

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


def checked(spec):
    """The spec, or an end that names what this runner does not know."""
    unknown = [key for key in spec if key not in ("version", "phases", "artifacts")]
    for name, phase in spec["phases"].items():
        unknown += [name] if name not in PHASES else []
        unknown += [f"{name}/{key}" for key in phase if key not in ("commands", "on-failure")]
        if phase.get("on-failure", "ABORT") not in ("ABORT", "CONTINUE"):
            unknown.append(f"{name}/on-failure: {phase['on-failure']}")
    if unknown:
        sys.exit(f"run_buildspec.py does not know: {', '.join(unknown)}")
    return spec


def script(spec):
    """One bash script for all phases; its exit code is 1 when a phase failed."""
    yield "export CODEBUILD_BUILD_SUCCEEDING=1; ended="
    for name in PHASES:
        phase = spec["phases"].get(name)
        if phase is None:
            continue
        yield f"if [ ! $ended ]; then echo '== {name}'; failed="
        for command in phase["commands"]:
            yield f"if [ ! $failed ]; then echo {quote('$ ' + command)}"
            yield f"{{ {command}\n}} || failed=1; fi"
        default = "CONTINUE" if name == "build" else "ABORT"
        yield "if [ $failed ]; then CODEBUILD_BUILD_SUCCEEDING=0"
        yield f"echo '== {name} FAILED'"
        yield "ended=1; fi; fi" if phase.get("on-failure", default) == "ABORT" else "fi; fi"
    yield "[ $CODEBUILD_BUILD_SUCCEEDING = 1 ]"


def main(path="buildspec.yml"):
    spec = checked(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    files = [Path(name) for name in spec.get("artifacts", {}).get("files", [])]
    for file in files:  # CodeBuild begins with nothing but the source
        file.unlink(missing_ok=True)
    run = ["bash", "-c", "\n".join(script(spec))]
    ended = subprocess.run(run, stderr=subprocess.STDOUT)
    for file in files:
        print("== artifact", file if file.exists() else f"{file} is missing", flush=True)
    if ended.returncode or not all(file.exists() for file in files):
        sys.exit("the build FAILED")
    print("the build SUCCEEDED")


if __name__ == "__main__":
    main(*sys.argv[1:])
