"""The /v2/ data plane: OCI distribution over ECR's own state."""
