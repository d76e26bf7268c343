"""What a Dockerfile makes of an image: configuration, history, files, digest."""

from __future__ import annotations

import gzip
import io
import random
import re
import tarfile

import pytest

from labs_helpers.engine.build import BuildError, DockerfileError
from labs_helpers.engine.errors import BadRequest
from labs_helpers.engine.platform import Platform
from tests.engine.build.building import Builder, archive, link


def config(builder: Builder, dockerfile: str, **options: object) -> dict[str, object]:
    return dict(builder.build(f"FROM scratch\n{dockerfile}", **options).config["config"])


def test_the_classic_builders_words(builder: Builder) -> None:
    image = builder.build(
        'FROM scratch\nLABEL maintainer="you"\nCMD echo hi\n', tags=["demo-app", "demo-app:v1"]
    )
    first = builder.store.find(str(image.parent)).short_id
    assert builder.said == (
        "Step 1/3 : FROM scratch\n ---> \n"
        f'Step 2/3 : LABEL maintainer="you"\n ---> {first}\n'
        f"Step 3/3 : CMD echo hi\n ---> {image.short_id}\n"
        f"Successfully built {image.short_id}\n"
        "Successfully tagged demo-app:latest\nSuccessfully tagged demo-app:v1\n"
    )
    assert builder.store.find("demo-app:v1").id == image.id


def test_metadata_lands_where_docker_has_it(builder: Builder) -> None:
    found = config(
        builder,
        'ENV A=1 B="two words"\nENV OLD style\nLABEL a=b\nEXPOSE 80 53/udp 8000-8001\n'
        'VOLUME /data\nUSER 101\nSTOPSIGNAL SIGQUIT\nSHELL ["/bin/bash","-c"]\nCMD run $A\n'
        'ENTRYPOINT ["e"]\nHEALTHCHECK --interval=90s --retries=3 CMD curl x\nONBUILD RUN x\n',
    )
    assert found["Env"] == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        *("A=1", "B=two words", "OLD=style"),
    ]
    assert found["Labels"] == {"a": "b"}
    assert sorted(found["ExposedPorts"]) == ["53/udp", "80/tcp", "8000/tcp", "8001/tcp"]
    assert found["Volumes"] == {"/data": {}}
    assert (found["User"], found["StopSignal"]) == ("101", "SIGQUIT")
    assert found["Cmd"] == ["/bin/bash", "-c", "run $A"]
    assert found["Entrypoint"] == ["e"]
    assert found["Healthcheck"] == {
        "Test": ["CMD-SHELL", "curl x"],
        "Interval": 90 * 10**9,
        "Retries": 3,
    }
    assert found["OnBuild"] == ["RUN x"]


def test_history_reads_as_dockerds(builder: Builder) -> None:
    image = builder.build(
        'FROM scratch\nLABEL a="b c" d=e\nCOPY f /srv/\nWORKDIR /app\n'
        "HEALTHCHECK --interval=90s --timeout=1500ms CMD x\nMAINTAINER me\n",
        {"f": "content"},
    )
    texts = [entry["created_by"] for entry in image.config["history"]]
    assert texts[0] == "/bin/sh -c #(nop)  LABEL a=b c d=e"
    assert texts[1].startswith("/bin/sh -c #(nop) COPY file:")
    assert texts[1].endswith(" in /srv/ ")
    assert texts[2] == "/bin/sh -c #(nop) WORKDIR /app"
    assert texts[3] == (
        '/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "x"] "1m30s" "1.5s" "0s" "0s" \'\\x00\'}'
    )
    assert [bool(entry.get("empty_layer")) for entry in image.config["history"]] == [
        *(True, False, False, True, True),
    ]
    assert image.config["author"] == "me"


def test_arguments_and_their_scopes(builder: Builder) -> None:
    found = config(
        builder,
        "ARG A=default\nARG B\nENV A2=${A} B2=${B:-none} C2=${C:+set} D=a\\ b E='$A'\nLABEL x=$A",
        build_args={"A": "given", "UNUSED": "1"},
    )
    assert found["Env"][1:] == ["A2=given", "B2=none", "C2=", "D=a b", "E=$A"]
    assert "[Warning] One or more build-args [UNUSED] were not consumed" in builder.said


def test_a_global_argument_is_seen_by_from_and_after_it_is_declared(builder: Builder) -> None:
    image = builder.build("ARG V=1\nFROM scratch\nLABEL before=x$V\nARG V\nLABEL after=x$V\n")
    assert image.config["config"]["Labels"] == {"before": "x", "after": "x1"}


