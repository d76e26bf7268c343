"""The process that keeps the containers: their parent, their log writer, and their relays.

The engine may end and start again while containers run: one keeper is the parent of them all. It
uses the standard library only and imports nothing of the labs, so that it stays small. Every
container dies with the keeper (PR_SET_PDEATHSIG), so a killed keeper leaves no process behind.
"""
