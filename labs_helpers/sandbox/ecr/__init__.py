"""The ECR service: operations, and the state that both planes read and write."""
