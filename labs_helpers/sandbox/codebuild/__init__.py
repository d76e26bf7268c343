"""AWS CodeBuild: projects, and builds that the labs' runner really runs."""
