"""OCI's terms: digests, references, media types, manifests, headers. It imports no other room."""
