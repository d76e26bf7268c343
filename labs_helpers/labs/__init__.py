"""One folder a lab, ``labNN/``, and the modules that read the parts which are data.

README.md in this folder shows how the parts of a lab meet. What several labs share is in
``labs_helpers.prepare`` and ``labs_helpers.checks``; the list of labs is
``labs_helpers.curriculum``.
"""
