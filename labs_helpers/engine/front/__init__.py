"""In front of a real daemon: Docker's or Podman's API, passed through, but for sandbox registries.

A client talks to one socket. What it asks goes to the daemon byte for byte, and the answer back
(attach, exec, logs, events, BuildKit's h2c). Only what has to reach a registry that the sandbox
serves is done here: log in, push, pull, digests, and the bases of a classic build. Images cross
over as archives (``GET /images/get``, ``POST /images/load``), so the daemon needs no setting, no
CA and no hosts entry, and may live in a virtual machine.
"""
