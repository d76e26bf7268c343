"""Package databases and os-release files in the formats of Alpine, Debian and Ubuntu.

They have only fields with a known value: no invented sizes, checksums or maintainers.
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
"""The path of each package manager's database of installed packages."""

_APK_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}


def database(
    package_format: PackageFormat, packages: Iterable[Package], architecture: str
) -> Entry:
    """The database file that lists `packages`. `architecture` is Docker's name, such as amd64."""
    render = _apk_record if package_format == "apk" else _dpkg_record
    text = "".join(render(package, architecture) for package in packages)
    return Entry(DATABASE[package_format], "file", 0o644, content=text.encode())


def os_release(recipe: Recipe) -> Entry:
    """The os-release file, which is in /etc on Alpine and in /usr/lib on Debian and Ubuntu."""
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
    """The Source field. dpkg leaves out a name or version that equals the package's own."""
    if package.source_version != package.version:
        return f"{package.source} ({package.source_version})"
    return package.source if package.source != package.name else ""
