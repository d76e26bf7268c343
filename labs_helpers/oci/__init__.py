"""OCI vocabulary: digests, references, media types and manifests. Imports nothing of ours."""