def test_proxies_are_seen_without_being_declared(builder: Builder) -> None:
    image = builder.build(
        "FROM $HTTP_PROXY\nLABEL a=$HTTP_PROXY b=$no_proxy c=${SOURCE_DATE_EPOCH}\n"
        "ENV no_proxy=e\nLABEL b2=$no_proxy d=${FTP_PROXY:-none}\nARG https_proxy=default\n"
        "LABEL e=$https_proxy f=$ALL_PROXY\n",
        build_args={
            "HTTP_PROXY": "scratch",
            "no_proxy": "np",
            "https_proxy": "hp",
            "ALL_PROXY": "ap",
            "SOURCE_DATE_EPOCH": "3",
        },
    )
    labels = {"a": "scratch", "b": "np", "b2": "e", "c": "", "d": "none", "e": "hp", "f": "ap"}
    assert image.config["config"]["Labels"] == labels
    assert "consumed" not in builder.said


def test_the_platform_is_an_argument(builder: Builder) -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM scratch\nARG TARGETARCH\n"
        "ENV A=$TARGETARCH B=$TARGETOS C=$TARGETPLATFORM\nARG TARGETPLATFORM\n"
        "ENV D=$TARGETPLATFORM\n"
    )
    image = builder.build(text, platform="linux/arm64/v8")
    env = image.config["config"]["Env"]
    assert env[-4:] == ["A=arm64", "B=", "C=", "D=linux/arm64/v8"]
    assert "were not consumed" not in builder.said


def test_a_platform_that_is_none_is_refused(builder: Builder) -> None:
    reason = '"linux/foo/bar/baz": cannot parse platform specifier: invalid argument'
    with pytest.raises(BadRequest) as failed:
        builder.build("FROM scratch\nLABEL a=b\n", platform="linux/foo/bar/baz")
    assert str(failed.value) == reason
    with pytest.raises(BuildError) as wrong:
        builder.build("FROM --platform=linux/foo/bar/baz scratch\nLABEL a=b\n")
    assert str(wrong.value) == f"failed to parse platform linux/foo/bar/baz: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("linux//", '"" is an invalid component of "linux//": '),
        ("li nux/amd64", '"li nux" is an invalid component of "li nux/amd64": '),
        ("linux/amd64\n", "is an invalid component of"),
        ("foo", '"foo": unknown operating system or architecture: '),
    ],
)
def test_a_malformed_platform(text: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(reason)):
        Platform.parse(text)


def test_a_platform_may_be_a_system_or_an_architecture_alone() -> None:
    assert str(Platform.parse("linux")) == "linux/amd64"
    assert str(Platform.parse("aarch64")) == "linux/arm64"
    assert str(Platform.parse("armhf")) == "linux/arm/v7"
    assert str(Platform.parse("LINUX/x86_64")) == "linux/amd64"


def test_stages_copy_from_each_other(builder: Builder) -> None:
    image = builder.build(
        "FROM scratch AS one\nCOPY a /in/a\nCOPY b /in/b\nFROM scratch\nCOPY --from=one /in /out\n"
        "COPY --from=0 /in/b /c\n",
        {"a": "A", "b": "B"},
    )
    assert sorted(builder.files(image)) == ["c", "out", "out/a", "out/b"]
    assert builder.read(image, "out/a") == b"A"
    assert len(image.layers) == 2


def test_target_stops_at_a_stage(builder: Builder) -> None:
    dockerfile = "FROM scratch AS one\nLABEL s=1\nFROM scratch\nLABEL s=2\n"
    assert builder.build(dockerfile, target="one").config["config"]["Labels"] == {"s": "1"}
    with pytest.raises(DockerfileError, match='target stage "nope" could not be found'):
        builder.build(dockerfile, target="nope")


def test_copy_follows_dockers_rules_for_destinations(builder: Builder) -> None:
    image = builder.build(
        "FROM scratch\nWORKDIR /w\nCOPY a.txt .\nCOPY a.txt b.txt sub/\nCOPY dir /d\n"
        "COPY dir/*.md /md/\nCOPY --chown=3:4 --chmod=600 a.txt /owned\nCOPY a.txt /d\n",
        {"a.txt": "a", "b.txt": "b", "dir/x.md": "x", "dir/deep/y": "y"},
    )
    files = builder.files(image)
    assert {name for name, member in files.items() if member.isfile()} == {
        *("w/a.txt", "w/sub/a.txt", "w/sub/b.txt", "d/x.md", "d/deep/y", "md/x.md"),
        *("owned", "d/a.txt"),
    }
    assert (files["owned"].uid, files["owned"].gid, files["owned"].mode) == (3, 4, 0o600)


