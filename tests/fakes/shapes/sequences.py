"""Steps in an order: chains, fans, pipelines in pipelines."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset

from tests.fakes.shapes.steps import add, read_text, spell, write_folder, write_text


class Pair(NamedTuple):
    small: int
    large: int


class Both(NamedTuple):
    number: int
    file: Dataset


@dsl.pipeline
def chain(start: int = 0) -> int:
    return add(a=add(a=add(a=start).output).output).output


@dsl.pipeline
def fan_out(start: int = 0) -> Pair:
    first = add(a=start)
    small = add(a=first.output, b=10)
    large = add(a=first.output, b=100)
    return Pair(small=small.output, large=large.output)


@dsl.pipeline
def diamond(start: int = 0) -> int:
    first = add(a=start)
    left = add(a=first.output, b=10)
    right = add(a=first.output, b=100)
    return add(a=left.output, b=right.output).output


@dsl.pipeline
def handed_file() -> str:
    return read_text(file=write_text(text="as it is\n").outputs["file"]).output


@dsl.pipeline
def folder() -> Artifact:
    return write_folder().outputs["folder"]


@dsl.pipeline
def inner(number: int, text: str = "inner") -> Both:
    written = write_text(text=text)
    return Both(number=add(a=number).output, file=written.outputs["file"])


@dsl.pipeline
def nested(start: int = 1) -> Both:
    once = inner(number=start)
    return inner(number=once.outputs["number"], text="outer").outputs


@dsl.pipeline
def middle(number: int) -> int:
    return add(a=inner(number=number).outputs["number"]).output


@dsl.pipeline
def nested_twice(start: int = 1) -> int:
    return add(a=middle(number=add(a=start).output).output).output


@dsl.pipeline
def list_of_outputs(start: int = 1) -> str:
    return spell(value=[add(a=start).output, add(a=start, b=2).output]).output
