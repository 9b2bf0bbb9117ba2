"""Runs any step, anywhere, so that it commits at most once per key.

`step` looks, claims, runs and commits; `key` and `closure` say what a step is; `store` keeps blobs, records, refs
and effects; `effects` and `refs` do what changes the world outside; `executor` runs the code of one step.
"""
