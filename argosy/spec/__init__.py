"""PipelineSpec to a typed, strict, resolved plan, without kfp or hera."""
