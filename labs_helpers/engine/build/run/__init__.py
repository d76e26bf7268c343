"""RUN without a daemon: a command in a folder with the files of an image.

The command is the learner's own, and runs as the learner: in namespaces where the machine gives
them, and under PRoot elsewhere. PRoot (https://proot-me.github.io/) keeps the command's paths
inside the image, but does not contain a malicious program.
"""
