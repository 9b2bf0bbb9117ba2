"""A step that does next to nothing."""

from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def add_one(number: int) -> int:
    """Add one."""
    return number + 1
