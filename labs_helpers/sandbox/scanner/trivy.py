"""A second engine: the user's own Trivy, offline (LABS_SCANNER=trivy).

By the labs' own advisories, or by Trivy's own database when LABS_TRIVY_CACHE names a cache folder
that holds one. https://trivy.dev/latest/docs/advanced/air-gap/
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs_helpers.sandbox.scanner import oci_layout, trivy_database
from labs_helpers.sandbox.scanner.limits import LIMITS, Unscannable
from labs_helpers.sandbox.scanner.report import Report, Unsupported
from labs_helpers.sandbox.scanner.snapshot import Snapshot
from labs_helpers.sandbox.scanner.tree import Layer

CACHE = "LABS_TRIVY_CACHE"


class Trivy:
    """Scans images with the trivy command on PATH."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises Unscannable if there is no trivy command."""
        program = shutil.which("trivy", path=environ.get("PATH"))
        if program is None:
            raise Unscannable("LABS_SCANNER is trivy, and there is no trivy on PATH.")
        self._program = program
        self._cache = environ.get(CACHE, "")

    def __call__(
        self,
        layers: Sequence[Layer],
        snapshot: Snapshot,
        *,
        languages: bool,
        check: Callable[[], None] | None = None,
    ) -> Report:
        """See engines.Engine."""
        found = self.run(layers, snapshot, languages=languages)
        return self._report(found, snapshot, languages)

    def run(
        self, layers: Sequence[Layer], snapshot: Snapshot, *, languages: bool
    ) -> dict[str, Any]:
        """The output of ``trivy image --format json``; raises Unscannable."""
        with tempfile.TemporaryDirectory() as scratch:
            layout, cache = Path(scratch, "image"), Path(scratch, "cache")
            oci_layout.write(layout, layers)
            if not self._cache:
                trivy_database.write(cache, snapshot)
            command = [
                *(self._program, "image", "--quiet", "--input", str(layout)),
                *("--cache-dir", self._cache or str(cache), "--format", "json"),
                *("--scanners", "vuln", "--list-all-pkgs", "--offline-scan"),
                *("--skip-db-update", "--skip-java-db-update", "--skip-version-check"),
                *("--disable-telemetry", "--pkg-types", "os,library" if languages else "os"),
            ]
            try:
                done = subprocess.run(
                    command,
                    capture_output=True,
                    timeout=LIMITS.seconds,
                    check=True,
                    env={"HOME": scratch, "TMPDIR": scratch},
                )
                return dict(json.loads(done.stdout))
            except subprocess.TimeoutExpired as error:
                raise Unscannable(f"trivy took more than {LIMITS.seconds:g} seconds.") from error
            except subprocess.CalledProcessError as error:
                last = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
                raise Unscannable(f"trivy failed: {''.join(last)[-300:]}") from error
            except (OSError, ValueError) as error:
                raise Unscannable(f"the output of trivy cannot be read: {error}") from error

    def _report(self, found: dict[str, Any], snapshot: Snapshot, languages: bool) -> Report:
        system = found.get("Metadata", {}).get("OS")
        results = found.get("Results") or []
        judged = [one for one in results if one.get("Packages")]
        if not judged or (not languages and not system):
            raise Unsupported("trivy found no package that it can judge")
        findings: dict[tuple[str, str, str], dict[str, Any]] = {}
        not_covered: dict[tuple[str, str, str], dict[str, Any]] = {}
        count = 0
        for result in results:
            ecosystem = _ecosystem(result, system)
            packages = {one.get("ID") or one["Name"]: one for one in result.get("Packages") or []}
            count += len(packages)
            if not self._cache:
                self._uncovered(packages, ecosystem, snapshot, not_covered)
            for one in result.get("Vulnerabilities") or []:
                package = packages.get(one.get("PkgID") or one["PkgName"], {})
                source = package.get("SrcName") or one["PkgName"]
                finding = findings.setdefault(
                    (one["VulnerabilityID"], ecosystem, source),
                    _finding(one, ecosystem, source, _source_version(package)),
                )
                finding["packages"].append(_package(package or one, result))
        order = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "UNDEFINED")
        return {
            "distribution": _distribution(system),
            "packages": count,
            "findings": sorted(
                findings.values(), key=lambda one: (order.index(one["severity"]), one["name"])
            ),
            "not_covered": [not_covered[key] for key in sorted(not_covered)],
            "snapshot": {"retrieved": snapshot.retrieved, "fingerprint": snapshot.fingerprint},
        }

    def _uncovered(
        self,
        packages: Mapping[str, dict[str, Any]],
        ecosystem: str,
        snapshot: Snapshot,
        not_covered: dict[tuple[str, str, str], dict[str, Any]],
    ) -> None:
        for package in packages.values():
            source = package.get("SrcName") or package["Name"].lower()
            version = _source_version(package)
            if not snapshot.covers(ecosystem, source, version):
                entry = not_covered.setdefault(
                    (ecosystem, source, version),
                    {
                        "ecosystem": ecosystem,
                        "source": source,
                        "source_version": version,
                        "reason": f"the advisories of {snapshot.retrieved} do not cover it",
                        "packages": [],
                    },
                )
                entry["packages"].append(_package(package, {"Class": "os-pkgs"}))


