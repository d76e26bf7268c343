"""What an isolated client may ask of the engine, by the rules alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labs_helpers.engine.api.isolated import Isolated, check_owner, check_request, checked_settings
from labs_helpers.engine.errors import Forbidden, NotFound


@pytest.fixture
def build(tmp_path: Path) -> Isolated:
    folder = tmp_path / "builds/one"
    (folder / "source").mkdir(parents=True)
    (tmp_path / "secret").write_text("of the learner")
    return Isolated(folder)


HOST: list[tuple[dict[str, Any], str]] = [
    ({"Binds": ["/home/x:/h"]}, "-v /home/x"),
    ({"Binds": ["/:/h:ro"]}, "-v /"),
    ({"Binds": ["data:/h"]}, "-v data:/h"),
    ({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/h"}]}, "-v /etc"),
    ({"Mounts": [{"Type": "volume", "Source": "data", "Target": "/h"}]}, "-v data"),
    (
        {
            "Mounts": [
                {
                    "Type": "volume",
                    "Target": "/h",
                    "VolumeOptions": {"DriverConfig": {"Options": {"device": "/", "o": "bind"}}},
                }
            ]
        },
        "DriverConfig",
    ),
    ({"Mounts": [{"Type": "image", "Source": "x", "Target": "/h"}]}, "the mount"),
    ({"NetworkMode": "host"}, "--network host"),
    ({"NetworkMode": "container:web"}, "--network container:web"),
    ({"Privileged": True}, "--privileged"),
    ({"CapAdd": ["SYS_ADMIN"]}, "--cap-add"),
    ({"Devices": [{"PathOnHost": "/dev/sda"}]}, "--device"),
    ({"DeviceCgroupRules": ["a *:* rwm"]}, "HostConfig.DeviceCgroupRules"),
    ({"PidMode": "host"}, "--pid host"),
    ({"IpcMode": "host"}, "--ipc host"),
    ({"UTSMode": "host"}, "--uts host"),
    ({"UsernsMode": "host"}, "HostConfig.UsernsMode host"),
    ({"CgroupParent": "/"}, "HostConfig.CgroupParent"),
    ({"CgroupnsMode": "host"}, "HostConfig.CgroupnsMode host"),
    ({"SecurityOpt": ["seccomp=unconfined"]}, "--security-opt"),
    ({"MaskedPaths": []}, "HostConfig.MaskedPaths"),
    ({"ReadonlyPaths": []}, "HostConfig.ReadonlyPaths"),
    ({"VolumesFrom": ["web"]}, "--volumes-from"),
    ({"Links": ["web"]}, "HostConfig.Links"),
    ({"Runtime": "other"}, "HostConfig.Runtime other"),
    ({"LogConfig": {"Type": "syslog", "Config": {}}}, "HostConfig.LogConfig"),
    ({"binds": ["/:/h"]}, "HostConfig.binds"),
]


@pytest.mark.parametrize(("host", "named"), HOST, ids=str)
@pytest.mark.parametrize("of_a_build", [True, False])
def test_a_container_gets_nothing_of_the_machine(
    build: Isolated, host: dict[str, Any], named: str, of_a_build: bool
) -> None:
    client = build if of_a_build else Isolated()
    with pytest.raises(Forbidden, match="isolated itself") as refused:
        checked_settings(client, {"Image": "box", "HostConfig": host}, binds=True)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        {"hostconfig": {"Binds": ["/:/h"]}},
        {"Labels": {"labs.relay": "127.0.0.1:1=127.0.0.1:2"}},
        {"NetworkingConfig": {"EndpointsConfig": {"host": {}}}},
    ],
    ids=str,
)
def test_other_settings_are_refused_by_name(body: dict[str, Any]) -> None:
    with pytest.raises(Forbidden, match=r"hostconfig|labs\.relay|--network host"):
        checked_settings(Isolated(), body, binds=True)


def test_a_build_mounts_its_own_folder(build: Isolated) -> None:
    assert build.folder
    host = {"Binds": [f"{build.folder}/source:/src:ro", "/anonymous"], "Memory": 1 << 29}
    found = checked_settings(build, {"Image": "box", "HostConfig": host}, binds=True)
    mounts = {mount["Target"]: mount for mount in found["HostConfig"]["Mounts"]}
    assert mounts["/src"] == {
        "Type": "bind",
        "Source": f"{build.folder}/source",
        "Target": "/src",
        "ReadOnly": True,
    }
    assert mounts["/anonymous"]["Type"] == "volume"
    assert mounts["/anonymous"]["Source"] == ""
    assert found["HostConfig"]["Memory"] == 1 << 29
    assert not found["HostConfig"]["Binds"]


def test_no_folder_is_mounted_where_links_could_lead_out(build: Isolated) -> None:
    host = {"Binds": [f"{build.folder}/source:/src"]}
    with pytest.raises(Forbidden, match="docker cp"):
        checked_settings(build, {"HostConfig": host}, binds=False)


@pytest.mark.parametrize("way", ["link", "dots", "sibling", "missing"])
def test_no_path_leads_out_of_the_folder_of_a_build(build: Isolated, way: str) -> None:
    assert build.folder
    (build.folder / "link").symlink_to(build.folder.parent.parent)
    (build.folder.parent / "one-more").mkdir()
    source = {
        "link": f"{build.folder}/link/secret",
        "dots": f"{build.folder}/../../secret",
        "sibling": f"{build.folder}-more",
        "missing": f"{build.folder}/nothing",
    }[way]
    with pytest.raises(Forbidden, match=r"own folder|does not exist"):
        checked_settings(build, {"HostConfig": {"Binds": [f"{source}:/x"]}}, binds=True)


REFUSED = [
    ("GET", "/events"),
    ("GET", "/volumes"),
    ("POST", "/volumes/create"),
    ("POST", "/containers/prune"),
    ("POST", "/images/prune"),
    ("POST", "/commit"),
    ("POST", "/containers/web/update"),
    ("GET", "/images/../containers/web/json"),
    ("POST", "/images//../containers/create/push"),
    ("POST", "/libpod/containers/create"),
    ("POST", "/libpod/play/kube"),
    ("POST", "/swarm/init"),
    ("POST", "/services/create"),
    ("POST", "/plugins/pull"),
]


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_requests_beyond_the_client_s_own_are_refused(method: str, path: str) -> None:
    with pytest.raises(Forbidden, match="isolated"):
        check_request(method, path, {})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("HEAD", "/_ping"), ("POST", "/auth"), ("POST", "/build"), ("POST", "/images/load")),
        *(("POST", "/images/1.dkr.ecr.eu-west-1.amazonaws.com/a/push"), ("GET", "/images/json")),
        *(("POST", "/containers/create"), ("DELETE", "/images/demo-app:1")),
    ],
)
def test_a_build_builds_pushes_and_runs(method: str, path: str) -> None:
    assert check_request(method, path, {}) == ""


def test_a_build_s_parameters_are_docker_s() -> None:
    check_request("POST", "/build", {"t": ["a"], "networkmode": ["default"]})
    for name in ("volume", "outputs", "additionalbuildcontexts"):
        with pytest.raises(Forbidden, match=f"{name} of a build"):
            check_request("POST", "/build", {name: ["/:/h"]})


def test_containers_are_their_maker_s(build: Isolated) -> None:
    assert check_request("POST", "/containers/web/exec", {}) == "web"
    check_owner(build, build.owner, "web")
    for owner in ("", Isolated().owner, "build another"):
        with pytest.raises(NotFound, match="No such container: web"):
            check_owner(build, owner, "web")


def test_the_name_of_a_container_may_be_that_of_an_image(build: Isolated) -> None:
    """`docker inspect IMAGE` asks for a container of the name first, and next after a 404."""
    name = "1.dkr.ecr.eu-west-1.amazonaws.com/demo-app:1"
    assert check_request("GET", f"/containers/{name}/json", {}) == name


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/networks/web", "network web not found"),
        ("/volumes/a/b", "get a/b: no such volume"),
        ("/plugins/p/json", 'plugin "p" not found'),
    ],
)
def test_what_an_isolated_program_has_not_is_not_found(path: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        check_request("GET", path, {})
