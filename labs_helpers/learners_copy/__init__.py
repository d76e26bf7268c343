"""The learner's copy of the notebooks: the workbook that `labs lab` opens, and its updates."""