def _ecosystem(result: dict[str, Any], system: dict[str, str] | None) -> str:
    if result.get("Class") != "os-pkgs" or not system:
        return "PyPI" if result.get("Type") == "python-pkg" else str(result.get("Type"))
    name, release = system["Family"], system["Name"]
    if name == "alpine":
        return f"Alpine:v{'.'.join(release.split('.')[:2])}"
    if name == "debian":
        return f"Debian:{release.split('.')[0]}"
    return f"{name.capitalize()}:{release}"


def _distribution(system: dict[str, str] | None) -> dict[str, str] | None:
    if not system:
        return None
    name, version = system["Family"], system["Name"]
    return {
        "id": name,
        "version": version,
        "title": f"{name} {version}",
        "platform": f"{name}_{version}".upper().replace(".", "_"),
    }


def _finding(
    one: dict[str, Any], ecosystem: str, source: str, source_version: str
) -> dict[str, Any]:
    level = one.get("Severity", "UNKNOWN")
    return {
        "name": one["VulnerabilityID"],
        "id": one["VulnerabilityID"],
        "summary": one.get("Title") or one.get("Description", ""),
        "severity": "UNDEFINED" if level == "UNKNOWN" else level,
        "severity_basis": one.get("SeveritySource") or "trivy",
        "vector": "",
        "score": None,
        "ecosystem": ecosystem,
        "source": source,
        "source_version": source_version or one["InstalledVersion"],
        "fixed": one.get("FixedVersion", ""),
        "aliases": [],
        "urls": [url for url in [one.get("PrimaryURL")] if url],
        "packages": [],
    }


def _source_version(package: dict[str, Any]) -> str:
    """A Debian version, epoch:version-release, from the three parts that Trivy reports."""
    version = package.get("SrcVersion") or package.get("Version", "")
    release = package.get("SrcRelease") if package.get("SrcVersion") else package.get("Release")
    epoch = package.get("SrcEpoch") if package.get("SrcVersion") else package.get("Epoch")
    return f"{f'{epoch}:' if epoch else ''}{version}{f'-{release}' if release else ''}"


def _package(package: dict[str, Any], result: dict[str, Any]) -> dict[str, str]:
    python = result.get("Type") == "python-pkg"
    return {
        "manager": "python" if python else "dpkg",
        "name": package.get("Name") or package.get("PkgName", ""),
        "version": package.get("Version") or package.get("InstalledVersion", ""),
        "architecture": package.get("Arch", ""),
        "layer": package.get("Layer", {}).get("Digest", ""),
        "path": package.get("FilePath", ""),
    }
