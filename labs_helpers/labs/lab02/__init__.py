"""Lab 02: Who may do what: IAM."""
