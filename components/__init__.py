"""Components of the reference pipelines: kfp shells per stage and each use case's own data code."""
