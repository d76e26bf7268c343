"""A lab on paper: HTML and PDF of a notebook, without a network, with or without its solutions."""
