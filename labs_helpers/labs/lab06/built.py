"""An image that the learner has built: what is in it, and what a container of it serves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from labs_helpers.checks import containers, images, layers
from labs_helpers.checks.goal import Finding

_BY_A_SHELL = 'open() "./nginx.conf" failed'
"""What the nginx says that the labs' engine lends to an image, when a shell starts it: the engine
names its configuration only where nginx is the first program."""
_STAYS = "a container lives as long as its first program: does that one stay in the foreground?"


@dataclass(frozen=True)
class Built:
    """A local image under its name."""

    name: str
    image: Any

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.image.attrs["Config"])

    @property
    def environment(self) -> list[str]:
        return list(self.config.get("Env") or ())

    @cached_property
    def layers(self) -> list[layers.Layer]:
        return images.files(self.image)

    @cached_property
    def files(self) -> dict[str, str]:
        return layers.visible(self.layers)

    @cached_property
    def instructions(self) -> list[str]:
        return images.instructions(self.image)

    def is_on(self, base: Any) -> bool:
        return layers.begins_with(images.diff_ids(self.image), images.diff_ids(base))

    def starts_nginx(self) -> Finding | None:
        command = [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())]
        if any(re.search(r"(?:^|[/\s;&])nginx(?:$|[\s;&])", word) for word in command):
            return None
        return Finding(
            f"what starts when somebody runs {self.name}",
            json.dumps(command),
            "an image that is built on a web server starts it, unless a line says otherwise",
        )

    def serves(self, file: Path) -> Finding | None:
        """Whether a container of the image stays, and answers with this file of the lab's folder.

        A container that stays and publishes no port that answers is believed: its program may
        listen on a port that the image does not document. Where the engine runs no container, or
        not this one, the image's command has to say that nginx stays in the foreground.
        """
        try:
            ran = containers.run(str(self.image.id), f"/{file.name}")
        except containers.CannotRun:
            return self._stays_by_its_command()
        if _BY_A_SHELL in ran.said:
            return self._stays_by_its_command()
        looked_at = f"a container of {self.name}, which the check ran"
        if ran.code is not None:
            last = f"; its last line: {ran.said}" if ran.said and ran.code else ""
            return Finding(looked_at, f"it ended, with the exit code {ran.code}{last}", _STAYS)
        if ran.page is None or ran.page == file.read_bytes():
            return None
        return Finding(
            looked_at,
            f"another page at /{file.name}: {_first_line(ran.page)}",
            "which folder does its nginx serve?",
        )

    def _stays_by_its_command(self) -> Finding | None:
        command = [*(self.config.get("Entrypoint") or ()), *(self.config.get("Cmd") or ())]
        if "daemon off" in " ".join(command):
            return None
        return Finding(f"what starts when somebody runs {self.name}", json.dumps(command), _STAYS)

    def page_is(self, file: Path, path: str) -> Finding | None:
        """Whether the image serves this file of the lab's folder under ``path``."""
        wanted, found = layers.sha256(file), self.files.get(path)
        if wanted and found == wanted:
            return None
        if not wanted:
            return Finding(
                f"the lab's folder, {file}", "no such file", "lab.restart() brings it back"
            )
        if found is None:
            elsewhere = [name for name, digest in self.files.items() if digest == wanted]
            return Finding(
                f"/{path} in {self.name}",
                f"the file is at /{elsewhere[0]}" if elsewhere else "no such file",
                "nginx serves one folder: is the file there?",
            )
        what = "an empty file" if found == layers.EMPTY else f"another file than {file}"
        same = [one for one in sorted(Path().rglob("*")) if layers.sha256(one) == found]
        if same and found != layers.EMPTY:
            what = f"your {same[0]}, and not {file}"
        return Finding(
            f"/{path} in {self.name}", what, f"nginx would show this instead of your {file}"
        )


def _first_line(page: bytes) -> str:
    return next(iter(page.decode(errors="replace").strip().splitlines()), "an empty one")[:80]
