"""The pipelines of this project, in the Kubeflow Pipelines DSL."""
