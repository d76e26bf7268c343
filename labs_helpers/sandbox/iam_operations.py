"""What moto's IAM leaves out or lets pass, done as AWS does: installed on its own classes."""

from __future__ import annotations


def install() -> None:
    """Put our operations onto moto's IamResponse; once is enough, twice does no harm."""
