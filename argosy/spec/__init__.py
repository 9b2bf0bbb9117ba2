"""PipelineSpec to a typed, strict, resolved plan; neither kfp nor hera is imported here."""
