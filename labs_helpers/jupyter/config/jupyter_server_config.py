"""JupyterLab's settings for the labs; `labs lab` copies this file to .labs/jupyter/config/."""

import os
import sys

from jupyter_server.serverapp import ServerApp

from labs_helpers.jupyter.folders import transport
from labs_helpers.jupyter.signatures import of_this_server

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (Jupyter provides it)

c.Application.log_level = "WARN"
c.LabApp.custom_css = True
# a question's choice reaches the kernel this way: labs_helpers/display/lesson.py
c.LabApp.expose_app_in_browser = True
c.LabApp.default_url = f"/lab/tree/{os.environ.get('LABS_JUPYTER_OPENS', '00-start-here.ipynb')}"
# on a full disk, notebooks can still be opened, and saved where there is room for them
c.NotebookNotary.store_factory = of_this_server
# no request leaves this machine
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
# the labs use no language servers, and the search for them runs npm, which writes into ~/.npm
c.LanguageServerManager.autodetect = False
# jupyter-server-proxy gives a container's page the learner's rights; labs_helpers/jupyter/pages.py
# takes them away
c.ServerApp.jpserver_extensions = {
    "jupyter_server_proxy": False,
    "labs_helpers.jupyter.pages": True,
}
# not a login shell: /etc/profile would replace PATH, and with it the labs' aws and docker
c.ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL") or "/bin/sh"]}
if "LABS_JUPYTER_ROOT" in os.environ:
    # `labs serve`, on a hub: the folder, and terminals that start the sandbox where it does not run
    c.ServerApp.root_dir = os.environ["LABS_JUPYTER_ROOT"]
    if ServerApp.initialized():
        # a page that leads a browser here, and without room for it on the disk no server starts;
        # Jupyter has no setting for it
        ServerApp.instance().no_browser_open_file = True
    shell = [sys.executable, "-P", "-m", "labs_helpers.cli", "shell"]
    c.ServerApp.terminado_settings = {"shell_command": shell}
    c.KernelManager.transport = transport(os.environ.get("JUPYTER_RUNTIME_DIR", ""))
# encrypts the messages of kernel and notebook against other users of the machine
c.KernelManager.transport_encryption = "auto"
# A kernel takes 55 MB. One that is idle, and whose notebook nobody has open, ends after an hour, as
# the server of a hub does; what the learner made is in the sandbox, not in the kernel.
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300
