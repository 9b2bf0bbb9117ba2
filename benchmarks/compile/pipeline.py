"""A chain in the kfp DSL, which wants annotations as they are, not as texts."""

from collections.abc import Callable
from pathlib import Path

from kfp import compiler, dsl


@dsl.component(base_image="python:3.11")
def add(n: int) -> int:
    """Add one."""
    return n + 1


def chain(tasks: int) -> Callable[[Path], None]:
    """Return what compiles a chain of so many tasks with kfp, from the function to the file."""

    def trace() -> None:
        result = add(n=1)
        for _ in range(tasks - 1):
            result = add(n=result.output)

    def compile_to(path: Path) -> None:
        compiler.Compiler().compile(dsl.pipeline(name="chain")(trace), str(path))

    return compile_to
