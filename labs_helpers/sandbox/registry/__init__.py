"""The /v2/ data plane: the OCI distribution API, which reads and writes ECR's store."""
