"""Pipelines whose steps note that they run, for Kubeflow's local runner and for `argosy run`."""

WORLD = """\
import os


def note(name):
    with open(os.path.join(os.environ["WORLD"], "ran"), "a", encoding="utf-8") as file:
        file.write(name + "\\n")
"""
CATALOG = """\
NAMES = ("chain", "branches", "loops", "measured", "nested", "rounds", "optional")
PIPELINES = {name: f"pipelines.several:{name}" for name in NAMES}
"""
SEVERAL = """\
from functools import partial
from typing import List, Optional

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Output

from argosy.kubeflow.declare import step

component = partial(dsl.component, base_image="python:3.11", install_kfp_package=False)


@component
def make(n: int, data: Output[Dataset], scores: Output[Metrics]) -> list:
    import os

    from components.world import note

    note("make")
    os.makedirs(data.path)
    for i in range(n):
        with open(f"{data.path}/{i}.txt", "w") as file:
            file.write(str(i))
    data.metadata.update(rows=n, share=1.0)
    scores.log_metric("accuracy", 0.5)
    scores.log_metric("count", 3)
    return [1, 2.5, {"a": n}]


@component
def total(data: Input[Dataset], items: list, factor: float, text: str, out: Output[Artifact]) -> float:
    import os

    from components.world import note

    note("total")
    value = sum(int(open(f"{data.path}/{name}").read()) for name in sorted(os.listdir(data.path)))
    with open(out.path, "w") as file:
        file.write(f"{value} {items} {text} {sorted(data.metadata.items())}")
    return value * factor


@component
def read(scores: Input[Metrics]) -> float:
    from components.world import note

    note("read")
    return scores.metadata["accuracy"] + scores.metadata["count"]


@dsl.pipeline(name="chain")
def chain(n: int = 3, factor: float = 2.0, text: str = "x"):
    made = make(n=n)
    total(data=made.outputs["data"], items=made.outputs["Output"], factor=factor, text=f"{text} and {n}")
    read(scores=made.outputs["scores"])


@component
def flag(n: int) -> bool:
    from components.world import note

    note("flag")
    return n > 2


@component
def say(text: str) -> str:
    from components.world import note

    note(f"say {text}")
    return text.upper()


@dsl.pipeline(name="branches")
def branches(n: int = 3) -> str:
    big = flag(n=n)
    with dsl.If(big.output == True):
        one = say(text="big")
    with dsl.Else():
        other = say(text="small")
    return say(text=dsl.OneOf(one.output, other.output)).output


@component
def square(x: int, out: Output[Dataset]) -> int:
    from components.world import note

    note(f"square {x}")
    with open(out.path, "w") as file:
        file.write(str(x * x))
    out.metadata["x"] = x
    return x * x


@component
def gather(numbers: List[int], files: Input[List[Dataset]]) -> str:
    from components.world import note

    note("gather")
    return f"{numbers} {[open(file.path).read() for file in files]} {[file.metadata['x'] for file in files]}"


@dsl.pipeline(name="loops")
def loops(items: list = [1, 2, 3]) -> str:
    with dsl.ParallelFor(items) as item:
        squared = square(x=item)
    return gather(
        numbers=dsl.Collected(squared.outputs["Output"]), files=dsl.Collected(squared.outputs["out"])
    ).output


@step(measurements=["seconds", "trace"])
@component
def measure(n: int, seconds: dsl.OutputPath(float), trace: Output[Dataset]) -> int:
    import time

    from components.world import note

    note("measure")
    for path in (seconds, trace.path):
        with open(path, "w") as file:
            file.write(repr(time.time()))
    return n


@component
def judge(seconds: float, n: int, trace: Input[Dataset]) -> bool:
    from components.world import note

    note("judge")
    return seconds > n


@component
def tell(ok: bool, text: str) -> str:
    from components.world import note

    note("tell")
    return str(ok)


@dsl.pipeline(name="measured")
def measured(n: int = 3):
    taken = measure(n=n)
    judged = judge(seconds=taken.outputs["seconds"], n=taken.outputs["Output"], trace=taken.outputs["trace"])
    with dsl.If(judged.output == True):
        tell(ok=judged.output, text=f"after {taken.outputs['seconds']}")


@dsl.pipeline(name="inner")
def inner(n: int) -> float:
    return measure(n=n).outputs["seconds"]


@component
def shorten(seconds: float) -> int:
    from components.world import note

    note("shorten")
    return round(seconds)


@dsl.pipeline(name="nested")
def nested(n: int = 4):
    shorten(seconds=inner(n=n).output)


@dsl.pipeline(name="rounds")
def rounds(items: list = [5, 6]):
    with dsl.ParallelFor(items) as item:
        taken = measure(n=item)
        judge(seconds=taken.outputs["seconds"], n=item, trace=taken.outputs["trace"])


@component
def maybe(n: int = 5, label: Optional[str] = None, data: Input[Dataset] = None, options: dict = {"a": 1}) -> str:
    from components.world import note

    note("maybe")
    return f"{n} {label} {data and open(data.path).read()} {options}"


@dsl.pipeline(name="optional")
def optional(label: Optional[str] = "hey"):
    square(x=2).set_caching_options(False)
    maybe(label=label)
    maybe(n=6, data=square(x=4).outputs["out"], options={"b": 2.0})
"""
FILES = {"pipelines/catalog.py": CATALOG, "pipelines/several.py": SEVERAL, "components/world.py": WORLD}
