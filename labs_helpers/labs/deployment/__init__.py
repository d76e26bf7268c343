"""What labs 10, 12 and 14 share: two versions in the registry, and how they are deployed on ECS."""
