"""A push or a pull as it goes: Docker's messages, a bar for each layer, and what came of it.

Source of the messages: ``POST /images/{name}/push`` and ``POST /images/create`` of
https://docs.docker.com/reference/api/engine/version/v1.47/
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from labs_helpers.display.bars import size
from labs_helpers.display.shown import CALM, Shown, table

_SENT = ("Pushed", "Pull complete")
_THERE = ("Layer already exists", "Already exists", "Mounted from ")
_LAYER = re.compile(r"[0-9a-f]{12}")
_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})", re.IGNORECASE)


class NotAStream(ValueError):
    """What was given are not the messages of a push or a pull."""

    def __init__(self, found: object) -> None:
        super().__init__(
            "lab.watch follows the messages of a push or a pull, one dictionary each. It was given"
            f" {found!r:.60}\n"
            "The Docker SDK gives them:"
            " client.images.push(repository, tag=tag, stream=True, decode=True)"
        )


@dataclass
class Layer:
    """One layer on its way; ``current`` and ``total`` are bytes, 0 while nothing is known."""

    id: str
    status: str = ""
    current: int = 0
    total: int = 0

    @property
    def moved(self) -> bool:
        """Whether all of it was sent or fetched."""
        return self.status in _SENT

    @property
    def done(self) -> bool:
        """Whether it is where it should be, sent or not."""
        return self.moved or self.status.startswith(_THERE)

    @property
    def bytes(self) -> int:
        """Its size as far as Docker has said it, 0 if it has not.

        The embedded engine and pulls say what is sent; dockerd's push says it uncompressed.
        """
        return self.total or self.current

    @property
    def percent(self) -> int:
        """How much of it was sent or fetched, 0 to 100; 0 for what was there already."""
        if self.done:
            return 100 if self.moved else 0
        return min(100, 100 * self.current // self.total) if self.total else 0


@dataclass
class Progress:
    """What the messages so far have said."""

    layers: dict[str, Layer] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    digest: str | None = None
    error: str | None = None

    def take(self, message: Mapping[str, Any]) -> Layer | None:
        """Note one message; the layer it was about, if it was about one.

        Statuses that are not known are kept as they are. Raises NotAStream.
        """
        if not isinstance(message, Mapping):
            raise NotAStream(message)
        if "error" in message or "errorDetail" in message:
            detail = message.get("errorDetail") or {}
            self.error = str(detail.get("message") or message.get("error") or "unknown error")
            return None
        status, name = str(message.get("status") or ""), str(message.get("id") or "")
        if _LAYER.fullmatch(name):
            return self._moved(name, status, message.get("progressDetail") or {})
        line = f"{name}: {status}" if name else status
        if status:
            (self.after if self.layers else self.before).append(line)
        if found := _DIGEST.search(line):
            self.digest = found[1]
        return None

    def _moved(self, name: str, status: str, detail: Mapping[str, Any]) -> Layer:
        layer = self.layers.setdefault(name, Layer(name))
        layer.status = status or layer.status
        # what has a unit is no number of bytes: containerd counts the seconds of an extraction
        if not detail.get("units"):
            layer.current = int(detail.get("current") or layer.current)
            layer.total = int(detail.get("total") or layer.total)
        return layer


class Watched:
    """What came of a stream: every layer, and the digest in the end."""

    def __init__(self, progress: Progress) -> None:
        self.digest = progress.digest
        self._shown = drawn(progress)

    def __repr__(self) -> str:
        return self._shown.text

    def _repr_html_(self) -> str:
        return self._shown.html


def follow(
    stream: Iterable[Mapping[str, Any]],
    see: Callable[[Progress, Layer | None], None] = lambda progress, layer: None,
) -> Progress:
    """Read a stream to its end or its error; ``see`` is told of each message. Raises NotAStream."""
    progress = Progress()
    if isinstance(stream, str | bytes):
        raise NotAStream(stream)
    for message in stream:
        layer = progress.take(message)
        see(progress, layer)
        if progress.error:
            break
    return progress


def drawn(progress: Progress) -> Shown:
    """A table of the layers, and how many of them had to be sent or fetched.

    A layer that did not end says so, and not how far it came, which no two runs agree on.
    """
    layers = list(progress.layers.values())
    rows = [
        (one.id, size(one.bytes) if one.moved and one.bytes else "", _end(one)) for one in layers
    ]
    lines = [*progress.after]
    if layers and not progress.error:
        lines.append(_count(layers))
    text = [*progress.before]
    html = [f"<div>{escape(line)}</div>" for line in progress.before]
    if rows:
        text.append(table(("layer", "size", ""), rows, right=(1,)).text)
        html.append(_table(layers, rows))
    text += lines
    html += [f"<div>{escape(line)}</div>" for line in lines]
    return Shown("\n".join(text), "".join(html))


def _end(layer: Layer) -> str:
    return layer.status if layer.done else "not finished"


def _count(layers: list[Layer]) -> str:
    moved = sum(layer.moved for layer in layers)
    verb = (
        "fetched"
        if any(layer.status.startswith(("Pull", "Already")) for layer in layers)
        else "sent"
    )
    there = len(layers) - moved
    rest = f"; {there} {'was' if there == 1 else 'were'} there already" if there else ""
    return f"{moved} of {len(layers)} layers {verb}{rest}"


def _table(layers: list[Layer], rows: list[tuple[str, str, str]]) -> str:
    """The rows with a bar for what moved, as long as its part of the largest."""
    most = max((layer.bytes for layer in layers if layer.moved), default=0) or 1
    cells = []
    for layer, (name, written, end) in zip(layers, rows, strict=True):
        percent = 100 * layer.bytes / most if layer.moved else 0
        cells.append(
            '<tr style="background:transparent"><th scope="row" style="text-align:left">'
            f'<code>{escape(name)}</code></th><td style="text-align:right">{written}</td>'
            f'<td style="width:20em"><div aria-hidden="true" style="width:{percent:.1f}%;'
            f'height:0.8em;background:{CALM}"></div></td>'
            f'<td style="text-align:left">{escape(end)}</td></tr>'
        )
    head = '<tr><th style="text-align:left">layer</th><th>size</th><th></th><th></th></tr>'
    return f"<table><thead>{head}</thead><tbody>{''.join(cells)}</tbody></table>"


@dataclass
class Pace:
    """Holds back whoever follows a stream, as a line of ``mbit`` Mbit/s would; never more."""

    mbit: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _begun: float | None = None

    def wait(self, progress: Progress) -> None:
        """Return when the line would have carried what the layers say has moved so far."""
        if self._begun is None:
            self._begun = self.clock()
        moved = sum(layer.current for layer in progress.layers.values())
        ahead = moved * 8 / (self.mbit * 1_000_000) - (self.clock() - self._begun)
        if ahead > 0:
            self.sleep(ahead)


class Bars:
    """The same while it goes on, as widgets: a bar for each layer, its number beside it."""

    def __init__(self, pace: Pace | None = None) -> None:
        import ipywidgets

        self._pace = pace
        self._widgets = ipywidgets
        self._said = ipywidgets.HTML()
        self._rows: dict[str, Any] = {}
        self.box = ipywidgets.VBox([self._said])

    def see(self, progress: Progress, layer: Layer | None) -> None:
        """Show what a message has changed. Prints nothing: it may be called from anywhere."""
        if layer is None:
            lines = [*progress.before, *progress.after]
            self._said.value = "<br>".join(map(escape, lines))
            return
        if layer.id not in self._rows:
            self._rows[layer.id] = self._row(layer.id)
            self.box.children = (*self.box.children, self._rows[layer.id])
        _, bar, status = self._rows[layer.id].children
        # ipywidgets sends only what differs: a message a percent, however many portions there are
        bar.value = layer.percent
        status.value = escape(_now(layer))
        if self._pace:
            self._pace.wait(progress)

    def _row(self, name: str) -> Any:
        widgets = self._widgets
        label = widgets.HTML(f"<code>{escape(name)}</code>", layout=widgets.Layout(width="8em"))
        bar = widgets.IntProgress(0, 0, 100, layout=widgets.Layout(width="20em"))
        bar.style.bar_color = CALM
        status = widgets.HTML(layout=widgets.Layout(margin="2px 2px 2px 1em"))
        return widgets.HBox([label, bar, status])


def _now(layer: Layer) -> str:
    if layer.done or not layer.total:
        return layer.status
    return f"{layer.status} {layer.percent} % of {size(layer.total)}"
