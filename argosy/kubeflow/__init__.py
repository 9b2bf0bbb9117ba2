"""The Kubeflow target: compiling pipelines with kfp and what components declare of themselves."""
