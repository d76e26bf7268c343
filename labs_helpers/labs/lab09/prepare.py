"""Lab 09 starts from sources and an empty repository: the pipeline makes all the rest."""

from contextlib import suppress

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, logged_out, no_local_images
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.people import no_role
from labs_helpers.prepare.repositories import empty_repository, no_scanning_rules
from labs_helpers.prepare.step import Place, Step

ROLES = ("demo-app-build", "demo-app-pipeline", "demo-app-github")
NAME = "demo-app"
RULE = "demo-app-pushed"
GITHUB = "token.actions.githubusercontent.com"


def _nothing_defined(place: Place) -> None:
    _no_project_or_pipeline(place)
    events = place.client("events")
    with suppress(events.exceptions.ResourceNotFoundException):
        events.describe_rule(Name=RULE)
        events.delete_rule(Name=RULE)
        place.removed.append(f"event rule {RULE}")
    for role in ROLES:
        no_role(role).ensure(place)
    iam = place.client("iam")
    provider = f"arn:aws:iam::{place.account}:oidc-provider/{GITHUB}"
    with suppress(iam.exceptions.NoSuchEntityException):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
        place.removed.append(f"identity provider {GITHUB}")


def _no_project_or_pipeline(place: Place) -> None:
    """Deleting either is no error where there is none, so look first for what to say."""
    build, pipeline = place.client("codebuild"), place.client("codepipeline")
    if build.batch_get_projects(names=[NAME])["projects"]:
        build.delete_project(name=NAME)
        place.removed.append(f"build project {NAME}")
    with suppress(pipeline.exceptions.PipelineNotFoundException):
        pipeline.get_pipeline(name=NAME)
        pipeline.delete_pipeline(name=NAME)
        place.removed.append(f"pipeline {NAME}")


STEPS = (
    configured(),
    empty_repository(),
    no_scanning_rules(),
    no_local_images(IN_ECR),
    logged_out(),
    # the lab edits some of them, and prints digests, which follow from every byte
    as_they_came(
        "09",
        "the lab's files are as they came",
        made=("artifacts/imagedefinitions.json", "releases.txt"),
    ),
    Step("no build project, pipeline, rule or identity provider of demo-app", _nothing_defined),
)
