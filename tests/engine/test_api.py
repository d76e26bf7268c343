"""The engine's socket with hand-made requests: bad input gets JSON and leaves nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.engine_room import REGISTRY, Room, running


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with running(tmp_path_factory.mktemp("hub")) as found:
        yield found


def archive(*members: tuple[str, bytes | str], mode: str = "w") -> bytes:
    """A tar of files; text instead of bytes makes a symbolic link to it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in members:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def image_members(**changes: Any) -> list[tuple[str, bytes | str]]:
    """An image archive of the kind Docker wrote before version 25."""
    import hashlib

    layer = archive(("hello", b"world"))
    diff = "sha256:" + hashlib.sha256(layer).hexdigest()
    config: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-02T03:04:05.123456789Z",
        "rootfs": {"type": "layers", "diff_ids": [diff]},
        **changes,
    }
    manifest = [{"Config": "c.json", "RepoTags": ["loaded:1"], "Layers": ["l/layer.tar"]}]
    return [
        ("l/layer.tar", layer),
        ("c.json", json.dumps(config).encode()),
        ("manifest.json", json.dumps(manifest).encode()),
    ]


class TestSocket:
    def test_only_its_owner_can_use_it(self, room: Room) -> None:
        assert stat.S_IMODE(room.socket.stat().st_mode) == 0o600

    @pytest.mark.parametrize("prefix", ["", "/v1.22", "/v1.41", "/v1.47"])
    def test_every_version_of_the_api_answers(self, room: Room, prefix: str) -> None:
        reply = room.ask("GET", f"{prefix}/_ping")
        assert (reply.status, reply.body) == (200, b"OK")
        assert reply.headers["Api-Version"] == "1.47"
        assert reply.headers["Ostype"] == "linux"
        assert reply.headers["Builder-Version"] == "1"

    @pytest.mark.parametrize(("version", "said"), [("1.21", "is too old"), ("1.99", "is too new")])
    def test_a_version_out_of_range_is_told(self, room: Room, version: str, said: str) -> None:
        reply = room.ask("GET", f"/v{version}/version")
        assert reply.status == 400
        assert said in reply.message

    def test_head_has_no_body(self, room: Room) -> None:
        reply = room.ask("HEAD", "/_ping")
        assert (reply.status, reply.body) == (200, b"")

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/nonsense", 404),
            ("POST", "/containers/create", 400),
            ("POST", "/containers/x/start", 404),
            ("GET", "/containers/x/json", 404),
            ("POST", "/commit", 501),
            ("POST", "/session", 501),
            ("GET", "/services", 503),
            ("GET", "/images/search?term=x", 501),
            ("DELETE", "/images/nope", 404),
            ("GET", "/images/get", 400),
        ],
    )
    def test_what_is_not_there_is_json(
        self, room: Room, method: str, path: str, status: int
    ) -> None:
        reply = room.ask(method, path)
        assert (reply.status, bool(reply.message)) == (status, True)


