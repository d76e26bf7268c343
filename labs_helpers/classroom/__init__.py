"""An instructor's view of a room: learners' journals read, and hints handed out.

The journals are the truth, and nothing else is kept of a room. They belong to the learners, so they
are read as what strangers wrote.
"""
