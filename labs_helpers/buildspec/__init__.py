"""AWS CodeBuild's buildspec: read, checked and run as CodeBuild's agent runs it.

`read` makes a `Buildspec` of a text or names every problem by line and key; `Build` runs the phases
in a copy of the source and copies the artifacts out. The lab's command `labs build` and an executed
CodeBuild service run the same code.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from labs_helpers.buildspec.build import Build
from labs_helpers.buildspec.log import Log
from labs_helpers.buildspec.model import Buildspec
from labs_helpers.buildspec.problems import BuildspecError, Problem
from labs_helpers.buildspec.read import read
from labs_helpers.buildspec.result import Result
from labs_helpers.buildspec.settings import Settings

__all__ = ["Build", "Buildspec", "BuildspecError", "Log", "Problem", "Result", "Settings", "read"]
