"""Values on their way: optional, null, numbers, texts, objects, metadata, paths."""

# ruff: noqa: UP045 - kfp reads Optional[X] and no X | None.
from typing import NamedTuple, Optional

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from tests.fakes.shapes.steps import add, component, judge, measure_text, read_text, say


class Numbers(NamedTuple):
    whole: int
    large: int
    half: float
    nested: dict
    flag: bool


class Text(NamedTuple):
    text: str
    length: int


class Said(NamedTuple):
    items: str
    settings: str


class Tagged(NamedTuple):
    file: Dataset
    read: str


@component
def describe(value: Optional[str] = None, number: int = 3) -> str:
    """Return what arrived, as Python writes it."""
    return repr((value, number))


@component
def describe_list(value: Optional[list] = None) -> str:
    """Return what arrived, as Python writes it."""
    return repr(value)


@component
def describe_object(value: dict) -> str:
    """Return what arrived, as Python writes it, sorted."""
    import json

    return json.dumps(value, sort_keys=True)


@component
def has_file(file: Optional[Input[Dataset]] = None) -> bool:
    """Say whether a file was given."""
    return file is not None


@component
def all_numbers(whole: int, large: int, half: float, nested: dict, flag: bool) -> NamedTuple(
    "Numbers", [("whole", int), ("large", int), ("half", float), ("nested", dict), ("flag", bool)]
):
    """Return what arrived."""
    return (whole, large, half, nested, flag)


@component
def write_elsewhere(file: Output[Dataset]):
    """Write a file where nobody said, and say where."""
    from pathlib import Path

    path = Path(file.path).parent / "elsewhere" / "own.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("found")
    file.set_path(str(path))


@component
def tag(file: Output[Dataset]):
    """Write a file and say something of it."""
    from pathlib import Path

    Path(file.path).write_text("tagged")
    file.metadata["rows"] = 3
    file.metadata["source"] = "by hand"


@component
def read_tag(file: Input[Dataset]) -> str:
    """Return what was said of a file."""
    return repr((file.metadata["rows"], file.metadata["source"]))


@dsl.pipeline
def optional(value: Optional[str] = None, number: int = 4) -> str:
    return describe(value=value, number=number).output


@dsl.pipeline
def pass_on(value: Optional[str] = None) -> str:
    return describe(value=value).output


@dsl.pipeline
def optional_through_pipelines(value: Optional[str] = None) -> str:
    return pass_on(value=value).output


@dsl.pipeline
def optional_list(value: Optional[list] = None) -> str:
    return describe_list(value=value).output


@dsl.pipeline
def left_out() -> str:
    return describe().output


@dsl.pipeline
def no_file() -> bool:
    return has_file().output


@dsl.pipeline
def in_text(name: str, n: int) -> str:
    more = add(a=n)
    return say(text=f"{name} has {n}, then {more.output}").output


@dsl.pipeline
def numbers_given(
    whole: int = 3,
    large: int = 2**53,
    half: float = 0.5,
    nested: dict = {"a": [1, 2.5, {"b": 3}]},  # noqa: B006
    flag: bool = True,
) -> Numbers:
    found = all_numbers(whole=whole, large=large, half=half, nested=nested, flag=flag).outputs
    return Numbers(**{name: found[name] for name in Numbers._fields})


@dsl.pipeline
def numbers_in_spec() -> str:
    return describe_object(value={"whole": 3, "half": 0.5, "list": [1, 2, 3], "deep": {"large": 2**53}}).output


@dsl.pipeline
def text_given(text: str) -> Text:
    said = say(text=text)
    return Text(text=said.output, length=measure_text(text=said.output).output)


@dsl.pipeline
def text_in_spec() -> str:
    return say(text='She said "no"; it\'s {not} a $placeholder\n\té 漢 \\n').output


@dsl.pipeline
def list_given(items: list, settings: dict) -> Said:
    return Said(items=describe_list(value=items).output, settings=describe_object(value=settings).output)


@dsl.pipeline
def metrics() -> Metrics:
    return judge().outputs["scores"]


@dsl.pipeline
def metadata() -> Tagged:
    file = tag().outputs["file"]
    return Tagged(file=file, read=read_tag(file=file).output)


@dsl.pipeline
def own_path() -> str:
    return read_text(file=write_elsewhere().outputs["file"]).output


@component
def describe_fraction(share: float) -> str:
    """Return what arrived, as Python writes it."""
    return repr(share)


@dsl.pipeline
def whole_fraction(share: float = 3) -> str:
    return describe_fraction(share=share).output


@dsl.pipeline
def no_settings(settings: dict = {}, items: list = []) -> Said:  # noqa: B006 - a default as kfp compiles it
    return Said(items=describe_list(value=items).output, settings=describe_object(value=settings).output)
