"""Layers that a scanner could read otherwise than a container runtime unpacks them.

Each case has what a scan must find. ``tests/clients/test_podman_unpacks.py`` unpacks the same
layers with Podman, so that the expectations are Podman's.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.sandbox.scanner.images import (
    ALPINE,
    APK,
    DEBIAN,
    DPKG,
    Directory,
    Entries,
    Link,
    apk,
    dpkg,
    tar,
)

BLOCK = 512
END = bytes(2 * BLOCK)
FAILS = "fails"
OLD, NEW = "zlib 1.2.12-r0", "zlib 1.2.13-r0"
DEB, DECOY = "tar 1.34", "decoy 1.0"
USTAR, GNU, V7 = b"ustar\x0000", b"ustar  \0", bytes(8)


def entry(
    name: str,
    content: str | bytes = b"",
    *,
    type: bytes = b"0",
    target: str = "",
    magic: bytes = USTAR,
    at_345: bytes = b"",
    checksum: int = 0,
) -> bytes:
    """A header block with its content, byte by byte; ``checksum`` is added to the right one."""
    data = content.encode() if isinstance(content, str) else content
    block = bytearray(BLOCK)
    for at, field in (
        (0, name.encode()),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, b"%011o\0" % len(data)),
        (136, b"00000000000\0"),
        (148, b" " * 8),
        (156, type),
        (157, target.encode()),
        (257, magic),
        (345, at_345),
    ):
        block[at : at + len(field)] = field
    block[148:156] = b"%06o\0 " % (sum(block) + checksum)
    return bytes(block) + data + bytes(-len(data) % BLOCK)


def pax(records: dict[str, str], type: bytes = b"x", name: str = "pax") -> bytes:
    """A pax header."""
    content = b""
    for key, value in records.items():
        rest = len(f" {key}={value}\n".encode())
        length = rest + len(str(rest + len(str(rest))))
        content += f"{length} {key}={value}\n".encode()
    return entry(name, content, type=type)


@dataclass(frozen=True)
class Case:
    """``layers`` are plain tars, the lowest first; ``found`` the one package, or FAILS."""

    found: str
    layers: tuple[bytes, ...]


def case(found: str, *layers: bytes | Entries) -> Case:
    return Case(found, tuple(layer if isinstance(layer, bytes) else tar(layer) for layer in layers))


RELEASE = entry("etc/os-release", ALPINE)
ALPINE_BASE: Entries = {"etc/os-release": ALPINE, APK: apk(NEW)}
DEBIAN_BASE: Entries = {"etc/os-release": DEBIAN, DPKG: dpkg(DEB)}
OVER = {"etc/os-release": ALPINE, APK: apk(OLD)}


def spelled(path: str) -> Case:
    """A vulnerable database over a clean one, its path written oddly."""
    return case(OLD, ALPINE_BASE, entry(path, apk(OLD)) + END)


PATHS = {
    f"path {path}": spelled(path)
    for path in (
        "x/../lib/apk/db/installed",
        "/lib/apk/db/installed",
        "./lib/apk/db/installed",
        "lib//apk/./db///installed",
        "../lib/apk/db/installed",
        "../../../lib/apk/db/installed",
        "lib/../../../lib/apk/db/installed",
        "/../lib/apk/db/installed",
        "lib/apk/db/x/../installed",
    )
}

HEADERS = {
    "a global pax path is for no entry": case(
        OLD, pax({"path": "nothing"}, b"g") + RELEASE + entry(APK, apk(OLD)) + END
    ),
    "global pax records of every kind": case(
        OLD,
        pax({"comment": "x", "size": "3", "linkpath": "y", "mtime": "1"}, b"g")
        + RELEASE
        + entry(APK, apk(OLD))
        + END,
    ),
    "a global pax header over the database": case(
        FAILS, ALPINE_BASE, pax({"path": APK}, b"g") + END
    ),
    "a pax header ends at a global one": case(
        OLD,
        RELEASE
        + pax({"path": "nothing"})
        + pax({"comment": "x"}, b"g")
        + entry(APK, apk(OLD))
        + END,
    ),
    "a pax path": case(OLD, RELEASE + pax({"path": APK}) + entry("nothing", apk(OLD)) + END),
    "an empty pax path": case(OLD, RELEASE + pax({"path": ""}) + entry(APK, apk(OLD)) + END),
    "the last pax path counts": case(
        OLD, RELEASE + pax({"path": "no"}) + pax({"path": APK}) + entry("no", apk(OLD)) + END
    ),
    "a later pax header replaces an earlier one": case(
        OLD, RELEASE + pax({"path": "no"}) + pax({"comment": "x"}) + entry(APK, apk(OLD)) + END
    ),
    "a GNU long name beats a pax path": case(
        OLD,
        RELEASE
        + entry("././@LongLink", APK + "\0", type=b"L")
        + pax({"path": "no"})
        + entry("no", apk(OLD))
        + END,
    ),
    "a name of a sparse file that is none": case(
        OLD, RELEASE + pax({"GNU.sparse.name": "no"}) + entry(APK, apk(OLD)) + END
    ),
    "a sparse file of an unknown version": case(
        FAILS,
        ALPINE_BASE,
        pax({"GNU.sparse.name": APK, "GNU.sparse.major": "7", "GNU.sparse.minor": "7"})
        + entry("no", apk(OLD))
        + END,
    ),
    "times in a GNU header": case(
        OLD,
        RELEASE + entry(APK, apk(OLD), magic=GNU, at_345=b"14000000000\x0014000000000\x00") + END,
    ),
    "no times in a GNU header": case(
        OLD, RELEASE + entry("installed", apk(OLD), magic=GNU, at_345=b"lib/apk/db") + END
    ),
    "bytes of its own in a V7 header": case(
        OLD, RELEASE + entry(APK, apk(OLD), magic=V7, at_345=b"nothing") + END
    ),
    "a prefix in a ustar header": case(
        OLD, RELEASE + entry("installed", apk(OLD), at_345=b"lib/apk/db") + END
    ),
    "a ustar header of another version": case(
        OLD, RELEASE + entry("installed", apk(OLD), magic=b"ustar\0xx", at_345=b"lib/apk/db") + END
    ),
    "a file twice": case(FAILS, RELEASE + entry(APK, apk(OLD)) + entry(APK, apk(NEW)) + END),
    "a file twice, once written oddly": case(
        FAILS, RELEASE + entry(APK, apk(OLD)) + entry(f"x/../{APK}", apk(NEW)) + END
    ),
    "a file twice, by two names": case(
        OLD, RELEASE + entry(APK, apk(NEW)) + entry(f"/{APK}", apk(OLD)) + END
    ),
    "a type that nobody knows": case(FAILS, ALPINE_BASE, entry(APK, apk(OLD), type=b"7") + END),
    "a wrong checksum": case(FAILS, ALPINE_BASE, entry(APK, apk(OLD), checksum=1) + END),
    "a pax record of a wrong length": case(
        FAILS, ALPINE_BASE, entry("pax", "9 path=\n", type=b"x") + entry(APK, apk(OLD)) + END
    ),
    "a pax size that is no number": case(
        FAILS, ALPINE_BASE, pax({"size": "x"}) + entry(APK, apk(OLD)) + END
    ),
    "a directory with a size": case(
        OLD, RELEASE + entry("d", b"", type=b"5") + pax({"size": "512"}) + entry("e", type=b"5")
        + entry(APK, apk(OLD)) + END,
    ),
}  # fmt: skip

ENDS = {
    "a block of zeros first": case(FAILS, ALPINE_BASE, bytes(BLOCK) + entry(APK, apk(OLD)) + END),
    "a block of zeros inside": case(
        FAILS, ALPINE_BASE, RELEASE + bytes(BLOCK) + entry(APK, apk(OLD)) + END
    ),
    "two blocks of zeros inside": case(
        NEW, ALPINE_BASE, RELEASE + END + entry(APK, apk(OLD)) + END
    ),
    "no block of zeros at the end": case(OLD, ALPINE_BASE, entry(APK, apk(OLD))),
    "one block of zeros at the end": case(OLD, ALPINE_BASE, entry(APK, apk(OLD)) + bytes(BLOCK)),
    "half a header at the end": case(FAILS, ALPINE_BASE, RELEASE + entry(APK, apk(OLD))[:300]),
    "half a file at the end": case(FAILS, ALPINE_BASE, entry(APK, apk(OLD) * 40)[: 2 * BLOCK]),
}

LINKS = {
    "a linked folder of dpkg": case(
        DEB,
        {
            "etc/os-release": DEBIAN,
            "opt/dpkg/status": dpkg(DEB),
            "var/lib/dpkg": Link("../../opt/dpkg"),
        },
    ),
    "a linked folder of dpkg, the link in an upper layer": case(
        DEB,
        {"etc/os-release": DEBIAN, "opt/dpkg/status": dpkg(DEB)},
        {"var/lib/dpkg": Link("/opt/dpkg")},
    ),
    "a link to a link": case(
        DEB,
        {"etc/os-release": DEBIAN, "opt/a/dpkg/status": dpkg(DEB)},
        {"var": Link("srv"), "srv": Link("run/x"), "run/x/lib": Link("/opt/a")},
    ),
    "a linked status.d": case(
        DEB,
        {"etc/os-release": DEBIAN, "opt/d/tar": "Package: tar\nVersion: 1.34\n"},
        {"var/lib/dpkg/status.d": Link("../../../opt/d")},
    ),
    "a hard link to the database": case(
        DEB, {"etc/os-release": DEBIAN, "opt/db": dpkg(DEB), DPKG: Link("opt/db", hard=True)}
    ),
    "a hard link to the database in a lower layer": case(
        DEB,
        {"etc/os-release": DEBIAN, "opt/db": dpkg(DEB)},
        {DPKG: Link("opt/db", hard=True)},
    ),
    "a hard link to a symbolic one": case(
        DEB,
        [
            ("etc/os-release", DEBIAN),
            ("opt/dpkg/status", dpkg(DEB)),
            ("link", Link("/opt/dpkg")),
            ("var/lib/dpkg", Link("link", hard=True)),
        ],
    ),
    "a hard link to a path written oddly": case(
        DEB,
        {"etc/os-release": DEBIAN, "opt/db": dpkg(DEB), DPKG: Link("/x/../../opt/db", hard=True)},
    ),
    "a hard link to nothing": case(FAILS, DEBIAN_BASE, {DPKG: Link("var/lib/dpkg/no", hard=True)}),
    "a path through a link of the same layer": case(
        OLD, ALPINE_BASE, [("l", Link("lib")), ("lib/x", ""), ("l/apk/db/installed", apk(OLD))]
    ),
    "a path through a link of a lower layer": case(
        FAILS,
        {**dict(ALPINE_BASE), "l": Link("lib")},
        {"l/apk/db/installed": apk(OLD)},
    ),
    "a merged /usr": case(
        OLD,
        {"etc/os-release": ALPINE, "usr/lib/apk/db/installed": apk(OLD), "lib": Link("usr/lib")},
    ),
    "a link over the database": case(OLD, ALPINE_BASE, {"opt/db": apk(OLD), APK: Link("/opt/db")}),
    "a link to nothing over the database": case(FAILS, ALPINE_BASE, {APK: Link("/dev/null")}),
    "a release file that is a link to a link": case(
        OLD,
        {
            "usr/lib/os-release": Link("../../opt/release"),
            "opt/release": ALPINE,
            "etc/os-release": Link("../usr/lib/os-release"),
            APK: apk(OLD),
        },
    ),
    "a file for a folder": case(FAILS, {"etc/os-release": ALPINE, "lib": "text", APK: apk(OLD)}),
}

REMOVED = {
    "a whiteout and a decoy": case(
        FAILS,
        DEBIAN_BASE,
        {
            "var/lib/dpkg/.wh.status": "",
            "var/lib/dpkg/status.d/d": "Package: decoy\nVersion: 1.0\n",
        },
    ),
    "an opaque folder and a decoy": case(
        FAILS,
        DEBIAN_BASE,
        {
            "var/lib/dpkg/.wh..wh..opq": "",
            "var/lib/dpkg/status.d/d": "Package: decoy\nVersion: 1.0\n",
        },
    ),
    "a folder above it replaced by a file": case(FAILS, DEBIAN_BASE, {"var/lib/dpkg": "text"}),
    "a device in place of the database": case(
        FAILS, ALPINE_BASE, entry(APK, type=b"3", at_345=b"") + END
    ),
    "a pipe in place of the database": case(FAILS, ALPINE_BASE, entry(APK, type=b"6") + END),
    "a whiteout through an odd path": case(
        FAILS, DEBIAN_BASE, entry("x/../var/lib/dpkg/.wh.status") + END
    ),
    "a whiteout of nothing": case(FAILS, DEBIAN_BASE, entry("var/lib/dpkg/.wh.") + END),
    "a whiteout of the folder itself": case(FAILS, DEBIAN_BASE, entry("var/lib/dpkg/.wh..") + END),
    "everything removed, and another image": case(
        FAILS, DEBIAN_BASE, [(".wh..wh..opq", ""), ("etc/os-release", ALPINE), (APK, apk(OLD))]
    ),
    "a folder removed and made again": case(
        FAILS,
        DEBIAN_BASE,
        [
            ("var/lib/.wh.dpkg", ""),
            ("var/lib/dpkg", Directory),
            ("var/lib/dpkg/status.d/d", "Package: decoy\nVersion: 1.0\n"),
        ],
    ),
    "a whiteout of an untouched folder": case(
        OLD, OVER, {"opt/x": ""}, [("opt/.wh.x", ""), (".wh.opt", ""), ("etc/.wh.issue", "")]
    ),
    "an opaque link": case(FAILS, DEBIAN_BASE, [("a", Link("var/lib")), ("a/.wh..wh..opq", "")]),
    "an attribute that hides files in overlays": case(
        FAILS,
        ALPINE_BASE,
        pax({"SCHILY.xattr.trusted.overlay.opaque": "y"}) + entry("lib/apk/db", type=b"5") + END,
    ),
}

RECORDS = {
    "two versions in a record of apk": case(
        FAILS, {"etc/os-release": ALPINE, APK: "P:zlib\nV:1.2.13-r0\nV:1.2.12-r0\n\n"}
    ),
    "two names in a record of apk": case(
        FAILS, {"etc/os-release": ALPINE, APK: "P:none\nP:zlib\nV:1.2.12-r0\n\n"}
    ),
    "two versions in a record of dpkg": case(
        FAILS, {"etc/os-release": DEBIAN, DPKG: dpkg(DEB).rstrip() + "\nVersion: 9.9\n\n"}
    ),
    "a database of another distribution": case(FAILS, {"etc/os-release": DEBIAN, APK: apk(OLD)}),
}

ARCHIVES = {**PATHS, **HEADERS, **ENDS}
"""One archive is odd, which every storage driver reads alike."""
STACKS = {**LINKS, **REMOVED}
"""Layers are odd together, where storage drivers may differ."""
CASES = {**ARCHIVES, **STACKS, **RECORDS}
