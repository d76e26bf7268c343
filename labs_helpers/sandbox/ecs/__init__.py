"""Amazon ECS: task definitions, tasks and services. The labs' runner runs the containers."""
