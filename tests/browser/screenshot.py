"""Write the README's picture: `make screenshot`, a lab in JupyterLab as it really looks."""

import sys
from pathlib import Path

from tests.browser.driver import jupyterlab, page, run_all

LAB = "05-log-in/05-log-in.ipynb"


def main(target: Path) -> None:
    """Open the lab, run it, scroll to where a check speaks, take the picture."""
    with jupyterlab() as url:
        lab = url.replace("00-start-here.ipynb", LAB)
        with page(lab) as opened:
            run_all(opened, lab)
            opened.get_by_text("SANDBOX").first.scroll_into_view_if_needed()
            target.parent.mkdir(exist_ok=True)
            opened.screenshot(path=target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
