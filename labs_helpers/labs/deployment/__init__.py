"""What labs 10 and 12 share: two versions in the registry, and how they are deployed on ECS."""
