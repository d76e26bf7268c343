"""The stand-in for Docker Hub: base images built from recipes, and a registry that serves them."""
