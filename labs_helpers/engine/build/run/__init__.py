"""RUN without a daemon: the files of an image as a folder, a command in it, and what it changed.

The command runs under PRoot, where that is installed: https://proot-me.github.io/. It is the
learner's own command, run as the learner: PRoot keeps its paths inside the image, and is no wall
against a program that means harm.
"""
