"""Pipelines of trivial steps."""
