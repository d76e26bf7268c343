"""Load balancing that is real: targets, their health, and what the runner listens to."""
