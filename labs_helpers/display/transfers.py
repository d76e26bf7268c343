"""The progress and the result of a push or a pull, read from Docker's messages.

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
from labs_helpers.display.rendering import CALM, Rendering, spelled, table

_SENT = ("Pushed", "Pull complete")
_THERE = ("Layer already exists", "Already exists", "Mounted from ")
_LAYER = re.compile(r"[0-9a-f]{12}")
_DIGEST = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})", re.IGNORECASE)


class NotAStream(ValueError):
    """The argument is not the stream of messages of a push or a pull."""

    def __init__(self, found: object) -> None:
        super().__init__(
            "lab.watch follows the messages of a push or a pull, each a dictionary. It got"
            f" {found!r:.60}\n"
            "The Docker SDK returns such messages:"
            " client.images.push(repository, tag=tag, stream=True, decode=True)"
        )


@dataclass
class Layer:
    """The transfer of one layer; ``current`` and ``total`` are bytes, 0 while unknown."""

    id: str
    status: str = ""
    current: int = 0
    total: int = 0

    @property
    def moved(self) -> bool:
        """Whether the whole layer was sent or fetched."""
        return self.status in _SENT

    @property
    def done(self) -> bool:
        """Whether the layer is at its destination, whether or not this transfer moved it."""
        return self.moved or self.status.startswith(_THERE)

    @property
    def bytes(self) -> int:
        """The size that Docker has reported, 0 if none.

        The embedded engine and every pull report the compressed size, dockerd's push the
        uncompressed size.
        """
        return self.total or self.current

    @property
    def percent(self) -> int:
        """The share sent or fetched, 0 to 100; 0 for a layer that was there already."""
        if self.done:
            return 100 if self.moved else 0
        return min(100, 100 * self.current // self.total) if self.total else 0


@dataclass
class Progress:
    """The state of a transfer after the messages so far.

    ``before`` and ``after`` are the lines about no layer, before and after the first layer's.
    """

    layers: dict[str, Layer] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    digest: str | None = None
    error: str | None = None

    def take(self, message: Mapping[str, Any]) -> Layer | None:
        """Record one message and return the layer that it is about, if any.

        An unknown status is kept as it is. Raises NotAStream.
        """
        if not isinstance(message, Mapping):
            raise NotAStream(message)
        if "error" in message or "errorDetail" in message:
            detail = message.get("errorDetail") or {}
            self.error = str(detail.get("message") or message.get("error") or "unknown error")
            return None
        status, name = str(message.get("status") or ""), str(message.get("id") or "")
        if _LAYER.fullmatch(name):
            return self._update(name, status, message.get("progressDetail") or {})
        line = f"{name}: {status}" if name else status
        if status:
            (self.after if self.layers else self.before).append(line)
        if found := _DIGEST.search(line):
            self.digest = found[1]
        return None

    def _update(self, name: str, status: str, detail: Mapping[str, Any]) -> Layer:
        layer = self.layers.setdefault(name, Layer(name))
        layer.status = status or layer.status
        # a number with a unit is not bytes: containerd counts the seconds of an extraction
        if not detail.get("units"):
            layer.current = int(detail.get("current") or layer.current)
            layer.total = int(detail.get("total") or layer.total)
        return layer


@dataclass(frozen=True, repr=False)
class TransferResult(Rendering):
    """A push or a pull at its end: a table of its layers, and the digest that Docker reported."""

    digest: str | None


def follow(
    stream: Iterable[Mapping[str, Any]],
    observe: Callable[[Progress, Layer | None], None] = lambda progress, layer: None,
) -> Progress:
    """Read a stream to its end or its error; call ``observe`` after each message.

    Raises NotAStream.
    """
    progress = Progress()
    if isinstance(stream, str | bytes):
        raise NotAStream(stream)
    for message in stream:
        layer = progress.take(message)
        observe(progress, layer)
        if progress.error:
            break
    return progress


def result(progress: Progress) -> TransferResult:
    """A table of the layers, and how many of them had to be sent or fetched.

    An unfinished layer is called so without its percentage, which differs from run to run.
    """
    layers = list(progress.layers.values())
    rows = [
        (layer.id, size(layer.bytes) if layer.moved and layer.bytes else "", _outcome(layer))
        for layer in layers
    ]
    lines = [*progress.after]
    if layers and not progress.error:
        lines.append(_count(layers))
    text = [*progress.before]
    html = [f"<div>{spelled(line)}</div>" for line in progress.before]
    if rows:
        text.append(table(("layer", "size", ""), rows, right=(1,)).text)
        html.append(_table(layers, rows))
    text += lines
    html += [f"<div>{spelled(line)}</div>" for line in lines]
    return TransferResult("\n".join(text), "".join(html), progress.digest)


def _outcome(layer: Layer) -> str:
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
    """The rows, with a bar for each moved layer in proportion to the largest."""
    most = max((layer.bytes for layer in layers if layer.moved), default=0) or 1
    cells = []
    for layer, (name, written, outcome) in zip(layers, rows, strict=True):
        percent = 100 * layer.bytes / most if layer.moved else 0
        cells.append(
            '<tr style="background:transparent"><th scope="row" style="text-align:left">'
            f'<code>{escape(name)}</code></th><td style="text-align:right">{written}</td>'
            f'<td style="width:20em"><div aria-hidden="true" style="width:{percent:.1f}%;'
            f'height:0.8em;background:{CALM}"></div></td>'
            f'<td style="text-align:left">{spelled(outcome)}</td></tr>'
        )
    head = '<tr><th style="text-align:left">layer</th><th>size</th><th></th><th></th></tr>'
    return f"<table><thead>{head}</thead><tbody>{''.join(cells)}</tbody></table>"


@dataclass
class Pace:
    """Delays the reader of a stream as a line of ``mbit`` Mbit/s would."""

    mbit: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _started_at: float | None = None

    def wait(self, progress: Progress) -> None:
        """Sleep until the line could have carried the bytes moved so far."""
        if self._started_at is None:
            self._started_at = self.clock()
        moved = sum(layer.current for layer in progress.layers.values())
        early = moved * 8 / (self.mbit * 1_000_000) - (self.clock() - self._started_at)
        if early > 0:
            self.sleep(early)


class Bars:
    """Widgets that follow a transfer: a bar for each layer, with its status beside it."""

    def __init__(self, pace: Pace | None = None) -> None:
        import ipywidgets

        self._pace = pace
        self._widgets = ipywidgets
        self._messages = ipywidgets.HTML()
        self._rows: dict[str, Any] = {}
        self.box = ipywidgets.VBox([self._messages])

    def update(self, progress: Progress, layer: Layer | None) -> None:
        """Show what a message changed. It prints nothing, so any thread may call it."""
        if layer is None:
            lines = [*progress.before, *progress.after]
            self._messages.value = "<br>".join(map(escape, lines))
            return
        if layer.id not in self._rows:
            self._rows[layer.id] = self._row(layer.id)
            self.box.children = (*self.box.children, self._rows[layer.id])
        _, bar, status = self._rows[layer.id].children
        # ipywidgets sends a value only when it changes: at most 100 messages a layer
        bar.value = layer.percent
        status.value = escape(_status(layer))
        if self._pace:
            self._pace.wait(progress)

    def _row(self, name: str) -> Any:
        widgets = self._widgets
        label = widgets.HTML(f"<code>{escape(name)}</code>", layout=widgets.Layout(width="8em"))
        bar = widgets.IntProgress(0, 0, 100, layout=widgets.Layout(width="20em"))
        bar.style.bar_color = CALM
        status = widgets.HTML(layout=widgets.Layout(margin="2px 2px 2px 1em"))
        return widgets.HBox([label, bar, status])


def _status(layer: Layer) -> str:
    if layer.done or not layer.total:
        return layer.status
    return f"{layer.status} {layer.percent} % of {size(layer.total)}"