def test_add_unpacks_a_local_archive_and_copy_does_not(builder: Builder) -> None:
    packed = archive({"in/x": "content"}).getvalue()
    image = builder.build("FROM scratch\nADD p.tar /a\nCOPY p.tar /c\n", {"p.tar": packed})
    assert builder.read(image, "a/in/x") == b"content"
    assert builder.files(image)["c"].isfile()


def test_a_heredoc_is_a_file(builder: Builder) -> None:
    image = builder.build(
        'FROM scratch\nENV WHO=you\nCOPY <<one <<"two" /d/\nhello "$WHO"\none\nraw $WHO\ntwo\n'
    )
    assert builder.read(image, "d/one") == b'hello "you"\n'
    assert builder.read(image, "d/two") == b"raw $WHO\n"


def test_a_base_image_runs_its_triggers(builder: Builder) -> None:
    builder.build("FROM scratch\nONBUILD COPY a /a\nLABEL x=y\n", tags=["base"])
    image = builder.build("FROM base\nUSER 1\n", {"a": "A"})
    assert "# Executing 1 build trigger\n" in builder.said
    assert builder.read(image, "a") == b"A"
    assert "OnBuild" not in image.config["config"]


def test_links_in_the_image_are_followed_inside_it(builder: Builder) -> None:
    image = builder.build(
        "FROM scratch\nADD root.tar /\nCOPY a /bin/\nCOPY a /out/a\n",
        {
            "a": "A",
            "root.tar": archive(
                {"usr/bin/keep": "k", "bin": link("bin", "usr/bin"), "o": link("out", "../../etc")}
            ).getvalue(),
        },
    )
    assert {"usr/bin/a", "etc/a"} <= set(builder.files(image))


def test_the_same_context_gives_the_same_digest(builder: Builder) -> None:
    files = {f"d{n % 3}/f{n}": f"content {n}" for n in range(30)}
    dockerfile = "FROM scratch\nCOPY . /srv\nWORKDIR /w\n"
    first = builder.build_tar(archive({"Dockerfile": dockerfile, **files}, mtime=1))
    shuffled = [("Dockerfile", dockerfile), *files.items()]
    random.Random(7).shuffle(shuffled)
    second = builder.build_tar(archive(dict(shuffled), mtime=99), no_cache=True)
    assert "Using cache" not in builder.said
    assert second.id == first.id
    assert second.layers == first.layers


def test_a_step_done_before_is_taken_from_the_cache(builder: Builder) -> None:
    dockerfile = "FROM scratch\nCOPY a /a\nLABEL x=y\n"
    first = builder.build(dockerfile, {"a": "1"})
    assert builder.build(dockerfile, {"a": "1"}).id == first.id
    assert builder.said.count("Using cache") == 2
    assert builder.build(dockerfile, {"a": "2"}).id != first.id
    assert builder.said.count("Using cache") == 0


def test_source_date_epoch_dates_the_image(builder: Builder) -> None:
    image = builder.build(
        "FROM scratch\nCOPY a /a\n", {"a": "1"}, build_args={"SOURCE_DATE_EPOCH": "86400"}
    )
    assert image.config["created"] == "1970-01-02T00:00:00Z"
    assert builder.files(image)["a"].mtime == 86400


def test_quiet_says_the_id_only(builder: Builder) -> None:
    image = builder.build("FROM scratch\nLABEL a=b\n", quiet=True)
    assert builder.said == f"{image.id}\n"


def test_dockerignore_leaves_out_what_clients_must_send(builder: Builder) -> None:
    image = builder.build(
        "FROM scratch\nCOPY . /\n", {".dockerignore": "Dockerfile\n.dockerignore\n", "a": "A"}
    )
    assert set(builder.files(image)) == {"a"}


