"""AWS CodeDeploy: blue/green deployments of services of Amazon ECS."""
