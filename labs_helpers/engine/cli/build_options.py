"""The options of ``docker build`` and ``docker buildx build``: done, refused, or moot here.

Sources, read 2026-11-28: https://docs.docker.com/reference/cli/docker/buildx/build/ and, for the
classic builder, https://github.com/docker/cli/blob/v28.2.2/cli/command/image/build.go
"""

from __future__ import annotations

from .command_line import LIST, NO_TRUST, SWITCH, VALUE, Option

_OFF = frozenset({"false", "0", "f", ""})
_ON = frozenset({"true", "1", "t"})
_NO_LIMITS = "a RUN has no container here, so its memory and processor time cannot be limited"
_CLASSIC = "the labs' engine has Docker's classic builder, which has no {}"
_SECRETS = _CLASSIC.format("build secrets") + (
    ". Never pass a secret as --build-arg: `docker history` shows it. With a real Docker:"
    " LABS_ENGINE=docker labs start"
)
_OUTPUTS = _CLASSIC.format("exporters: the image is always put into `docker images`")
_CACHES = _CLASSIC.format("cache exporters") + "; --cache-from takes the names of images"
_ATTESTATIONS = _CLASSIC.format("attestations") + (
    ". Lab 05 makes a bill of materials with `labs sbom`"
)


def _limit(name: str, short: str = "", *harmless: str) -> Option:
    return Option(name, short, VALUE, refused=_NO_LIMITS, harmless=frozenset({"0", *harmless}))


OPTIONS = [
    Option("add-host", "", LIST, 'Add a custom host-to-IP mapping ("host:ip")'),
    Option("build-arg", "", LIST, "Set build-time variables"),
    Option("cache-from", "", LIST, "Images to consider as cache sources"),
    Option("compress", "", SWITCH, "Compress the build context using gzip"),
    Option("file", "f", VALUE, 'Name of the Dockerfile (Default is "PATH/Dockerfile")'),
    Option("iidfile", "", VALUE, "Write the image ID to the file"),
    Option("label", "", LIST, "Set metadata for an image"),
    Option("network", "", VALUE, "Set the networking mode for the RUN instructions during build"),
    Option("no-cache", "", SWITCH, "Do not use cache when building the image"),
    Option("platform", "", VALUE, "Set platform if server is multi-platform capable"),
    Option("pull", "", SWITCH, "Always attempt to pull a newer version of the image"),
    Option("quiet", "q", SWITCH, "Suppress the build output and print image ID on success"),
    Option("tag", "t", LIST, 'Name and optionally a tag in the "name:tag" format'),
    Option("target", "", VALUE, "Set the target build stage to build."),
    Option("force-rm", "", moot="a RUN leaves no container here"),
    Option(
        "rm",
        refused="a RUN has no container here, so none can be kept",
        harmless=_ON,
    ),
    Option("load", "", moot="the image is always put into `docker images`"),
    _limit("memory", "m"),
    _limit("memory-swap", "", "-1"),
    _limit("cpu-period"),
    _limit("cpu-quota"),
    _limit("cpu-shares", "c"),
    _limit("cpuset-cpus"),
    _limit("cpuset-mems"),
    _limit("cgroup-parent"),
    _limit("shm-size"),
    Option("ulimit", "", LIST, refused=_NO_LIMITS),
    Option(
        "isolation",
        "",
        VALUE,
        refused="Linux has no isolation but the default one",
        harmless=frozenset({"", "default"}),
    ),
    Option("security-opt", "", LIST, refused="Docker has security options on Windows only"),
    Option(
        "squash",
        refused="the labs' engine keeps the layers as the Dockerfile makes them; a second FROM with"
        " COPY --from=0 makes fewer layers",
        harmless=_OFF,
    ),
    NO_TRUST,
    Option("secret", "", LIST, refused=_SECRETS),
    Option("ssh", "", LIST, refused=_SECRETS),
    Option(
        "push",
        refused="Docker's classic builder does not push: use `docker push` after the build, or"
        " `docker buildx build --push`",
        harmless=_OFF,
    ),
    Option("output", "o", LIST, refused=_OUTPUTS),
    Option("cache-to", "", LIST, refused=_CACHES),
    Option("provenance", "", VALUE, refused=_ATTESTATIONS, harmless=_OFF),
    Option("sbom", "", VALUE, refused=_ATTESTATIONS, harmless=_OFF),
    Option("attest", "", LIST, refused=_ATTESTATIONS),
    Option(
        "progress",
        "",
        VALUE,
        refused="the classic builder has one form of output, which `--progress plain` asks for",
        harmless=frozenset({"", "auto", "plain"}),
    ),
    Option(
        "builder",
        "",
        VALUE,
        refused="the labs' engine is the only builder",
        harmless=frozenset({"", "default"}),
    ),
    Option("build-context", "", LIST, refused=_CLASSIC.format("named contexts")),
    Option("allow", "", LIST, refused=_CLASSIC.format("entitlements")),
    Option("annotation", "", LIST, refused=_CLASSIC.format("annotations; use --label")),
    Option("call", "", VALUE, refused=_CLASSIC.format("other methods than a build")),
    Option("check", refused=_CLASSIC.format("build checks"), harmless=_OFF),
    Option("metadata-file", "", VALUE, refused=_CLASSIC.format("metadata file; use --iidfile")),
    Option("no-cache-filter", "", LIST, refused=_CLASSIC.format("cache filter; use --no-cache")),
]
