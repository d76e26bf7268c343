"""What labs 09, 11 and 13 share: a pipeline, its beginning, and what checks ask of a release."""
