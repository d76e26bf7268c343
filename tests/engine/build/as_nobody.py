"""Builds a Dockerfile as an ordinary user, and prints its layers: a program of the tests.

``python -m tests.engine.build.as_nobody FOLDER [UID] < Dockerfile``, as root, who alone may become
another user. FOLDER is given to that user. With UID 0, root builds.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sys
from pathlib import Path

from labs_helpers.engine import machine
from labs_helpers.engine.build import BuildError
from labs_helpers.engine.folders import fresh_folder
from labs_helpers.engine.store import ImageStore
from tests.engine.build.building import Builder

NOBODY = 65534


def main(folder: Path, text: str, uid: int = NOBODY) -> None:
    busybox = shutil.which("busybox")
    assert busybox
    content = Path(busybox).read_bytes()
    # what runs commands must be open to that user; this checkout may not be
    shutil.copytree(machine.KEEPER_HOME / "keeper", folder / "code/keeper")
    machine.KEEPER_HOME = folder / "code"
    sys.executable = os.environ["OPEN_PYTHON"]
    if uid:
        gid = pwd.getpwuid(uid).pw_gid
        os.chown(folder, uid, gid)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    builder = Builder(ImageStore(folder / "store"), fresh_folder(folder, "scratch"))
    error, layers, name = "", [], ""
    try:
        image = builder.build(text, {"busybox": content, "f": "F\n"})
    except BuildError as failed:
        error = str(failed)
    else:
        name = image.id
        layers = [
            {name: [oct(m.mode), m.uid, m.gid] for name, m in builder.files(image, number).items()}
            for number in range(len(image.layers))
        ]
    left = [str(path) for path in folder.glob("scratch*/*")]
    print(
        json.dumps(
            {"id": name, "layers": layers, "said": builder.said, "left": left, "error": error}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin.read(), *map(int, sys.argv[2:]))
