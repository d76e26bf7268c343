"""JupyterLab for the labs: its settings (`config/`) and its folders."""
