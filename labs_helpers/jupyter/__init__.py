"""JupyterLab for the labs: its settings (`config/`) and where it keeps its files."""
