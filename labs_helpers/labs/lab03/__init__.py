"""Lab 03: Amazon ECR and Docker Hub."""
