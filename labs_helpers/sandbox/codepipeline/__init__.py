"""AWS CodePipeline: pipelines whose actions really run, with the rights of the pipeline's role."""
