"""Containers without a daemon: created, started, watched and removed.

`keeper/` is the process that starts programs in namespaces and outlives the engine; the other
modules are the engine's side. A container is a folder below ``containers/`` of the engine's state:
``container.json`` is its record, ``upper`` holds what it changed in the image's files.
"""
