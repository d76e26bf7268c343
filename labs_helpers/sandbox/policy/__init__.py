"""IAM evaluation: pure functions over policies, a request and its context. No moto, no state."""
