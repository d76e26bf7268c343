"""The operations of EKS that the sandbox has."""
