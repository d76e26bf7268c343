"""What labs 09 and 11 share: a pipeline, its beginning, and what checks ask of a release."""
