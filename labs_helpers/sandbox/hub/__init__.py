"""The stand-in for Docker Hub: base images made from recipes, and the registry that serves them."""