class TestBadRequests:
    @pytest.mark.parametrize("header", ["%%%", "bm90IGpzb24=", "W10=", "eyJ1c2VybmFtZSI6MX0="])
    @pytest.mark.parametrize("path", ["/images/create?fromImage=nginx", "/images/x/push?tag=1"])
    def test_credentials_that_cannot_be_read(self, room: Room, header: str, path: str) -> None:
        reply = room.ask("POST", path, b"", {"X-Registry-Auth": header})
        assert reply.status == 400
        assert "X-Registry-Auth" in reply.message

    @pytest.mark.parametrize("query", ["filters=x", "filters=[]", 'filters={"label":[1]}'])
    def test_filters_that_cannot_be_read(self, room: Room, query: str) -> None:
        assert room.ask("GET", f"/images/json?{query}").status == 400

    @pytest.mark.parametrize("query", ["buildargs=x", "buildargs=[]", 'labels={"a":1}'])
    def test_build_parameters_that_cannot_be_read(self, room: Room, query: str) -> None:
        assert room.ask("POST", f"/build?{query}", archive()).status == 400

    @pytest.mark.parametrize("path", ["/build?", "/images/create?fromImage=debian&tag=12&"])
    def test_a_platform_that_is_none(self, room: Room, path: str) -> None:
        body = archive(("Dockerfile", b"FROM scratch\nLABEL a=b\n"))
        reply = room.ask("POST", f"{path}platform=linux/foo/bar/baz", body)
        assert (reply.status, reply.message) == (
            400,
            '"linux/foo/bar/baz": cannot parse platform specifier: invalid argument',
        )

    def test_buildkit_is_told_apart(self, room: Room) -> None:
        reply = room.ask("POST", "/build?version=2", archive(("Dockerfile", b"FROM scratch")))
        assert reply.status == 501
        assert "DOCKER_BUILDKIT=0" in reply.message

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"username":1}'])
    def test_a_login_that_cannot_be_read(self, room: Room, body: bytes) -> None:
        assert room.ask("POST", "/auth", body).status in (400, 401, 500)
        assert room.ask("POST", "/auth", body).message

    @pytest.mark.parametrize("server", ["a b", "https://", "http://[", "x@y", "quay.io"])
    def test_a_login_to_what_is_not_served(self, room: Room, server: str) -> None:
        body = json.dumps({"username": "u", "password": "p", "serveraddress": server}).encode()
        reply = room.ask("POST", "/auth", body)
        assert reply.status in (400, 403)

    @given(path=st.text(max_size=60), method=st.sampled_from(["GET", "POST", "DELETE"]))
    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_any_path_gets_json(self, room: Room, path: str, method: str) -> None:
        from urllib.parse import quote

        reply = room.ask(method, f"/images/{quote(path)}/json")
        assert reply.status < 500 or reply.status == 501, reply.body


class TestLoad:
    def loaded(self, room: Room) -> list[str]:
        return [
            tag for image in room.ask("GET", "/images/json").json() for tag in image["RepoTags"]
        ]

    @pytest.mark.parametrize("compress", [lambda b: b, gzip.compress])
    def test_an_old_archive(self, room: Room, compress: Any) -> None:
        reply = room.ask("POST", "/images/load", compress(archive(*image_members())))
        assert reply.stream == [{"stream": "Loaded image: loaded:1\n"}]
        shown = room.ask("GET", "/images/loaded:1/json").json()
        assert shown["Size"] == 5
        assert room.ask("GET", "/images/json").json()[0]["Created"] == 1767323045
        room.ask("DELETE", "/images/loaded:1")

    def test_a_layer_linked_inside_the_archive(self, room: Room) -> None:
        members = image_members()
        members[0] = ("other/layer.tar", members[0][1])
        members.append(("l/layer.tar", "../other/layer.tar"))
        reply = room.ask("POST", "/images/load", archive(*members))
        assert reply.stream == [{"stream": "Loaded image: loaded:1\n"}]
        room.ask("DELETE", "/images/loaded:1")

    @pytest.mark.parametrize(
        "members",
        [
            [],
            [("manifest.json", b"{")],
            [("manifest.json", b"{}")],
            [("manifest.json", b"[1]")],
            [("manifest.json", b'[{"Config": "c"}]')],
            [("manifest.json", b'[{"Config": "../../etc/passwd", "Layers": []}]')],
            [("manifest.json", b'[{"Config": "manifest.json", "Layers": ["manifest.json"]}]')],
            [("manifest.json", b"[" * 100_000)],
            [("manifest.json", "/etc/passwd")],
            [("../outside", b"x")],
            [("/outside", b"x")],
            [("index.json", b"{}")],
            image_members(rootfs={"diff_ids": ["sha256:" + "0" * 64]}),
            image_members(rootfs=None),
            image_members(config=[]),
            image_members(history=[1]),
            image_members(created="yesterday"),
        ],
    )
    def test_what_is_no_image_archive(self, room: Room, members: Any) -> None:
        reply = room.ask("POST", "/images/load", archive(*members))
        assert reply.status == 200
        assert "invalid" in reply.stream[-1]["error"]
        assert self.loaded(room) == []

    @given(cut=st.integers(0, 10_239), zipped=st.booleans())
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_a_truncated_archive_loads_nothing_or_all(
        self, room: Room, cut: int, zipped: bool
    ) -> None:
        whole = archive(*image_members())
        body = gzip.compress(whole)[: cut % 400] if zipped else whole[:cut]
        reply = room.ask("POST", "/images/load", body)
        assert reply.status == 200
        if "error" not in reply.stream[-1]:
            # the end of a tar is padding: what is cut off there is missed by nobody
            assert reply.stream == [{"stream": "Loaded image: loaded:1\n"}]
            room.ask("DELETE", "/images/loaded:1")
        assert self.loaded(room) == []

    def test_nothing_received_stays_behind(self, room: Room) -> None:
        room.ask("POST", "/images/load", archive(*image_members())[:5000])
        scratch = list((room.folder / "engine").glob("scratch-*"))
        assert [list(folder.iterdir()) for folder in scratch] == [[]]
        assert list((room.folder / "engine/blobs/incoming").iterdir()) == []


