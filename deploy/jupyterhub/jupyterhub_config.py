"""JupyterHub for a class on one machine, whose learners are users of the system.

docs/jupyterhub.md tells in ten steps how to use this file. What you set in
/etc/jupyterhub/local.py goes before what is set here.
"""

import os
from pathlib import Path

from labs_helpers.classroom import hub_page

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (JupyterHub provides it)

LABS = Path(__file__).resolve().parents[2]
BIN = LABS / ".venv" / "bin"
STATE = Path(os.environ.get("STATE_DIRECTORY", "/var/lib/jupyterhub"))

c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

# Who may log in, with the password of the system (deploy/jupyterhub/add-learners makes all).
# The machine has to have these groups: JupyterHub looks them up at every login. Who administers the
# hub may not log in for that alone.
c.LocalAuthenticator.allowed_groups = {"learners", "instructors"}
c.LocalAuthenticator.admin_groups = {"instructors"}

# `labs serve` lays out the learner's workbook, my-labs/ in the home, and becomes the server.
# Sandbox and engine start with the learner's first cell or terminal, and end with the server.
c.Spawner.cmd = [str(BIN / "labs"), "serve"]
# The defaults (60 s, 30 s) are enough for a few learners at once. Forty share the cores.
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180

# A server that nobody has used for an hour is stopped. What the learner made is kept.
CULL_AFTER = int(os.environ.get("LABS_HUB_CULL", "3600"))
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            str(BIN / "python"),
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={CULL_AFTER}",
            f"--cull-every={max(CULL_AFTER // 6, 2)}",
        ],
    }
]

# At /hub/class, the instructors see where each learner is.
c.JupyterHub.extra_handlers = hub_page.handlers(Path("/home"))

if Path("/etc/jupyterhub/local.py").exists():
    load_subconfig("/etc/jupyterhub/local.py")  # type: ignore[name-defined]  # noqa: F821
