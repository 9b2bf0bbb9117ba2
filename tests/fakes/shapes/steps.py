"""The steps of the shapes: each so small that what a run gives back can be worked out by hand."""

from functools import partial

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Output

component = partial(dsl.component, base_image="python:3.11", install_kfp_package=False)


@component
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@component
def total(numbers: list[int]) -> int:
    """Add a list up."""
    return sum(numbers)


@component
def count_to(n: int) -> list[int]:
    """Return 1 to n."""
    return list(range(1, n + 1))


@component
def doubled(numbers: list[int]) -> list[int]:
    """Return every number twice as large."""
    return [2 * number for number in numbers]


@component
def spell(value: list) -> str:
    """Return a list as Python writes it: [1, 2] and [1.0, 2.0] are two things."""
    return repr(value)


@component
def say(text: str) -> str:
    """Return a text."""
    return text


@component
def note(folder: str, name: str, text: str = "ran") -> str:
    """Leave a file behind."""
    from pathlib import Path

    Path(folder, name).write_text(text, encoding="utf-8")
    return text


@component
def break_down(message: str) -> str:
    """Fail."""
    raise RuntimeError(message)


@component
def write_text(text: str, file: Output[Dataset]):
    """Write a file."""
    from pathlib import Path

    Path(file.path).write_text(text, encoding="utf-8")


@component
def read_text(file: Input[Dataset]) -> str:
    """Read a file."""
    from pathlib import Path

    return Path(file.path).read_text(encoding="utf-8")


@component
def join_texts(files: Input[list[Dataset]], joined: Output[Dataset]):
    """Write the texts of a list of files, in order."""
    from pathlib import Path

    Path(joined.path).write_text(" ".join(Path(file.path).read_text(encoding="utf-8") for file in files))


@component
def write_folder(folder: Output[Artifact]):
    """Write a folder with a file below another."""
    from pathlib import Path

    for name, text in {"a.txt": "one", "below/b.txt": "two"}.items():
        file = Path(folder.path, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@component
def judge(scores: Output[Metrics]):
    """Log metrics and write no file."""
    scores.log_metric("auc", 0.75)
    scores.log_metric("rows", 3)


@component
def measure_text(text: str) -> int:
    """Return the length of a text."""
    return len(text)