def test_a_large_refused_body_is_read_so_that_the_client_sees_the_answer(room: Room) -> None:
    body = (b"\0" * 65536 for _ in range(64))
    reply = room.ask("POST", "/build?version=2", body)
    assert reply.status == 501


def test_a_pull_that_fails_in_the_middle_shows_no_image(room: Room) -> None:
    room.registry.create("broken")
    # a layer that is not a gzip stream, and a configuration of no image
    room.registry.push_image("v1", "broken")
    auth = {"username": "AWS", "password": room.registry.token}
    header = base64.urlsafe_b64encode(json.dumps(auth).encode()).decode()
    reply = room.ask(
        "POST",
        f"/images/create?fromImage={REGISTRY}/broken&tag=v1",
        b"",
        {"X-Registry-Auth": header},
    )
    assert reply.status == 200
    assert "error" in reply.stream[-1]
    assert room.ask("GET", "/images/json?all=1").json() == []


def test_state_folder_is_private(room: Room) -> None:
    folder = Path(room.folder / "engine")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_filters_of_a_listing(room: Room, tmp_path: Path) -> None:
    for name, label in (("old:1", "kind=a"), ("new:1", "kind=b")):
        (tmp_path / "Dockerfile").write_text(f"FROM scratch\nLABEL {label} {name[:3]}=yes\n")
        room.docker("build", "-q", "-t", name, tmp_path)

    def listed(*filters: str) -> set[str]:
        options = [word for text in filters for word in ("--filter", text)]
        shown = room.docker("images", "--format", "{{.Repository}}", *options)
        return {name for name in shown.lines if name in ("old", "new")} | (
            {shown.err.strip()} if shown.code else set()
        )

    assert listed("label=kind") == {"old", "new"}
    assert listed("label=kind=a") == {"old"}
    assert listed("since=old:1", "label=kind") == {"new"}
    assert listed("before=new:1", "label=kind") == {"old"}
    assert listed("until=24h") == set()
    assert listed("until=2999-01-01", "reference=n*w") == {"new"}
    assert listed("dangling=true") == set()
    assert listed("until=soon") == {
        'Error response from daemon: failed to parse value as time or duration: "soon"'
    }
    assert listed("dangling=x") == {"Error response from daemon: invalid filter 'dangling=[x]'"}
    assert listed("label!=kind") == {"Error response from daemon: invalid filter 'label!'"}


def test_filters_of_a_prune(room: Room, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nLABEL pruned=maybe\n")
    room.docker("build", "-q", "-t", "pruned:1", tmp_path)
    for kept in ("label=other", "label!=pruned", "until=1h", "until=2000-01-01"):
        room.docker("image", "prune", "-af", "--filter", kept, "--filter", "label=pruned")
        assert room.docker("images", "-q", "pruned").lines, kept
    room.docker("image", "prune", "-af", "--filter", "label=pruned=maybe", "--filter", "until=0s")
    assert not room.docker("images", "-q", "pruned").lines
    assert (
        "invalid filter 'bogus'" in room.docker("image", "prune", "-f", "--filter", "bogus=1").err
    )


def test_search_is_refused_with_a_reason(room: Room) -> None:
    assert "no search index of Docker Hub" in room.docker("search", "nginx").err


def test_the_manifest_in_a_registry_can_be_read(room: Room) -> None:
    reply = room.ask("GET", "/v1.47/distribution/nginx:alpine/manifest")
    described = room.ask("GET", "/v1.47/distribution/nginx:alpine/json").json()["Descriptor"]
    digest = f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
    assert digest == described["digest"] == reply.headers["Docker-Content-Digest"]
    assert reply.headers["Content-Type"] == described["mediaType"]
