"""Idempotent ML pipelines for Argo Workflows, Kubeflow and this machine."""
