"""Mermaid diagrams drawn without a network: a Chromium runs the Mermaid of JupyterLab's files.

JupyterLab's build is made of pieces that register their modules under numbers. The page below loads
the pieces that JupyterLab itself loads for a diagram. When a later JupyterLab is built in another
way, nothing is drawn, and a sheet has the diagrams' text instead.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

SECONDS = 120
_LOADED = re.compile(
    r"\(await Promise\.all\(\[([^\]]*)\]\)\.then\((\w+)\.bind\(\2,(\d+)\)\)\)\.default"
)
_RESULT = re.compile(r'<pre id="drawn">(.*?)</pre>', re.DOTALL)

_PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const made = {}, factories = {}, waiting = {}, files = "@FILES@", texts = "@TEXTS@";
self.NAME = {push(piece) { Object.assign(factories, piece[1]); }};
const shared = "@SHARED@";
function load(id) {
  if (id in shared) return load(shared[id]);
  if (id in made) return made[id].exports;
  const module = made[id] = {id, exports: {}, loaded: false};
  factories[id].call(module.exports, module, module.exports, load);
  module.loaded = true;
  return module.exports;
}
load.o = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
load.d = (to, from) => { for (const key in from) if (load.o(from, key) && !load.o(to, key))
  Object.defineProperty(to, key, {enumerable: true, get: from[key]}); };
load.r = (to) => { Object.defineProperty(to, Symbol.toStringTag, {value: "Module"});
  Object.defineProperty(to, "__esModule", {value: true}); };
load.n = (module) => { const get = module && module.__esModule ? () => module.default
  : () => module; load.d(get, {a: get}); return get; };
load.g = globalThis;
load.nmd = (module) => module; load.hmd = (module) => module;
function fetched(piece) {
  if (!files[piece]) return Promise.resolve();  // a piece of shared modules, which has no file
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = files[piece];
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
}
load.e = (piece) => waiting[piece] ||= fetched(piece);
(async () => {
  const drawn = [];
  try {
    await Promise.all("@PIECES@".map(load.e));
    const mermaid = load("@MODULE@").default;
    mermaid.initialize({startOnLoad: false, securityLevel: "strict", theme: "neutral"});
    for (const [number, text] of texts.entries()) {
      const {svg} = await mermaid.render(`diagram-${number}`, text);
      drawn.push(svg);
    }
  } catch (error) { drawn.length = 0; console.error(error); }
  const out = document.createElement("pre");
  out.id = "drawn"; out.textContent = JSON.stringify(drawn);
  document.body.append(out);
})();
</script></body>"""


def draw(texts: Sequence[str], chromium: str | None) -> list[str] | None:
    """An SVG for each text; None where there is no Chromium, or nothing can be drawn."""
    page = None if chromium is None or not texts else _page(texts)
    if page is None or chromium is None:
        return None
    with tempfile.TemporaryDirectory(prefix="labs-diagrams-") as folder:
        file = Path(folder) / "page.html"
        file.write_text(page, encoding="utf-8")
        command = [
            *(chromium, "--headless", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", f"--user-data-dir={folder}/profile"),
            *("--virtual-time-budget=30000", "--dump-dom", file.as_uri()),
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # which Chromium refuses root without
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return None
    found = _RESULT.search(ran.stdout)
    drawn = json.loads(html.unescape(found[1])) if found else []
    return drawn if len(drawn) == len(texts) else None


def _page(texts: Sequence[str]) -> str | None:
    """The page that draws; None where JupyterLab's files are built in another way."""
    static = Path(sys.prefix) / "share" / "jupyter" / "lab" / "static"
    core = next(iter(static.glob("jlab_core.*.js")), None)
    if core is None:
        return None
    text = core.read_text(encoding="utf-8")
    loaded = _LOADED.search(text, text.find("MermaidManager"))
    name = re.search(r"self\.(\w+Chunk\w+)", text)
    if loaded is None or name is None:
        return None
    files = {one.name.split(".")[0]: one.as_uri() for one in static.glob("[0-9]*.js")}
    pieces = re.findall(r"\((\d+)\)", loaded[1])
    shared = _shared(static, [piece for piece in pieces if piece not in files])
    given = {
        "SHARED": {each: module for each, (module, _) in shared.items()},
        "FILES": files,
        "TEXTS": list(texts),
        "PIECES": [*pieces, *(piece for _, needed in shared.values() for piece in needed)],
        "MODULE": int(loaded[3]),
    }
    page = _PAGE.replace("self.NAME", f"self.{name[1]}")
    for word, value in given.items():
        # a diagram must not end the script
        page = page.replace(f'"@{word}@"', json.dumps(value).replace("<", "\\u003c"), 1)
    return page


def _shared(static: Path, pieces: Sequence[str]) -> dict[str, tuple[int, list[str]]]:
    """Modules that JupyterLab shares with its extensions, by number.

    For each, the number of JupyterLab's own module, and the pieces in which it is.
    """
    main = next(iter(static.glob("main.*.js")), None)
    text = main.read_text(encoding="utf-8") if main else ""
    found = {}
    for piece in pieces:
        listed = re.search(rf"[{{,]{piece}:\[([^\]]*)\]", text)
        for each in re.findall(r"\d+", listed[1]) if listed else ():
            own = re.search(rf"[{{,]{each}:{{.*?fallback:(.*?)__webpack_require__\((\d+)\)\)", text)
            if own is not None:
                found[each] = int(own[2]), re.findall(r"\.e\((\d+)\)", own[1])
    return found
