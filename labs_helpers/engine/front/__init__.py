"""The front of a real daemon: the labs' own push, pull and login before Docker or Podman.

A client talks to the socket of ``server``. For each request on the client's connection:

1. ``conversation`` reads the head of the request, and ``routes`` decides who answers it.
2. ``relay`` passes most requests to the daemon, and its answers back, byte for byte. That includes
   attach, exec, logs, events and BuildKit's h2c.
3. Requests to a registry that the sandbox serves go to ``app`` on a second socket. ``pulling``,
   ``pushing`` and ``libpod`` (Podman's own API) answer them with the engine's registry client.
4. ``base_pulls`` pulls the base images of a classic build before the daemon gets the build.
5. ``digest_names`` replaces an image name with a digest by the ID that the daemon knows.

``resources`` holds what all requests share. Images enter and leave the daemon as archives
(``POST /images/load``, ``GET /images/get``), so the daemon needs no setting, no CA and no hosts
entry, and may run in a virtual machine.
"""
