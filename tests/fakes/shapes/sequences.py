"""Steps in an order: chains, fans, pipelines in pipelines."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, InputPath, Output, OutputPath

from tests.fakes.shapes.steps import add, component, measure_text, read_text, say, spell, write_folder, write_text


@component
def describe_texts(texts: list, file: Output[Dataset]) -> NamedTuple("Described", [("mean", float), ("words", list)]):
    """Return two values and a file."""
    from pathlib import Path

    Path(file.path).write_text("\n".join(texts), encoding="utf-8")
    return (sum(map(len, texts)) / len(texts), texts)


@component
def write_path(text: str, out: OutputPath(str)):
    """Write a parameter to a path."""
    from pathlib import Path

    Path(out).write_text(text, encoding="utf-8")


@component
def read_path(file: InputPath("Dataset")) -> str:
    """Read an input from a path."""
    from pathlib import Path

    return Path(file).read_text(encoding="utf-8")


@dsl.container_component
def shout(text: str, out: dsl.OutputPath(str)):
    """Run a program that writes its output to a path."""
    script = 'mkdir -p "$(dirname "$1")" && printf "%s!" "$0" > "$1"'
    return dsl.ContainerSpec(image="python:3.11", command=["sh", "-c", script], args=[text, out])


@component
def read_variable(name: str) -> str:
    """Return an environment variable."""
    import os

    return os.environ[name]


@component
def repeat(letter: str, times: int) -> str:
    """Return a long text."""
    return letter * times


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


@dsl.pipeline
def same_twice() -> str:
    return spell(value=[add(a=1).output, add(a=1).output, add(a=1, b=1).output]).output


@dsl.pipeline
def named_outputs() -> NamedTuple("All", [("mean", float), ("words", list), ("file", Dataset)]):
    return describe_texts(texts=["one", "three"]).outputs


@dsl.pipeline
def paths() -> str:
    said = write_path(text="by path\n").outputs["out"]
    return read_path(file=write_text(text=said).outputs["file"]).output


@dsl.pipeline
def outer_default(number: int = 5) -> Both:
    return inner(number=number).outputs


@dsl.pipeline
def program(text: str) -> str:
    return say(text=shout(text=text).outputs["out"]).output


@dsl.pipeline
def environment() -> str:
    return read_variable(name="DEPOT").set_env_variable("DEPOT", "north é").output


@dsl.pipeline
def long_text(length: int) -> int:
    return measure_text(text=repeat(letter="é", times=length).output).output
