"""The labs engine: Docker's Engine API on a unix socket, without a daemon.

It builds, tags, pushes and pulls images; it does not run containers. It knows registries only
over HTTP, so the sandbox's registry is to it what any other registry is.
"""
