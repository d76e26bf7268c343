"""What a kernel of the labs begins with; `labs lab` copies this file to .labs/jupyter/ipython/."""


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
            "lab is not there yet. Run the first cell of this notebook, the one with start(...); "
            "it deletes and changes nothing that you made."
        )


lab = NotStarted()
