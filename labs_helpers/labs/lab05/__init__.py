"""Lab 05: Log Docker in to ECR."""
