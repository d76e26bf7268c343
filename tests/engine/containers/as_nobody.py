"""An engine of an ordinary user, for tests that root runs: ``FOLDER``, ``UID`` and OPEN_PYTHON.

Root imports everything, and then becomes that user for good. OPEN_PYTHON is an interpreter that the
user may start. The engine ends with its standard input.
"""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import threading
from pathlib import Path

from labs_helpers.engine import machine
from labs_helpers.engine.server import make_server

NOBODY = 65534


def main(folder: Path, uid: int = NOBODY) -> None:
    # what runs the keeper must be open to that user; this checkout may not be
    shutil.copytree(machine.KEEPER_HOME / "keeper", folder / "code/keeper")
    machine.KEEPER_HOME = folder / "code"
    (folder / "engine").mkdir()
    gid = pwd.getpwuid(uid).pw_gid
    os.chown(folder / "engine", uid, gid)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    sys.executable = os.environ["OPEN_PYTHON"]
    builds = folder / "engine/builds"
    server = make_server(folder / "engine/d.sock", folder / "engine/state", None, builds)
    server.prepare()
    threading.Thread(target=server.serve).start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
