"""The same trivial step, seven and a hundred times in a row."""

from components.steps import add_one
from kfp import dsl


@dsl.pipeline(name="chain-7")
def chain_7(start: int = 0) -> None:
    """Run seven steps."""
    number = start
    for _ in range(7):
        number = add_one(number=number).output


@dsl.pipeline(name="chain-100")
def chain_100(start: int = 0) -> None:
    """Run a hundred steps."""
    number = start
    for _ in range(100):
        number = add_one(number=number).output
