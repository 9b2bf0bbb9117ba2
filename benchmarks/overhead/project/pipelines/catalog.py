"""Chains of trivial steps: each waits for the one before it."""

PIPELINES = {"chain-7": "pipelines.chains:chain_7", "chain-100": "pipelines.chains:chain_100"}
