"""One folder a lab: what the lab starts from, its checks, its questions, its differences from AWS.

``labNN/prepare.py``, ``checks.py``, ``questions.json`` and ``differences.json``; a lab leaves out
what the lab does not need. What several labs share is in ``labs_helpers.prepare`` and
``labs_helpers.checks``. The list of labs is ``labs_helpers.curriculum``.
"""
