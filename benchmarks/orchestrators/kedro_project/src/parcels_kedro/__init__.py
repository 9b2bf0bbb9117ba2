"""The seven steps as a Kedro project."""
