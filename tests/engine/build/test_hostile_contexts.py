"""Whatever the tar or the Dockerfile says: an answer, and nothing outside context and image."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_helpers.engine.build import BuildError
from labs_helpers.engine.store import ImageStore
from labs_helpers.oci.reference import InvalidReference
from tests.engine.build.building import Builder, archive, link

PATHS = st.lists(
    st.sampled_from(["..", ".", "a", "b", "etc", "link", "passwd", ""]), min_size=1, max_size=5
).map("/".join)

INSTRUCTIONS = {
    *("ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "USER", "WORKDIR", "CMD", "ENTRYPOINT", "SHELL"),
    *("HEALTHCHECK", "ONBUILD", "STOPSIGNAL", "MAINTAINER", "COPY", "ADD", "FROM"),
}


@pytest.mark.parametrize(
    "source", ["link/passwd", "up/etc/passwd", "absolute", "/etc/passwd", "loop", "hard"]
)
def test_links_of_a_context_do_not_lead_out_of_it(builder: Builder, source: str) -> None:
    context = archive(
        {
            "Dockerfile": f"FROM scratch\nCOPY {source} /x\n",
            "1": link("link", "/etc"),
            "2": link("up", "../../../../.."),
            "3": link("absolute", "/etc/passwd"),
            "4": link("loop", "loop"),
            "5": link("hard", "/etc/passwd", tarfile.LNKTYPE),
        }
    )
    with pytest.raises(BuildError, match=r"COPY failed: (file not found|too many links)"):
        builder.build_tar(context)


def test_a_dockerfile_is_not_read_through_a_link_out_of_the_context(builder: Builder) -> None:
    with pytest.raises(BuildError, match="Cannot locate specified Dockerfile"):
        builder.build_tar(archive({"1": link("Dockerfile", "/etc/passwd")}))


def test_names_of_a_context_stay_inside_it(builder: Builder) -> None:
    image = builder.build("FROM scratch\nCOPY . /in/\n", {"../../evil": "x", "/abs": "y"})
    assert {"in/evil", "in/abs"} <= set(builder.files(image))
    assert all(not name.startswith(("/", "..")) for name in builder.files(image))


@pytest.mark.parametrize(
    "step", ["COPY f /d/.wh.x", "ADD f /d/.wh.x/", "COPY f /.wh..wh..opq/f", "WORKDIR /d/.wh.x"]
)
def test_no_destination_deletes_what_another_layer_has(builder: Builder, step: str) -> None:
    """Whoever unpacks the image would find no x: a scan and a runtime see what the layers say."""
    with pytest.raises(BuildError, match=r"a layer cannot have a name that begins with \.wh\."):
        builder.build(f"FROM scratch\nCOPY f /d/x\n{step}\n", {"f": "1"})


@pytest.mark.parametrize("path", ["/".join("a" * 2049), "a" * 256], ids=["deep", "long"])
def test_a_name_that_no_file_system_takes_is_refused(builder: Builder, path: str) -> None:
    """As dockerd refuses it, which unpacks the context; a deep name took the engine minutes."""
    too_long = "file name too long"
    with pytest.raises(BuildError, match=too_long):
        builder.build("FROM scratch\nCOPY . /\n", {path: "x"})
    with pytest.raises(BuildError, match=too_long):
        builder.build(f"FROM scratch\nCOPY x /{path}\n", {"x": ""})
    with pytest.raises(BuildError, match=too_long):
        builder.build(f"FROM scratch\nWORKDIR /{path}\n", {})


def test_a_context_may_be_as_deep_as_a_file_system(builder: Builder) -> None:
    path = "/".join("a" * 300)
    image = builder.build("FROM scratch\nCOPY . /\n", {path: "x"})
    assert path in builder.files(image)


def test_bytes_that_are_no_archive_are_refused(builder: Builder) -> None:
    with pytest.raises(BuildError, match="error processing tar file"):
        builder.build_tar(io.BytesIO(b"not a tar" * 100))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    members=st.dictionaries(PATHS, st.one_of(st.binary(max_size=5), PATHS), max_size=5),
    source=PATHS,
    destination=PATHS,
    command=st.sampled_from(["COPY", "ADD", "COPY --from=0"]),
)
def test_any_context_gives_an_image_or_a_build_error(
    members: dict[str, bytes | str], source: str, destination: str, command: str
) -> None:
    files = {
        f"{number}": link(name, content) if isinstance(content, str) else content
        for number, (name, content) in enumerate(members.items())
    }
    dockerfile = f'FROM scratch\nCOPY . /\nFROM scratch\n{command} ["{source}", "{destination}"]\n'
    with tempfile.TemporaryDirectory() as folder:
        store = ImageStore(Path(folder) / "store")
        builder = Builder(store, Path(folder))
        try:
            image = builder.build_tar(archive({"Dockerfile": dockerfile, **files}))
        except BuildError:
            pass
        else:
            for name in builder.files(image):
                assert ".." not in name.split("/")
                assert not name.startswith("/")
        finally:
            store.close()


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.one_of(
            st.text(max_size=20),
            st.builds(
                "{} {}".format,
                st.sampled_from(sorted(INSTRUCTIONS)),
                st.text("ab=$ {}:-+?\"'\\[],/.*0189\u00e9<EOF\n#%", max_size=25),
            ),
        ),
        max_size=5,
    )
)
def test_any_dockerfile_gives_an_image_or_a_build_error(lines: list[str]) -> None:
    text = "\n".join(["FROM scratch", "LABEL a=b", *lines])
    with tempfile.TemporaryDirectory() as folder:
        store = ImageStore(Path(folder) / "store")
        try:
            Builder(store, Path(folder)).build_tar(
                archive({"Dockerfile": text.encode("utf-8", "replace"), "a": "A"})
            )
        except (BuildError, InvalidReference, LookupError):
            pass
        finally:
            store.close()
