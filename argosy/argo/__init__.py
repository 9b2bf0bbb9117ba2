"""Translates plans to Argo Workflows: plain objects that a reviewer reads, one module per noun of Argo."""
