"""Plain data drawn for JupyterLab.

Every drawing has a complete text form, the same on every machine and in every run, and an HTML
form in JupyterLab's own colours, so that it is legible in the light and in the dark theme.
"""
