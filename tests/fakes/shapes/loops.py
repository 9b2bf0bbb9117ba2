"""Loops: over constants and results, in each other, and what is collected from them."""

from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset

from tests.fakes.shapes.steps import (
    add,
    component,
    count_to,
    doubled,
    join_texts,
    read_text,
    say,
    spell,
    total,
    write_text,
)


@component
def halve(number: float) -> float:
    """Halve a number."""
    return number / 2


@component
def list_parcels() -> list[dict]:
    """Return objects."""
    return [{"depot": "north", "km": 3}, {"depot": "south", "km": 4}]


class Numbers(NamedTuple):
    numbers: list[int]
    spelled: str
    total: int


def collected(task) -> Numbers:
    """Collect a number three times; kfp wants each place to have a `Collected` of its own."""
    return Numbers(
        numbers=dsl.Collected(task.output),
        spelled=spell(value=dsl.Collected(task.output)).output,
        total=total(numbers=dsl.Collected(task.output)).output,
    )


@dsl.pipeline
def loop() -> Numbers:
    with dsl.ParallelFor([1, 2, 3]) as number:
        more = add(a=number)
    return collected(more)


@dsl.pipeline
def loop_over_result(n: int) -> Numbers:
    with dsl.ParallelFor(count_to(n=n).output) as number:
        more = add(a=number, b=10)
    return collected(more)


@dsl.pipeline
def loop_over_parameter(items: list) -> list[str]:
    with dsl.ParallelFor(items) as item:
        said = say(text=item)
    return dsl.Collected(said.output)


@dsl.pipeline
def loop_one_by_one() -> list[int]:
    with dsl.ParallelFor([3, 1, 2], parallelism=1) as number:
        more = add(a=number)
    return dsl.Collected(more.output)


@dsl.pipeline
def chain_in_loop(start: int = 5) -> list[int]:
    offset = add(a=start)
    with dsl.ParallelFor([10, 20]) as number:
        first = add(a=number, b=offset.output)
        second = add(a=first.output)
    return dsl.Collected(second.output)


@dsl.pipeline
def loop_in_loop() -> str:
    with dsl.ParallelFor([1, 2]) as ten, dsl.ParallelFor([3, 4]) as one:
        both = add(a=ten, b=one)
    return spell(value=dsl.Collected(both.output)).output


@dsl.pipeline
def loop_in_loop_over_results(n: int) -> list[list[int]]:
    with dsl.ParallelFor(count_to(n=n).output) as outer:
        inner = count_to(n=outer)
        hundreds = add(a=outer, b=100)
        with dsl.ParallelFor(inner.output) as number:
            both = add(a=number, b=hundreds.output)
    return dsl.Collected(both.output)


@dsl.pipeline
def nested_collected() -> list[list[int]]:
    with dsl.ParallelFor([1, 2]) as outer, dsl.ParallelFor([10, 20, 30]) as inner:
        both = add(a=outer, b=inner)
    return dsl.Collected(both.output)


@dsl.pipeline
def sums(n: int) -> int:
    with dsl.ParallelFor(count_to(n=n).output) as number:
        more = add(a=number, b=0)
    return total(numbers=dsl.Collected(more.output)).output


@dsl.pipeline
def pipeline_in_loop() -> list[int]:
    with dsl.ParallelFor([1, 2, 3]) as n:
        found = sums(n=n)
    return dsl.Collected(found.output)


@dsl.pipeline
def collected_artifacts() -> Dataset:
    with dsl.ParallelFor(["one", "two", "three"]) as text:
        written = write_text(text=text)
    return join_texts(files=dsl.Collected(written.outputs["file"])).outputs["joined"]


@dsl.pipeline
def files() -> list[Dataset]:
    with dsl.ParallelFor(["one", "two"]) as text:
        written = write_text(text=text)
    return dsl.Collected(written.outputs["file"])


@dsl.pipeline
def handed_files() -> Dataset:
    return join_texts(files=files().output).outputs["joined"]


@dsl.pipeline
def loop_over_artifacts() -> list[str]:
    with dsl.ParallelFor(files().output) as file:
        read = read_text(file=file)
    return dsl.Collected(read.output)


@dsl.pipeline
def loop_over_fields() -> list[int]:
    with dsl.ParallelFor([{"a": 1, "b": 10}, {"a": 2, "b": 20}]) as item:
        both = add(a=item.a, b=item.b)
    return dsl.Collected(both.output)


@dsl.pipeline
def loop_over_parameter_fields(items: list) -> list[str]:
    with dsl.ParallelFor(items) as item:
        said = say(text=item.depot)
    return dsl.Collected(said.output)


@dsl.pipeline
def two_loops_on_one_another() -> int:
    with dsl.ParallelFor([1, 2]) as number:
        more = add(a=number)
    with dsl.ParallelFor(doubled(numbers=dsl.Collected(more.output)).output) as number:
        again = add(a=number, b=100)
    return total(numbers=dsl.Collected(again.output)).output


@dsl.pipeline
def loop_over_texts() -> list[str]:
    with dsl.ParallelFor(['"', "it's", "{}", "a\nb", "é漢", "null", "1"]) as text:
        said = say(text=text)
    return dsl.Collected(said.output)


@dsl.pipeline
def loop_over_fractions() -> list[float]:
    with dsl.ParallelFor([0.5, 1.25]) as share:
        halved = halve(number=share)
    return dsl.Collected(halved.output)


@dsl.pipeline
def loop_over_lists(items: list[list[int]]) -> list[str]:
    with dsl.ParallelFor(items) as item:
        spelled = spell(value=item)
    return dsl.Collected(spelled.output)


@dsl.pipeline
def loop_over_result_fields() -> list[str]:
    with dsl.ParallelFor(list_parcels().output) as parcel:
        said = say(text=parcel.depot)
    return dsl.Collected(said.output)


@dsl.pipeline
def loop_over_same() -> list[int]:
    with dsl.ParallelFor([1, 1, 1]) as number:
        more = add(a=number)
    return dsl.Collected(more.output)


@dsl.pipeline
def loop_in_loop_in_loop() -> list[list[list[int]]]:
    with dsl.ParallelFor([100, 200]) as hundreds, dsl.ParallelFor([10]) as tens:
        some = add(a=hundreds, b=tens)
        with dsl.ParallelFor([1, 2]) as ones:
            sum_ = add(a=some.output, b=ones)
    return dsl.Collected(sum_.output)


@dsl.pipeline
def loop_over_item(items: list[list[int]]) -> list[list[int]]:
    with dsl.ParallelFor(items) as inner, dsl.ParallelFor(inner) as number:
        more = add(a=number)
    return dsl.Collected(more.output)


@dsl.pipeline
def file_in_loop() -> list[str]:
    written = write_text(text="same")
    with dsl.ParallelFor([1, 2]) as number:
        more = add(a=number)
        read = read_text(file=written.outputs["file"]).after(more)
    return dsl.Collected(read.output)
