"""The AWS CLI's configuration, as ``aws configure`` leaves it, and as it is before."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from labs_helpers.defaults import REGION, USER
from labs_helpers.files import write_text
from labs_helpers.prepare.step import Place, Step


def configured() -> Step:
    """The default profile is the learner's, as lab 01 sets it; other profiles stay."""
    return Step(
        f"the AWS CLI is configured as user {USER}, region {REGION}", _configure, on_aws=False
    )


def not_configured() -> Step:
    """No profile ``default``; other profiles stay."""
    return Step("the AWS CLI is not configured yet", _forget, on_aws=False)


def no_profile(name: str) -> Step:
    """No profile of this name, in the labs' own files, which they use on AWS as well."""

    def ensure(place: Place) -> None:
        _put(place, name, {}, {})

    return Step(f"no profile {name}", ensure)


def profile_of_account(name: str, account: str) -> Step:
    """A profile that is an administrator of another account of the sandbox. Not made on AWS.

    ``account`` is one of the lessons; a learner with names of their own may have another.
    """

    def ensure(place: Place) -> None:
        asked = {"account": place.workspace.own_names.of(account)}
        made = place.control.ask("POST", "accounts", asked)
        _put(place, name, _key(made), {"region": place.region, "output": "json"})

    return Step(f"profile {name} is an administrator of account {account}", ensure, on_aws=False)


def key_at_hand() -> Step:
    """The kernel's environment has the learner's key, for a lab that types it in."""
    return Step(
        "your access key is in $LABS_ACCESS_KEY_ID and $LABS_SECRET_ACCESS_KEY",
        _hand_out,
        on_aws=False,
        kernel=True,
    )


def _hand_out(place: Place) -> None:
    os.environ["LABS_ACCESS_KEY_ID"] = place.learner["access_key_id"]
    os.environ["LABS_SECRET_ACCESS_KEY"] = place.learner["secret_access_key"]


def _configure(place: Place) -> None:
    # the learner may have locked themself out, which makes the rest of the lab impossible
    place.control.ask("POST", "accounts", {"account": place.account})
    _put(place, "default", _key(place.learner), {"region": place.region, "output": "json"})


def _key(key: Mapping[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": key["access_key_id"],
        "aws_secret_access_key": key["secret_access_key"],
    }


def _forget(place: Place) -> None:
    _put(place, "default", {}, {})


def _put(place: Place, profile: str, key: Mapping[str, str], settings: Mapping[str, str]) -> None:
    """Make a profile hold this key and these settings, or be left out when both are empty."""
    section = profile if profile == "default" else f"profile {profile}"
    had = [
        _write(place.workspace.aws_credentials, profile, key),
        _write(place.workspace.aws_config, section, settings),
    ]
    if any(had) and had != [key, settings]:
        place.removed.append(f"profile {profile} of the AWS CLI, as it was")


def _write(path: Path, profile: str, given: Mapping[str, str]) -> dict[str, str]:
    """Put one section of an AWS profile file first, mode 0600, or leave it out when empty.

    Returns what the section held before; empty when there was none.
    """
    # no interpolation and no defaults section: a secret may hold a %, and `default` is a profile
    profiles = configparser.RawConfigParser(default_section="\0")
    profiles.read(path, encoding="utf-8")
    had = dict(profiles.items(profile)) if profiles.has_section(profile) else {}
    profiles.remove_section(profile)
    lines = [f"[{profile}]", *(f"{name} = {value}" for name, value in given.items())]
    for section in profiles.sections():
        lines += [f"[{section}]", *(f"{name} = {value}" for name, value in profiles.items(section))]
    write_text(path, "\n".join(lines if given else lines[1:]) + "\n", mode=0o600)
    return had
