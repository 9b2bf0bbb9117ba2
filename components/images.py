"""The images that steps run in; logical names until a target pins digests."""

STEPS = "argosy-steps:0.1.0"
