"""The style of a sheet: lines wrap, on paper too, and the colours of JupyterLab are given."""

CSS = """
:root { --jp-border-color2: #c5cbd3; --jp-layout-color1: #ffffff; --jp-ui-font-color1: #1b1f24;
  --jp-info-color1: #1f6feb; --jp-success-color1: #1a7f37; --jp-warn-color1: #9a6700;
  --jp-error-color1: #cf222e; }
body { font: 11pt/1.5 system-ui, sans-serif; color: #1b1f24; background: #ffffff;
  max-width: 48em; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 9pt/1.4 ui-monospace, monospace;
  margin: .3em 0; padding: .5em .7em; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.input_area pre, .text_cell .highlight pre { background: #f3f5f8; border: 1px solid #c5cbd3; }
.output_area pre { border-left: 3px solid #c5cbd3; }
.output_stderr pre { border-left-color: #9a6700; }
.prompt, .anchor-link { display: none; }
table { border-collapse: collapse; max-width: 100%; }
th, td { border: 1px solid #c5cbd3; padding: .2em .5em; text-align: left; vertical-align: top; }
figure { margin: 1em 0; } figcaption { font-style: italic; font-size: 10pt; }
img, svg { max-width: 100%; height: auto; }
h1, h2, h3 { line-height: 1.25; break-after: avoid; }
@media print { body { margin: 0; max-width: none; } a { color: inherit; }
  figure { break-inside: avoid; } pre, table { break-inside: auto; } tr { break-inside: avoid; } }
@page { margin: 18mm 16mm; }
"""
