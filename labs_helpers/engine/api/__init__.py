"""The Docker Engine API, as far as images need it.

Source: https://docs.docker.com/reference/api/engine/version/v1.47/
"""
