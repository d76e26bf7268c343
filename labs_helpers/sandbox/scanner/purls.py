"""Package URLs of what is installed: https://github.com/package-url/purl-spec"""

from __future__ import annotations

from packageurl import PackageURL

from labs_helpers.sandbox.scanner.distribution import Distribution
from labs_helpers.sandbox.scanner.packages import Package


def of(package: Package, distribution: Distribution | None) -> PackageURL:
    """``pkg:apk/alpine/busybox@1.37.0-r31?arch=x86_64&distro=alpine-3.24.2&upstream=...``"""
    if package.manager == "python":
        return PackageURL("pypi", None, package.name, package.version)
    kind = "apk" if package.manager == "apk" else "deb"
    namespace = distribution.id if distribution else None
    qualifiers = {"arch": package.architecture}
    if distribution:
        qualifiers["distro"] = f"{distribution.id}-{distribution.version}".rstrip("-")
    if (package.source, package.source_version) != (package.name, package.version):
        same = package.source_version == package.version
        qualifiers["upstream"] = (
            package.source if same else f"{package.source}@{package.source_version}"
        )
    return PackageURL(
        kind,
        namespace,
        package.name,
        package.version,
        {name: value for name, value in qualifiers.items() if value},
    )
