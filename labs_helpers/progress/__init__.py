"""The learner's progress: a journal of what the learner did, and what follows from the journal.

The journal stays on this machine. It holds ids and outcomes, and no code, output or key.
"""
