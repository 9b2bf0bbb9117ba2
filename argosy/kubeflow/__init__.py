"""The Kubeflow target: compiling with kfp, what components declare."""
