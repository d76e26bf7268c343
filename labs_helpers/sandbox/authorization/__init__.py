"""May they: what a request asks for, in IAM's terms, and the decision on it."""
