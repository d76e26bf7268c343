"""Lab 05 starts from an image that is ready to push, and from no login."""

from labs_helpers.prepare.configuration import configured
from labs_helpers.prepare.docker import built, logged_out, tagged
from labs_helpers.prepare.repositories import empty_repository

STEPS = (configured(), empty_repository(), built(), tagged(), logged_out())
