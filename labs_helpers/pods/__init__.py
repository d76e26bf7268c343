"""What a Kubernetes node does with a manifest: read, pull with the role of the node, run."""
