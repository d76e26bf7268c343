"""RUN without a daemon: a command under PRoot, in a folder with the files of an image.

The command is the learner's own, and runs as the learner. PRoot (https://proot-me.github.io/) keeps
its paths inside the image, but does not contain a malicious program.
"""
