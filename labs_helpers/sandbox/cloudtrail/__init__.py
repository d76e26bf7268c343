"""AWS CloudTrail's event history: the calls that really came, and what was answered."""
