"""Lab 07 starts from an image that is tagged for an empty repository, and a login."""

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import IN_ECR, built, logged_in, no_local_images, tagged
from labs_helpers.prepare.files import as_they_came
from labs_helpers.prepare.repositories import empty_repository, no_repository
from labs_helpers.prepare.step import Place, Step


def _mounting_off(place: Place) -> None:
    """What other repositories hold must not decide what this lab's push sends and prints."""
    place.client("ecr").put_account_setting(name="BLOB_MOUNTING", value="DISABLED")


STEPS = (
    configured(),
    Step("blob mounting is off, as in a new AWS account", _mounting_off, on_aws=False),
    no_repository("demo-app"),
    empty_repository(),
    no_local_images(IN_ECR, "demo-app"),
    built(folder="07"),
    tagged(),
    logged_in(),
    as_they_came("07", "production.txt is not written yet", (), ("production.txt",)),
)
