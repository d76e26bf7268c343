"""Lab 01: Set up the AWS CLI."""