def test_a_compressed_context_and_one_without_its_last_padding(builder: Builder) -> None:
    context = archive({"Dockerfile": "FROM scratch\nCOPY a /a\n", "a": "A"})
    plain = builder.build_tar(context)
    assert builder.build_tar(io.BytesIO(gzip.compress(context.getvalue()))).id == plain.id
    end = context.getvalue().rindex(b"A") + 1
    assert builder.build_tar(io.BytesIO(context.getvalue()[:end])).id == plain.id


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [
        ("FROM scratch\nFRM x\n", "dockerfile parse error on line 2: unknown instruction: FRM"),
        ("", "the Dockerfile (Dockerfile) cannot be empty"),
        ("# nothing\n", "failed to parse Dockerfile: file with no instructions"),
        ("LABEL a=b\n", "no build stage in current context"),
        ("FROM\n", "dockerfile parse error on line 1: FROM requires either one or three arguments"),
        ("FROM scratch\nCOPY a\n", "COPY requires at least two arguments"),
        ("FROM scratch\nCOPY --x=1 a b\n", "dockerfile parse error on line 2: unknown flag: x"),
        ("FROM scratch\nCOPY --chown=1 --chown=2 a b\n", "duplicate flag specified: chown"),
        ("FROM scratch\nCOPY --chown a b\n", "missing a value on flag: chown"),
        ("FROM scratch\nHEALTHCHECK --retries=-2 CMD x\n", "--retries cannot be negative (-2)"),
        ("FROM scratch\nSHELL sh\n", "SHELL requires the arguments to be in JSON form"),
        ("FROM scratch\nHEALTHCHECK X\n", 'Unknown type "X" in HEALTHCHECK (try CMD)'),
        ("FROM scratch\nONBUILD FROM x\n", "FROM isn't allowed as an ONBUILD trigger"),
        ("FROM scratch AS 1x\n", 'invalid name for build stage: "1x"'),
    ],
)
def test_a_malformed_dockerfile_is_refused_before_anything_is_built(
    builder: Builder, dockerfile: str, message: str
) -> None:
    with pytest.raises(DockerfileError) as caught:
        builder.build(dockerfile)
    assert message in str(caught.value)
    assert builder.said == ""


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("COPY nope /", "COPY failed: file not found in build context or excluded by "
         ".dockerignore: stat nope: file does not exist"),
        ("COPY *.nope /", "COPY failed: no source files were specified"),
        ("COPY ../x /", "COPY failed: forbidden path outside the build context: ../x ()"),
        ("COPY a b /d", "When using COPY with more than one source file, the destination must be"
         " a directory and end with a /"),
        ("COPY --from=7 a b", "invalid from flag value 7: index out of bounds"),
        ("COPY --from=0 a b", "invalid from flag value 0: refers to current build stage"),
        ("COPY --chown=joe a /", "unable to convert uid/gid chown string to host mapping: can't"
         " find uid for user joe: open /etc/passwd: no such file or directory"),
        ("COPY --chmod=17777 a /", "invalid chmod parameter: '17777'. it should be octal string and"
         " between 0 and 07777"),
        ("EXPOSE abc", "invalid containerPort: abc"),
        ("EXPOSE 80/xyz", "invalid proto: xyz"),
        ("STOPSIGNAL FOO", "invalid signal: FOO"),
        ('LABEL a="b', 'failed to process "\\"b": unexpected end of statement while looking for'
         " matching double-quote"),
        ("LABEL x=${A:?no}", 'failed to process "${A:?no}": A: no'),
        ('VOLUME ""', "VOLUME specified can not be an empty string"),
    ],
)  # fmt: skip
def test_a_step_fails_in_dockerds_words(builder: Builder, step: str, message: str) -> None:
    with pytest.raises(BuildError) as caught:
        builder.build(f"FROM scratch\n{step}\n", {"a": "A", "b": "B"})
    assert str(caught.value) == message
    assert caught.value.line == 2
    assert f"Step 2/2 : {step}\n" in builder.said


def test_run_says_what_to_do_instead(builder: Builder) -> None:
    with pytest.raises(
        BuildError,
        match='exec: "/bin/sh": stat /bin/sh: no such file or directory: the image does not',
    ):
        builder.build("FROM scratch\nLABEL a=b\nRUN apt-get update \\\n  && x\n")


def test_add_fetches_nothing(builder: Builder) -> None:
    with pytest.raises(BuildError, match="fetches nothing while it builds"):
        builder.build("FROM scratch\nADD https://example.com/x /x\n")


def test_an_image_that_is_not_here_is_pulled(builder: Builder) -> None:
    with pytest.raises(LookupError):
        builder.build("FROM nginx:alpine\nLABEL a=b\n")
    assert builder.pulled == ("nginx:alpine",)


def test_layers_hold_root_owned_sorted_entries_of_one_date(builder: Builder) -> None:
    member = tarfile.TarInfo("z")
    member.mode, member.uid, member.mtime = 0o664, 1000, 5
    image = builder.build("FROM scratch\nCOPY . /\n", {"z": member, "a": "A"})
    members = list(builder.files(image).values())
    assert [entry.name for entry in members] == ["Dockerfile", "a", "z"]
    assert {(entry.uid, entry.gid, entry.mtime, entry.mode) for entry in members} == {
        (0, 0, 0, 0o644)
    }
