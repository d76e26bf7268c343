"""Package databases and os-release files as Alpine, Debian and Ubuntu keep them.

Only fields whose value is known are written: no made-up sizes, checksums or maintainers.
Sources: https://wiki.alpinelinux.org/wiki/Apk_spec (installed database) and
https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labs_helpers.sandbox.hub.recipe import Entry, Package, PackageFormat, Recipe

DATABASE: Mapping[PackageFormat, str] = {
    "apk": "lib/apk/db/installed",
    "dpkg": "var/lib/dpkg/status",
}
"""Where each package manager keeps what is installed."""

_APK_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}


def database(
    package_format: PackageFormat, packages: Iterable[Package], architecture: str
) -> Entry:
    """The database file that lists `packages`; `architecture` as Docker names it (amd64)."""
    render = _apk_record if package_format == "apk" else _dpkg_record
    text = "".join(render(package, architecture) for package in packages)
    return Entry(DATABASE[package_format], "file", 0o644, content=text.encode())


def os_release(recipe: Recipe) -> Entry:
    """The os-release file: on Alpine in /etc, on Debian and Ubuntu in /usr/lib."""
    path = "etc/os-release" if recipe.package_format == "apk" else "usr/lib/os-release"
    bare = {"ID", "ID_LIKE", "VERSION_CODENAME"}
    if recipe.package_format == "apk":
        bare.add("VERSION_ID")
    lines = (
        f"{key}={value}" if key in bare else f'{key}="{value}"'
        for key, value in recipe.os_release.items()
    )
    return Entry(path, "file", 0o644, content="".join(f"{line}\n" for line in lines).encode())


def _apk_record(package: Package, architecture: str) -> str:
    fields = {
        "P": package.name,
        "V": package.version,
        "A": _APK_ARCHITECTURE[architecture],
        "L": package.licence,
        "o": package.source,
    }
    return "".join(f"{key}:{value}\n" for key, value in fields.items() if value) + "\n"


def _dpkg_record(package: Package, architecture: str) -> str:
    fields = {
        "Package": package.name,
        "Status": "install ok installed",
        "Architecture": architecture,
        "Source": _dpkg_source(package),
        "Version": package.version,
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items() if value) + "\n"


def _dpkg_source(package: Package) -> str:
    """dpkg leaves Source out when it equals the package, and its version when that is equal."""
    if package.source_version != package.version:
        return f"{package.source} ({package.source_version})"
    return package.source if package.source != package.name else ""
