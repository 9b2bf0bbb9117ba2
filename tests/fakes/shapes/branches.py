"""Conditions: alone, in chains, inside loops, and what comes out of one of several."""

from kfp import dsl
from kfp.dsl import Dataset

from tests.fakes.shapes.steps import add, note, read_text, say, spell, write_text


@dsl.pipeline
def if_alone(folder: str, number: int) -> int:
    seen = add(a=number)
    with dsl.If(seen.output > 5):
        note(folder=folder, name="large")
    return seen.output


@dsl.pipeline
def if_text(folder: str, word: str):
    said = say(text=word)
    with dsl.If(said.output == "yes"):
        note(folder=folder, name="yes")
    with dsl.If(said.output != "yes"):
        note(folder=folder, name="other")


@dsl.pipeline
def if_elif_else(number: int) -> str:
    seen = add(a=number, b=0)
    with dsl.If(seen.output < 0):
        negative = say(text="negative")
    with dsl.Elif(seen.output == 0):
        zero = say(text="zero")
    with dsl.Else():
        positive = say(text="positive")
    return dsl.OneOf(negative.output, zero.output, positive.output)


@dsl.pipeline
def one_of_used(number: int) -> int:
    with dsl.If(number == 1):
        one = add(a=number, b=10)
    with dsl.Else():
        other = add(a=number, b=100)
    return add(a=dsl.OneOf(one.output, other.output)).output


@dsl.pipeline
def one_of_artifact(number: int) -> Dataset:
    with dsl.If(number == 1):
        one = write_text(text="one")
    with dsl.Else():
        other = write_text(text="other")
    return dsl.OneOf(one.outputs["file"], other.outputs["file"])


@dsl.pipeline
def one_of_artifact_used(number: int) -> str:
    with dsl.If(number == 1):
        one = write_text(text="one")
    with dsl.Else():
        other = write_text(text="other")
    return read_text(file=dsl.OneOf(one.outputs["file"], other.outputs["file"])).output


@dsl.pipeline
def if_in_if(number: int, folder: str):
    with dsl.If(number > 0):
        small = add(a=number, b=0)
        with dsl.If(small.output < 10):
            note(folder=folder, name="small")
        with dsl.Else():
            note(folder=folder, name="large")


@dsl.pipeline
def if_in_loop(folder: str):
    with dsl.ParallelFor(["a", "b", "c"]) as letter:
        with dsl.If(letter == "b"):
            note(folder=folder, name="b", text=letter)
        with dsl.Else():
            note(folder=folder, name=f"not-{letter}")


@dsl.pipeline
def one_of_in_loop() -> str:
    with dsl.ParallelFor([1, 2, 3]) as number:
        seen = add(a=number, b=0)
        with dsl.If(seen.output == 2):
            two = say(text="two")
        with dsl.Else():
            other = say(text="other")
        chosen = say(text=dsl.OneOf(two.output, other.output))
    return spell(value=dsl.Collected(chosen.output)).output


@dsl.pipeline
def loop_in_if(number: int, folder: str):
    with dsl.If(number == 1), dsl.ParallelFor(["a", "b"]) as letter:
        note(folder=folder, name=letter)


@dsl.pipeline
def named(number: int) -> str:
    with dsl.If(number == 1):
        one = say(text="one")
    with dsl.Else():
        other = say(text="other")
    return dsl.OneOf(one.output, other.output)


@dsl.pipeline
def one_of_in_pipeline(number: int) -> str:
    return say(text=f"it is {named(number=number).output}").output


@dsl.pipeline
def pipeline_in_if(number: int, folder: str):
    with dsl.If(number > 0):
        note(folder=folder, name="named", text=named(number=number).output)


@dsl.pipeline
def if_on_fraction(share: float, folder: str):
    with dsl.If(share >= 0.5):
        note(folder=folder, name="half")
    with dsl.If(share < 0.5):
        note(folder=folder, name="less")


@dsl.pipeline
def if_on_flag(flag: bool, folder: str):
    with dsl.If(flag == True):  # noqa: E712 - so the DSL writes it
        note(folder=folder, name="on")
    with dsl.Else():
        note(folder=folder, name="off")


@dsl.pipeline
def after_skipped(number: int, folder: str) -> int:
    seen = add(a=number, b=0)
    with dsl.If(seen.output == 1):
        first = note(folder=folder, name="first")
        note(folder=folder, name="second", text=first.output)
    return seen.output


@dsl.pipeline
def if_on_item(folder: str):
    with dsl.ParallelFor([1, 2, 3]) as number, dsl.If(number >= 2):
        note(folder=folder, name=f"from-{number}")


@dsl.pipeline
def if_on_pipeline(number: int, folder: str):
    found = named(number=number)
    with dsl.If(found.output == "one"):
        note(folder=folder, name="one")


@dsl.pipeline
def one_of_artifacts_in_loop() -> list[str]:
    with dsl.ParallelFor([1, 2]) as number:
        seen = add(a=number, b=0)
        with dsl.If(seen.output == 1):
            one = write_text(text="one")
        with dsl.Else():
            other = write_text(text="other")
        read = read_text(file=dsl.OneOf(one.outputs["file"], other.outputs["file"]))
    return dsl.Collected(read.output)
