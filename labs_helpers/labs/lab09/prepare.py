"""Lab 09 starts from sources and an empty repository: the pipeline makes all the rest."""

import shutil
from contextlib import suppress

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, logged_out, no_local_images
from labs_helpers.prepare.people import no_role
from labs_helpers.prepare.repositories import empty_repository, no_scanning_rules
from labs_helpers.prepare.step import Place, Step

ROLES = ("demo-app-build", "demo-app-pipeline", "demo-app-github")
NAME = "demo-app"
RULE = "demo-app-pushed"
GITHUB = "token.actions.githubusercontent.com"


def _files_as_they_came(place: Place) -> None:
    """The lab edits some of them, and prints digests, which follow from every byte."""
    work = place.workspace.home / "work" / "09"
    work.mkdir(parents=True, exist_ok=True)
    for file in sorted((place.files / "09").iterdir()):
        shutil.copy(file, work / file.name)
    for name in ("imagedefinitions.json", "releases.txt"):
        (work / name).unlink(missing_ok=True)


def _nothing_defined(place: Place) -> None:
    place.client("codebuild").delete_project(name=NAME)
    place.client("codepipeline").delete_pipeline(name=NAME)
    events = place.client("events")
    with suppress(events.exceptions.ResourceNotFoundException):
        events.delete_rule(Name=RULE)
    for role in ROLES:
        no_role(role).ensure(place)
    # there is no error where there is no such provider
    place.client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn=f"arn:aws:iam::{place.account}:oidc-provider/{GITHUB}"
    )


STEPS = (
    configured(),
    empty_repository(),
    no_scanning_rules(),
    no_local_images(IN_ECR),
    logged_out(),
    Step("the lab's files are as they came", _files_as_they_came),
    Step("no build project, pipeline, rule or identity provider of demo-app", _nothing_defined),
)
