"""Shapes of trivial steps, and how they are compiled.

Run as `python pipelines.py FOLDER` where kfp is installed.
"""

import sys

from kfp import compiler, dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def add_one(number: int) -> int:
    """Add one."""
    return number + 1


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def add_up(a: int, b: int, c: int, d: int, e: int) -> int:  # noqa: PLR0917 - kfp makes a list of outputs a list of texts
    """Add five numbers up."""
    return a + b + c + d + e


@dsl.pipeline(name="one")
def one(start: int = 0) -> int:
    """Run a step."""
    return add_one(number=start).output


@dsl.pipeline(name="chain")
def chain(start: int = 0) -> int:
    """Run five steps, each on what the one before it returned."""
    number = start
    for _ in range(5):
        number = add_one(number=number).output
    return number


@dsl.pipeline(name="wide")
def wide() -> None:
    """Run five steps that know nothing of each other."""
    for number in range(5):
        add_one(number=number)


@dsl.pipeline(name="reduced")
def reduced() -> int:
    """Run five steps, and one on what they returned."""
    a, b, c, d, e = (add_one(number=number).output for number in range(5))
    return add_up(a=a, b=b, c=c, d=d, e=e).output


@dsl.pipeline(name="loop")
def loop() -> list[int]:
    """Run a step for each of five items, and collect what it returned."""
    with dsl.ParallelFor(list(range(5))) as number:
        more = add_one(number=number)
    return dsl.Collected(more.output)


if __name__ == "__main__":
    for shape in (one, chain, wide, reduced, loop):
        compiler.Compiler().compile(shape, f"{sys.argv[1]}/{shape.name}.yaml")
