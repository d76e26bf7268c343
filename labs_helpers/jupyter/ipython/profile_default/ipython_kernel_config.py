"""Settings of the labs' kernels; `labs lab` copies this file to .labs/jupyter/ipython/."""

import sys

# JupyterLab's debugger takes 8 MB of every kernel, and no lab uses it. ipykernel does without what
# cannot be imported: https://github.com/ipython/ipykernel/blob/main/ipykernel/debugger.py
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
