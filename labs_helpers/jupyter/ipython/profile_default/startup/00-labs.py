"""What a kernel of the labs begins with; `labs lab` copies this file to .labs/jupyter/ipython/."""

from collections.abc import Callable
from typing import Any

from IPython import get_ipython


class NotStarted:
    """Stands in for ``lab`` until the notebook's first cell has run."""

    def __repr__(self) -> str:
        return "lab is not there yet: run the first cell of this notebook."

    def __getattr__(self, name: str) -> None:
        if name.startswith("_"):  # IPython asks for many of these
            raise AttributeError(name)
        # imported late: a kernel starts faster without
        from labs_helpers.errors import LabError

        raise LabError(
            "lab is not there yet. Run the first cell of this notebook, the one with start(...). "
            "In a lab that you have begun, the cell changes nothing."
        )


lab = NotStarted()


def _said_first(magic: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """A shell's cell magic which, where the shell fails, says that the first cell comes first."""

    def run(line: str, cell: str) -> Any:
        from subprocess import CalledProcessError

        try:
            return magic(line, cell)
        except CalledProcessError:
            from labs_helpers.errors import LabError

            raise LabError(
                "The cell failed, and no lab is there yet. Run the first cell of this notebook, "
                "the one with start(...), and then this cell again."
            ) from None

    run.before_the_labs = magic  # type: ignore[attr-defined]
    return run


_shell: Any = get_ipython()
for _name in ("bash", "sh"):
    _magic = _said_first(_shell.find_cell_magic(_name))
    _shell.register_magic_function(_magic, "cell", _name)
